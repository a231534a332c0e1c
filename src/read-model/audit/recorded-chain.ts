/**
 * What Temporal's histories say of a chain: every write that a workflow asked for, and where its events came to stand.
 * Read elsewhere (src/cli/histories/recorded-histories.ts); indexed here for those who compare it with the tables.
 */
import type { ChainLink, FlowEvent } from '../../store/audit/events.ts';
import type { IssueRow, RunRow } from '../projections/projections.ts';

/** One activity that writes to the read model, as a history tells of it. */
export interface RecordedWrite {
  readonly workflowId: string;
  /** Temporal's id of the execution; a workflow that continues as new has several. */
  readonly execution: string;
  /** When it was asked for, in milliseconds. */
  readonly at: number;
  readonly issue: IssueRow | null;
  readonly run: RunRow | null;
  readonly events: readonly FlowEvent[];
  /** Where the events stand; null when the history does not hold the activity's result. */
  readonly links: readonly ChainLink[] | null;
  /** `open`: it may be under way, or done and not reported. `given_up`: it failed, or was canceled. */
  readonly outcome: 'written' | 'open' | 'given_up';
}

export interface RecordedExecution {
  readonly workflowId: string;
  readonly id: string;
  /** Whether no earlier execution continued as this one. */
  readonly begins: boolean;
}

/** All that Temporal still has of an issue: its own executions, and those of its runs. */
export interface RecordedChain {
  readonly executions: readonly RecordedExecution[];
  readonly writes: readonly RecordedWrite[];
}

/** Temporal's histories, by chain. */
export interface RecordedHistories {
  /** The chains of all executions that Temporal lists. */
  chains(): Promise<readonly string[]>;
  /** Everything of one chain, as of now. Empty when Temporal has nothing of it. */
  read(chain: string): Promise<RecordedChain>;
}

export const NOTHING_RECORDED: RecordedChain = { executions: [], writes: [] };

/** An event that a workflow asked to be written. */
export interface RecordedEvent {
  readonly id: string;
  /** What it says; several only where a workflow was reset and went another way. */
  readonly contents: readonly FlowEvent[];
  /** Where it stands; several contradict each other, none means that no history holds the result. */
  readonly links: readonly ChainLink[];
  /** Whether it may have been written though no result says so. */
  readonly open: boolean;
  /** Names the workflow, for people. */
  readonly workflowId: string;
}

/** The events of a chain by id, in the order in which they were asked for. */
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
 * Whether an event that no history knows cannot be genuine: the history that would have to know it is there. Temporal
 * drops the histories of closed workflows after a while, the oldest first; what those wrote is `gone`, not `unknown`.
 */
export function judgeUnrecorded(
  chain: string,
  { executions, writes }: RecordedChain,
): (id: string) => 'unknown' | 'gone' {
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
