/** What a run leaves in Temporal: history events, and actions as a bill counts them. */
import type { HistoryEvent } from '../histories.ts';

export interface Cost {
  readonly events: number;
  readonly actions: number;
}

/** Events that are one action each; an activity is one for each attempt. Heartbeats are not counted. */
const ACTIONS: ReadonlySet<string> = new Set([
  'workflowExecutionStarted',
  'workflowExecutionSignaled',
  'timerStarted',
  'upsertWorkflowSearchAttributes',
]);

/** Adds up histories, or parts of them. */
export function costOf(...histories: readonly (readonly HistoryEvent[])[]): Cost {
  const events = histories.flat();
  const attempts = events.reduce(
    (sum, { type, attempt }) => sum + (type === 'activityTaskStarted' ? attempt : 0),
    events.filter(({ type }) => ACTIONS.has(type)).length,
  );
  return { events: events.length, actions: attempts };
}
