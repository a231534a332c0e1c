/**
 * The writes of a chain that are recorded in Temporal's histories, with the positions of their events. Read by
 * src/cli/histories/recorded-histories.ts; indexed here for comparison with the tables.
 */
import type { ChainLink, FlowEvent } from '../../store/audit/events.ts';
import { isToolChain } from '../../store/audit/tool-events.ts';
import type { IssueRow, RunRow } from '../projections/projections.ts';

/** One activity that writes to the read model, as recorded in a history. */
export interface RecordedWrite {
  readonly workflowId: string;
  /** Temporal's id of the execution; a workflow that continues as new has several. */
  readonly execution: string;
  /** When it was scheduled, in milliseconds. */
  readonly at: number;
  readonly issue: IssueRow | null;
  readonly run: RunRow | null;
  readonly events: readonly FlowEvent[];
  /** Positions of the events; null if the history has no result of the activity. */
  readonly links: readonly ChainLink[] | null;
  /** `open`: it may be running, or done without a recorded result. `given_up`: it failed or was canceled. */
  readonly outcome: 'written' | 'open' | 'given_up';
}

export interface RecordedExecution {
  readonly workflowId: string;
  readonly id: string;
  /** True unless an earlier execution continued as this one. */
  readonly begins: boolean;
}

/** All histories that Temporal still has of an issue: its own executions and those of its runs. */
export interface RecordedChain {
  readonly executions: readonly RecordedExecution[];
  readonly writes: readonly RecordedWrite[];
}

/** Temporal's histories, by chain. */
export interface RecordedHistories {
  /** The chains of all executions that Temporal lists. */
  chains(): Promise<readonly string[]>;
  /** Reads one chain. Empty if Temporal has no history of it. */
  read(chain: string): Promise<RecordedChain>;
}

export const NOTHING_RECORDED: RecordedChain = { executions: [], writes: [] };

/** An event that a workflow wrote through an activity. */
export interface RecordedEvent {
  readonly id: string;
  /** Its content; several only if a workflow was reset. */
  readonly contents: readonly FlowEvent[];
  /** Its position; several contradict each other, none means that no history has the result. */
  readonly links: readonly ChainLink[];
  /** True if it may have been written although no result is recorded. */
  readonly open: boolean;
  /** The workflow, for messages. */
  readonly workflowId: string;
}

/** The events of a chain by id, in the order in which they were scheduled. */
export function recordedEvents(chain: string, { writes }: RecordedChain): ReadonlyMap<string, RecordedEvent> {
  const known = new Map<string, RecordedEvent>();
  for (const write of writes.toSorted((one, other) => one.at - other.at)) {
    for (const [index, event] of write.events.entries()) {
      if (event.chain !== chain) continue;
      const before = known.get(event.id);
      const link = write.links?.[index];
      known.set(event.id, {
        id: event.id,
        contents: withNew(before?.contents ?? [], event),
        links: link ? withNew(before?.links ?? [], link) : (before?.links ?? []),
        open: (before?.open ?? false) || write.outcome === 'open',
        workflowId: write.workflowId,
      });
    }
  }
  return known;
}

function withNew<Value>(values: readonly Value[], value: Value): readonly Value[] {
  const text = JSON.stringify(value);
  return values.some((one) => JSON.stringify(one) === text) ? values : [...values, value];
}

/**
 * Classifies an event that is in no history. `unknown`: it is not genuine, since the history that should have it exists.
 * `gone`: Temporal has deleted that history; it deletes those of closed workflows after the retention, the oldest first. Calls of
 * tools are in none.
 */
export function classifyUnrecorded(
  chain: string,
  { executions, writes }: RecordedChain,
): (id: string) => 'unknown' | 'gone' {
  if (isToolChain(chain)) return () => 'gone';
  const workflows = new Set(executions.map(({ workflowId }) => workflowId));
  const lives = livesOf(chain, executions, writes);
  const oldest = [...lives.keys()].toSorted()[0];
  return (id) => {
    const run = /^(run:[^:]+):\d+$/.exec(id)?.[1];
    if (run !== undefined) return workflows.has(run) ? 'unknown' : 'gone';
    const own = id.startsWith(`${chain}:`) ? LIFE.exec(id.slice(chain.length + 1)) : null;
    if (!own) return 'unknown';
    const [, startedAt = '', revision] = own;
    const from = lives.get(startedAt);
    if (from === undefined) return oldest !== undefined && startedAt > oldest ? 'unknown' : 'gone';
    return Number(revision) >= from ? 'unknown' : 'gone';
  };
}

/** The end of an issue's event's id: when its workflow's life began, its revision, and a number (workflows/issue/projection.ts). */
const LIFE = /^(\d{4}-.+Z):(\d+):\d+$/;

/** From which revision on the histories know each life of the issue's workflow: 0 when they know its beginning. */
function livesOf(
  chain: string,
  executions: readonly RecordedExecution[],
  writes: readonly RecordedWrite[],
): Map<string, number> {
  const lives = new Map<string, number>();
  for (const { id, workflowId, begins } of executions) {
    if (workflowId !== chain) continue;
    const own = writes.filter(({ execution, issue }) => execution === id && issue !== null);
    const ids = own.flatMap(({ events }) => events.map((event) => event.id));
    const startedAt = ids.flatMap((event) => LIFE.exec(event.slice(chain.length + 1))?.[1] ?? [])[0];
    if (startedAt === undefined) continue;
    const from = begins ? 0 : Math.min(...own.map(({ issue }) => issue?.revision ?? 0));
    lives.set(startedAt, Math.min(lives.get(startedAt) ?? from, from));
  }
  return lives;
}
