/** The end of a discussion, for any reason. */
import { MODE_DISCUSSION } from '../../stages/stages.ts';
import type { PlannedRun } from '../state.ts';
import { cancel } from './cancels.ts';
import { record, type Deciding, type Draft } from './draft.ts';

export function isDiscussionRun(run: PlannedRun | null): run is PlannedRun {
  return run?.target.kind === 'discussion';
}

/** Ends the discussion, with its active and queued runs. */
export function* endDiscussion(draft: Draft, actor: string, reason: string): Deciding {
  const { state, effects } = draft;
  if (!state.discussion) return;
  state.discussion = null;
  for (const { runId } of [...state.queue, state.active].filter(isDiscussionRun))
    yield* cancel(draft, runId, actor, reason);
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
