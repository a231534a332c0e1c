/** Temporal usage of a run: history events, and actions as Temporal Cloud bills them. */
import type { HistoryEvent } from '../histories.ts';

export interface Cost {
  /** Of the run's own history. */
  readonly events: number;
  /** Of the history, on account of the run. */
  readonly share: number;
  /** Of both. */
  readonly actions: number;
}

/** Events that are one action each; an activity is one for each attempt. Heartbeats are not counted. */
const ACTIONS: ReadonlySet<string> = new Set([
  'workflowExecutionStarted',
  'workflowExecutionSignaled',
  'timerStarted',
  'upsertWorkflowSearchAttributes',
]);

/** Counts a run's history and its part of the history. */
export function costOf(run: readonly HistoryEvent[], share: readonly HistoryEvent[]): Cost {
  const events = [...run, ...share];
  const attempts = events.reduce(
    (sum, { type, attempt }) => sum + (type === 'activityTaskStarted' ? attempt : 0),
    events.filter(({ type }) => ACTIONS.has(type)).length,
  );
  return { events: run.length, share: share.length, actions: attempts };
}
