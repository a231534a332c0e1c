/** Cancels a run that is active or queued, whether a person, a removed label or GitHub's state asks for it. */
import type { UnfinishedOutcome } from '../../run/runs.ts';
import type { Fact } from '../facts.ts';
import type { Shown } from '../effects.ts';
import type { PullRequestRef } from '../gates.ts';
import { branchName } from '../names.ts';
import type { PlannedRun } from '../state.ts';
import { askSettings, record, type Deciding, type Draft } from './draft.ts';

export function* cancelRequested(
  draft: Draft,
  { runId, actor, reason }: Extract<Fact, { kind: 'cancel_requested' }>,
): Deciding {
  yield* cancel(draft, runId, actor, reason);
}

/** `merged`: the pull request that was merged meanwhile; the run then counts as succeeded. */
export function* cancel(
  draft: Draft,
  runId: string,
  actor: string,
  reason: string,
  merged: PullRequestRef | null = null,
): Deciding {
  const { state, effects } = draft;
  const queued = state.queue.find((planned) => planned.runId === runId);
  if (!queued) {
    if (state.active?.runId === runId) effects.push({ kind: 'cancel_run', runId, actor, reason, merged });
    return;
  }
  state.queue = state.queue.filter((planned) => planned !== queued);
  yield* showEnded(draft, queued, { status: 'canceled', actor, reason });
  yield* showQueue(draft);
  record(draft, [{ type: 'run.canceled', payload: { actor, reason }, actor, runId, correlationId: queued.delivery }]);
}

/** Shows the end of a run that has no workflow to show it: it was never started, or was ended from outside. */
export function* showEnded(draft: Draft, planned: PlannedRun, outcome: UnfinishedOutcome): Deciding {
  yield* show(draft, planned, FINAL_REVISION, { outcome, at: draft.now });
}

/** Shows every queued run with its position. */
export function* showQueue(draft: Draft): Deciding {
  draft.state.queue = draft.state.queue.map((planned) => ({ ...planned, revision: planned.revision + 1 }));
  for (const [index, planned] of draft.state.queue.entries())
    yield* show(draft, planned, planned.revision, { queuePosition: index + 1 });
}

/** Greater than any revision of a run's own workflow. */
const FINAL_REVISION = 2_000_000_000;

function* show(draft: Draft, plan: PlannedRun, revision: number, shown: Shown): Deciding {
  const { state, effects } = draft;
  const answer = yield* askSettings(draft);
  // A repository that is bound to no project any more gets no comments. A run that has ended is shown so in the read model.
  const settings = 'failed' in answer ? null : answer.value;
  if (!settings && !('outcome' in shown)) return;
  const branch = branchName(state.issue.number, state.branch ?? 1, state.branchPrefix);
  const { pullRequest } = state;
  effects.push({ kind: 'show_run', plan, revision, settings, branch, pullRequest, shown });
}
