/** How a discussion ends, whoever ends it. */
import { MODE_DISCUSSION } from '../../stages/stages.ts';
import type { PlannedRun } from '../state.ts';
import { cancel } from './cancels.ts';
import { record, type Deciding, type Draft } from './draft.ts';

export function isTurn(run: PlannedRun | null): run is PlannedRun {
  return run?.target.kind === 'discussion';
}

/** Ends it, with whatever turn of it works or waits. */
export function* endDiscussion(draft: Draft, actor: string, reason: string): Deciding {
  const { state, effects } = draft;
  if (!state.discussion) return;
  state.discussion = null;
  for (const { runId } of [...state.queue, state.active].filter(isTurn)) yield* cancel(draft, runId, actor, reason);
  effects.push({
    kind: 'move_labels',
    issue: state.issue,
    remove: MODE_DISCUSSION,
    add: null,
    pullRequest: null,
    waits: 'in_background',
  });
  record(draft, [{ type: 'discussion.ended', payload: { actor, reason } }]);
}
