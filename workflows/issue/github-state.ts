/** What GitHub and the read model say of the issue, taken in before anything is decided (reliability.md, finding 1). */
import { isCancellation } from '@temporalio/workflow';
import { whyReviewIsStale } from '../../src/domain/issue/confirmations.ts';
import type { IssuePast } from '../../src/domain/issue/gates.ts';
import type { LabelTruth } from '../../src/domain/issue/issue-life.ts';
import { NEED_INPUT, normalizeLabel } from '../../src/domain/stages/stages.ts';
import { readLabelTruth, readPullRequest, readReview } from '../activities.ts';
import { cancelById } from './canceling.ts';
import { leftOut } from './projection.ts';
import type { IssueInHand } from './context.ts';
import { letGoOfPullRequest } from './pull-request.ts';

/** What GitHub and the read model say before anything is decided: a question that somebody took off is none any more. */
export async function takeIn(here: IssueInHand, { labels, past }: LabelTruth): Promise<void> {
  const { state } = here;
  await rememberPast(here, past);
  if (!labels.some((label) => normalizeLabel(label) === NEED_INPUT)) state.asked = null;
}

/** An issue that was closed and lives again goes on with what it had done; its pull request may be merged meanwhile. */
async function rememberPast({ issue, state }: IssueInHand, past: IssuePast | null | undefined): Promise<void> {
  if (state.done !== null) return;
  state.done = past?.done ?? {};
  state.branch ??= past?.branch ?? 1;
  if (!past) return;
  state.last ??= past.last ?? null;
  state.asked ??= past.asked;
  state.takenEvents = { ...past.taken, ...state.takenEvents };
  state.refusedEvents = { ...past.refused, ...state.refusedEvents };
  const { pullRequest } = past;
  if (!pullRequest || state.pullRequest) return;
  const truth = await readPullRequest({ issue, pullRequest: pullRequest.number }).catch(leftOut);
  if (truth?.open === false) letGoOfPullRequest(state);
  else state.pullRequest = pullRequest;
}

/** GitHub says that the issue is closed before anybody told: what waits must not start. Who works is canceled when it is told. */
export async function takeOpenness(here: IssueInHand, open: boolean): Promise<void> {
  const { state } = here;
  state.closed = !open;
  if (open) {
    state.gone = null;
    return;
  }
  state.discussion = null;
  for (const { runId } of state.queue) await cancelById(here, runId, 'GitHub', 'the issue was closed');
}

/** Whether the issue is open. One that GitHub does not show any more, deleted or moved, is as good as closed. */
export async function readOpenness({ issue }: IssueInHand): Promise<{ open: boolean; gone: boolean }> {
  const truth = await readLabelTruth({ issue, label: '', facts: [] }).catch((error: unknown) => {
    if (isCancellation(error)) throw error;
    return undefined;
  });
  return { open: truth?.open ?? false, gone: truth === undefined };
}

/** Why a review does not count any more; undefined when it does, or when GitHub refuses to show it. */
export async function staleness(
  { issue }: IssueInHand,
  pullRequest: number,
  review: number,
): Promise<string | undefined> {
  const truth = await readReview({ issue, pullRequest, review }).catch(leftOut);
  return truth && whyReviewIsStale(truth);
}
