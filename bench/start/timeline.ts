/** From a delivery to the agent's first instruction: which part of the way takes how long. */
import type { Activities } from '../../activities/index.ts';
import type { HistoryEvent } from '../histories.ts';
import type { Delivered } from './deliveries.ts';
import type { Beginning } from './timed-agent.ts';

/** The parts of the way, in their order. */
export const PHASES = [
  ['answered', 'delivery arrives → kept and answered'],
  ['told', '→ signaled: the signal is in the issue’s history'],
  ['acts', '→ the issue’s workflow asks for its first activity'],
  ['decided', '→ it starts the run'],
  ['started', '→ the run’s workflow exists'],
  ['asked', '→ it asks for the agent’s launch'],
  ['launching', '→ a worker launches it'],
  ['spawned', '→ the process is there'],
  ['firstInstruction', '→ its first instruction'],
] as const;
export type Moment = (typeof PHASES)[number][0];

/** When each part of the way was over, in ms from the delivery's arrival. */
export type Timeline = Readonly<Record<Moment, number>>;

/** Joins what the sender, the two histories and the agent saw. */
export function timelineOf(
  { arrivedAt, answeredAt }: Delivered,
  issue: readonly HistoryEvent[],
  run: readonly HistoryEvent[],
  { begun, firstInstruction }: Beginning,
): Timeline {
  const first = (events: readonly HistoryEvent[], type: string, activity?: keyof Activities): number | undefined =>
    events.find((event) => event.type === type && (activity === undefined || event.activity === activity))?.at;
  const moments: Record<Moment, number | undefined> = {
    answered: answeredAt,
    told: first(issue, 'workflowExecutionSignaled'),
    acts: first(issue, 'activityTaskScheduled'),
    decided: first(issue, 'startChildWorkflowExecutionInitiated'),
    started: first(run, 'workflowExecutionStarted'),
    asked: first(run, 'activityTaskScheduled', 'launchAgent'),
    launching: first(run, 'activityTaskStarted', 'launchAgent'),
    spawned: begun,
    firstInstruction,
  };
  return Object.fromEntries(
    Object.entries(moments).map(([name, at]) => {
      if (at === undefined) throw new Error(`the histories do not show when this was: ${name}`);
      return [name, at - arrivedAt];
    }),
  ) as Timeline;
}

/** Duration of each part in ms. */
export function partsOf(timeline: Timeline): Timeline {
  let before = 0;
  return Object.fromEntries(
    PHASES.map(([name]) => {
      const took = timeline[name] - before;
      before = timeline[name];
      return [name, took];
    }),
  ) as Timeline;
}

/** Temporal's steps on the way. */
export interface Steps {
  readonly workflowTasks: number;
  readonly activities: number;
}

/** Counts what was over before the launch began. */
export function stepsBefore(until: number, ...histories: readonly (readonly HistoryEvent[])[]): Steps {
  const count = (type: string): number =>
    histories.flat().filter((event) => event.type === type && event.at <= until).length;
  return { workflowTasks: count('workflowTaskCompleted'), activities: count('activityTaskCompleted') };
}
