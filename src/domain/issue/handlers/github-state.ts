/** The state on GitHub and the issue's earlier life, applied before a decision. */
import { NEED_INPUT, normalizeLabel } from '../../stages/stages.ts';
import { whyReviewIsStale } from '../confirmations.ts';
import { TOO_MANY_TRIGGERS, type PriorIssueState, type PullRequestRef } from '../gates.ts';
import type { GitHubIssueState } from '../reads.ts';
import { usePrefix } from '../state.ts';
import { cancel } from './cancels.ts';
import { ask, askLeniently, type Deciding, type Draft } from './draft.ts';

/** Applies the issue's labels and its earlier life. A question whose `need:input` somebody took off is closed. */
export function* apply(draft: Draft, { labels, prior }: GitHubIssueState): Deciding {
  yield* applyPrior(draft, prior ?? null);
  if (labels.some((label) => normalizeLabel(label) === NEED_INPUT)) return;
  const { state } = draft;
  // A person has looked: the breaker counts anew.
  if (state.asked === TOO_MANY_TRIGGERS) state.triggers = [];
  state.asked = null;
}

/** A reopened issue continues with the stages that were done; its pull request may have been merged meanwhile. */
function* applyPrior(draft: Draft, prior: PriorIssueState | null): Deciding {
  const { state } = draft;
  if (state.done !== null) return;
  state.done = prior?.done ?? {};
  state.branch ??= prior?.branch ?? 1;
  if (!prior) return;
  if (prior.branchPrefix !== undefined) state.branchPrefix ??= prior.branchPrefix;
  state.last ??= prior.last;
  state.asked ??= prior.asked;
  state.takenEvents = { ...prior.taken, ...state.takenEvents };
  state.refusedEvents = { ...prior.refused, ...state.refusedEvents };
  const { pullRequest } = prior;
  if (!pullRequest || state.pullRequest) return;
  const shown = yield* askLeniently({ kind: 'pull_request', issue: state.issue, pullRequest: pullRequest.number });
  if (shown?.open === false) leavePullRequest(draft, pullRequest);
  else state.pullRequest = pullRequest;
}

/**
 * GitHub shows the issue as closed before a webhook reports it: queued runs are canceled now, the active one when the webhook
 * arrives.
 */
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

/**
 * Drops the pull request, which is merged or closed, and its branch: it waits for no review any more, and the next run starts a
 * new branch from the base branch.
 */
export function leavePullRequest({ state, effects }: Draft, { number }: PullRequestRef): void {
  effects.push({ kind: 'end_review', issue: state.issue, pullRequest: number });
  state.pullRequest = null;
  state.branch = Math.max(state.branch ?? 1, state.branches) + 1;
  state.branches = state.branch;
}

/**
 * Continues a pull request that was left as closed, and that GitHub shows as open: somebody has reopened it. One that holds a
 * stage of the issue comes before others.
 */
export function continueReopened({ state }: Draft, { candidates }: GitHubIssueState): void {
  if (state.pullRequest) return;
  const ofStages = new Set(Object.values(state.done ?? {}).map(({ pullRequest }) => pullRequest));
  const openOnes = candidates?.openOnes ?? [];
  const reopened = openOnes.find(({ number }) => ofStages.has(number)) ?? openOnes[0];
  if (!reopened) return;
  const { branch, branchPrefix, ...pullRequest } = reopened;
  state.pullRequest = pullRequest;
  state.branch = branch;
  usePrefix(state, branchPrefix);
}

/** Whether the issue is open. One that GitHub does not show any more, deleted or transferred, counts as closed. */
export function* askOpenness({ state }: Draft): Deciding<{ readonly open: boolean; readonly gone: boolean }> {
  const answer = yield* ask({ kind: 'issue', issue: state.issue, label: '' });
  return 'value' in answer ? { open: answer.value.open, gone: false } : { open: false, gone: true };
}

/** Why a review does not count any more; undefined when it does, or after an error of GitHub. */
export function* askStaleness({ state }: Draft, pullRequest: number, review: number): Deciding<string | undefined> {
  const shown = yield* askLeniently({ kind: 'review', issue: state.issue, pullRequest, review });
  return shown && whyReviewIsStale(shown);
}
