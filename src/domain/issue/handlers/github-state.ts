/** What GitHub and the issue's earlier life say, applied before anything is decided. */
import { NEED_INPUT, normalizeLabel } from '../../stages/stages.ts';
import { whyReviewIsStale } from '../confirmations.ts';
import type { PriorIssueState } from '../gates.ts';
import type { GitHubIssueState } from '../reads.ts';
import type { IssueState } from '../state.ts';
import { cancel } from './cancels.ts';
import { ask, askLeniently, type Deciding, type Draft } from './draft.ts';

/** A question that somebody took off the issue is none any more. */
export function* apply(draft: Draft, { labels, prior }: GitHubIssueState): Deciding {
  yield* applyPrior(draft, prior ?? null);
  if (!labels.some((label) => normalizeLabel(label) === NEED_INPUT)) draft.state.asked = null;
}

/** An issue that was closed and lives again goes on with what it had done; its pull request may be merged meanwhile. */
function* applyPrior({ state }: Draft, prior: PriorIssueState | null): Deciding {
  if (state.done !== null) return;
  state.done = prior?.done ?? {};
  state.branch ??= prior?.branch ?? 1;
  if (!prior) return;
  state.last ??= prior.last;
  state.asked ??= prior.asked;
  state.takenEvents = { ...prior.taken, ...state.takenEvents };
  state.refusedEvents = { ...prior.refused, ...state.refusedEvents };
  const { pullRequest } = prior;
  if (!pullRequest || state.pullRequest) return;
  const shown = yield* askLeniently({ kind: 'pull_request', issue: state.issue, pullRequest: pullRequest.number });
  if (shown?.open === false) leavePullRequest(state);
  else state.pullRequest = pullRequest;
}

/** GitHub says that the issue is closed before anybody told: what waits must not start. Who works is canceled when it is told. */
export function* applyOpenness(draft: Draft, open: boolean): Deciding {
  const { state } = draft;
  state.closed = !open;
  if (open) {
    state.gone = null;
    return;
  }
  state.discussion = null;
  for (const { runId } of state.queue) yield* cancel(draft, runId, 'GitHub', 'the issue was closed');
}

/** Its branch goes with it: whoever works next begins anew from the base branch. */
export function leavePullRequest(state: IssueState): void {
  state.pullRequest = null;
  state.branch = Math.max(state.branch ?? 1, state.branches) + 1;
  state.branches = state.branch;
}

/** Whether the issue is open. One that GitHub does not show any more, deleted or moved, is as good as closed. */
export function* askOpenness({ state }: Draft): Deciding<{ readonly open: boolean; readonly gone: boolean }> {
  const answer = yield* ask({ kind: 'issue', issue: state.issue, label: '' });
  return 'value' in answer ? { open: answer.value.open, gone: false } : { open: false, gone: true };
}

/** Why a review does not count any more; undefined when it does, or when GitHub refuses to show it. */
export function* askStaleness({ state }: Draft, pullRequest: number, review: number): Deciding<string | undefined> {
  const shown = yield* askLeniently({ kind: 'review', issue: state.issue, pullRequest, review });
  return shown && whyReviewIsStale(shown);
}
