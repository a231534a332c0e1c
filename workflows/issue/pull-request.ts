/** What becomes of an issue when its pull request is merged or closed. */
import type { Fact } from '../../src/domain/issue/facts.ts';
import type { IssueState } from '../../src/domain/issue/issue-life.ts';
import { readPullRequest } from '../activities.ts';
import { cancelById } from './canceling.ts';
import { leftOut } from './projection.ts';
import { asTold, type IssueInHand } from './context.ts';
import type { PullRequestRef } from '../messages.ts';

/** Nothing can be revised any more; a merge gives the run that works what it was for. */
export async function pullRequestClosed(
  here: IssueInHand,
  fact: Extract<Fact, { kind: 'pull_request_closed' }>,
): Promise<void> {
  const { issue, state, show } = here;
  const ours = state.pullRequest?.number === fact.pullRequest ? state.pullRequest : null;
  const told = { open: false, merged: fact.merged };
  const { open, merged } = ours
    ? await readPullRequest({ issue, pullRequest: fact.pullRequest }).catch((error) => asTold(error, told))
    : told;
  const about = { payload: { pr_number: fact.pullRequest }, by: fact.by.login, correlationId: fact.delivery };
  if (open) return show([{ type: 'pull_request.close_stale', ...about }]);
  if (ours) letGoOfPullRequest(state);
  await show([{ type: merged ? 'pull_request.merged' : 'pull_request.closed', ...about }]);
  if (!ours) return;
  const reason = `pull request #${fact.pullRequest} was ${merged ? 'merged' : 'closed'}`;
  await cancelWaitingRevises(here, fact.by.login, reason);
  if (state.active) await cancelById(here, state.active.runId, fact.by.login, reason, merged ? ours : null);
}

/** The issue's pull request, when it is merged: GitHub tells of the issue that a merge closes before or after the merge. */
export async function mergedPullRequest({ issue, state }: IssueInHand): Promise<PullRequestRef | null> {
  const { pullRequest } = state;
  if (!pullRequest) return null;
  const truth = await readPullRequest({ issue, pullRequest: pullRequest.number }).catch(leftOut);
  if (!truth?.merged) return null;
  letGoOfPullRequest(state);
  return pullRequest;
}

/** Its branch goes with it: whoever works next begins anew from the base branch. */
export function letGoOfPullRequest(state: IssueState): void {
  state.pullRequest = null;
  state.branch = Math.max(state.branch ?? 1, state.branches) + 1;
  state.branches = state.branch;
}

/** Nothing is left that they could revise. */
async function cancelWaitingRevises(here: IssueInHand, by: string, reason: string): Promise<void> {
  const { state } = here;
  for (const { runId } of state.queue.filter(({ target }) => target.kind === 'revise'))
    await cancelById(here, runId, by, reason);
}
