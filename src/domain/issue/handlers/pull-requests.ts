/** The issue's pull request is merged or closed. */
import type { Fact } from '../facts.ts';
import type { PullRequestRef } from '../gates.ts';
import type { GitHubPullRequestState } from '../reads.ts';
import { cancel } from './cancels.ts';
import { ask, askLeniently, record, type Deciding, type Draft } from './draft.ts';
import { leavePullRequest } from './github-state.ts';

type Closed = Extract<Fact, { kind: 'pull_request_closed' }>;

/** Ends revises and, if it was merged, completes the active run. */
export function* pullRequestClosed(draft: Draft, fact: Closed): Deciding {
  const { state } = draft;
  const ours = state.pullRequest?.number === fact.pullRequest ? state.pullRequest : null;
  const { open, merged } = ours ? yield* askPullRequest(draft, fact) : { open: false, merged: fact.merged };
  const about = { payload: { pr_number: fact.pullRequest }, actor: fact.by.login, correlationId: fact.delivery };
  if (open) return record(draft, [{ type: 'pull_request.close_stale', ...about }]);
  if (ours) leavePullRequest(draft, ours);
  record(draft, [{ type: merged ? 'pull_request.merged' : 'pull_request.closed', ...about }]);
  if (!ours) return;
  const reason = `pull request #${fact.pullRequest} was ${merged ? 'merged' : 'closed'}`;
  // Queued revises have nothing left to revise.
  for (const { runId } of state.queue.filter(({ target }) => target.kind === 'revise'))
    yield* cancel(draft, runId, fact.by.login, reason);
  if (state.active) yield* cancel(draft, state.active.runId, fact.by.login, reason, merged ? ours : null);
}

/** The webhook counts when GitHub does not answer in time. */
function* askPullRequest({ state }: Draft, { pullRequest, merged }: Closed): Deciding<GitHubPullRequestState> {
  const answer = yield* ask({ kind: 'pull_request', issue: state.issue, pullRequest });
  return 'value' in answer ? answer.value : { open: false, merged };
}

/** The issue's pull request, if it is merged: GitHub reports the issue that a merge closes before or after the merge. */
export function* askMerged(draft: Draft): Deciding<PullRequestRef | null> {
  const { state } = draft;
  const { pullRequest } = state;
  if (!pullRequest) return null;
  const shown = yield* askLeniently({ kind: 'pull_request', issue: state.issue, pullRequest: pullRequest.number });
  if (!shown?.merged) return null;
  leavePullRequest(draft, pullRequest);
  return pullRequest;
}
