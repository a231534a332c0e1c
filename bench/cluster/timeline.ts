/** From a delivery to the first instruction of the agent's container: which part of the way takes how long. */
import type { HistoryEvent } from '../histories.ts';
import type { Delivered } from '../start/deliveries.ts';
import type { Sighting } from './sightings.ts';

/** The parts of the way, in their order; a bare Job has only the last ones. */
export const PHASES = [
  ['answered', 'delivery arrives → kept and answered'],
  ['told', '→ signaled: the signal is in the issue’s history'],
  ['decided', '→ the issue’s workflow starts the run'],
  ['asked', '→ the run’s workflow asks for the launch'],
  ['launching', '→ a worker launches'],
  ['namespace', '→ the namespace is there'],
  ['objects', '→ all objects are in it'],
  ['job', '→ the Job is there'],
  ['released', '→ it may have pods'],
  ['pod', '→ its pod is there'],
  ['bound', '→ the pod has a node'],
  ['firstInstruction', '→ the container’s first instruction'],
] as const;
export type Moment = (typeof PHASES)[number][0];

/** When each part of the way was over, in ms from the beginning; what was not seen is left out. */
export type Timeline = Readonly<Partial<Record<Moment, number>> & Record<'firstInstruction', number>>;

/** Joins what the sender, the two histories, the watches and the agent saw. `since`: of a delivery that is one of many. */
export function timelineOf(
  { arrivedAt, answeredAt }: Delivered,
  [issue, run]: readonly [readonly HistoryEvent[], readonly HistoryEvent[]],
  { namespace, objects, job, released, pod, bound }: Sighting,
  firstInstruction: number,
  since = arrivedAt,
): Timeline {
  const first = (events: readonly HistoryEvent[], type: string, activity?: string): number | undefined =>
    events.find((event) => event.type === type && (activity === undefined || event.activity === activity))?.at;
  return momentsSince(since, {
    answered: answeredAt,
    told: first(issue, 'workflowExecutionSignaled'),
    decided: first(issue, 'startChildWorkflowExecutionInitiated'),
    asked: first(run, 'activityTaskScheduled', 'launchAgent'),
    launching: first(run, 'activityTaskStarted', 'launchAgent'),
    namespace,
    objects,
    job,
    released,
    pod,
    bound,
    firstInstruction,
  });
}

/** Counts from a beginning. */
export function momentsSince(
  since: number,
  moments: Readonly<Partial<Record<Moment, number | undefined>> & Record<'firstInstruction', number>>,
): Timeline {
  const seen = Object.entries(moments).flatMap(([name, at]) => (at === undefined ? [] : [[name, at - since] as const]));
  return Object.fromEntries(seen) as Timeline;
}

/** Duration of each part in ms; parts after an unobserved moment are left out. */
export function partsOf(timeline: Timeline): Readonly<Partial<Record<Moment, number>>> {
  let before: number | undefined = 0;
  const parts: Partial<Record<Moment, number>> = {};
  for (const [name] of PHASES) {
    const at: number | undefined = timeline[name];
    if (at !== undefined && before !== undefined) parts[name] = at - before;
    before = at ?? (Object.keys(parts).length === 0 ? before : undefined);
  }
  return parts;
}

/** Command of the container: prints its start time in nanoseconds since 1970. */
export const FIRST_INSTRUCTION = ['/bin/sh', '-c', 'date +%s%N; exit 3', 'agent'] as const;

/** Reads that, in ms. */
export function timeInLog(log: string): number {
  const [nanoseconds] = /^\d{19}$/m.exec(log) ?? [];
  if (nanoseconds === undefined) throw new Error(`the container did not write when it began: ${log.slice(-500)}`);
  return Number(nanoseconds) / 1e6;
}
