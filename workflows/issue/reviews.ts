/** A review that requests changes is a revise (requirements.md 2.3), and one that is refused is answered. */
import type { Fact } from '../../src/domain/issue/facts.ts';
import { decideRevise } from '../../src/domain/issue/issue-life.ts';
import { nthBranch } from '../../src/domain/issue/names.ts';
import { readTrigger } from '../activities.ts';
import { leftOut } from './projection.ts';
import type { IssueInHand } from './context.ts';
import { startOrQueue } from './queue.ts';
import { isExplained, refuse } from './refusals.ts';
import { staleness, takeIn, takeOpenness } from './github-state.ts';

/** A review is acted on when GitHub says that it still asks for changes (reliability.md T19). */
export async function changesRequested(
  here: IssueInHand,
  fact: Extract<Fact, { kind: 'changes_requested' }>,
): Promise<void> {
  const { issue, state, show } = here;
  const first = decideRevise(state, fact, []);
  const about = { by: fact.by.login, correlationId: fact.delivery };
  const matters = 'planned' in first || isExplained(first.reason);
  const [stale, read] = matters
    ? await Promise.all([
        staleness(here, fact.pullRequest, fact.review),
        readTrigger({ issue, label: '', facts: [], branches: state.branch ?? 1 }).catch(leftOut),
      ])
    : [];
  if (read) {
    await takeIn(here, read.truth);
    await takeOpenness(here, read.truth.open);
  }
  const settings = read?.settings;
  const decision = read ? decideRevise(state, fact, read.truth.labels) : first;
  if (stale !== undefined)
    return show([{ type: 'review.stale', payload: { review: fact.review, reason: stale }, ...about }]);
  if ('reason' in decision) {
    const { reason } = decision;
    if (isExplained(reason)) {
      state.takenReviews = [...state.takenReviews, fact.review].slice(-200);
      await refuse(here, fact.by.login, reason, decision.labels ?? [], `review-${fact.review}`, fact.pullRequest);
    }
    const type = reason === 'review_outdated' ? 'review.stale' : 'run.not_started';
    return show([{ type, payload: { review: fact.review, reason }, ...about }]);
  }
  if (!state.pullRequest) {
    // It is open, as GitHub said just now: it may have been closed and opened again, and its branch is gone on with.
    state.pullRequest = { number: fact.pullRequest, url: fact.pullRequestUrl };
    state.branch = nthBranch(fact.branch);
  }
  state.takenReviews = [...state.takenReviews, fact.review].slice(-200);
  await show([
    {
      type: 'run.revise.stage_resolved',
      payload: { stage: decision.planned.target.stage, source: decision.source },
      ...about,
    },
  ]);
  await startOrQueue(here, decision.planned, settings ?? null);
}

/** Somebody whom the platform knows is told why their review starts nothing, once, as with a label. */
export async function reviewRefused(here: IssueInHand, fact: Extract<Fact, { kind: 'review_refused' }>): Promise<void> {
  const { state, show } = here;
  const { review, reason, by, delivery } = fact;
  if (state.takenReviews.includes(review)) return;
  state.takenReviews = [...state.takenReviews, review].slice(-200);
  await refuse(here, by.login, reason, [], `review-${review}`, fact.pullRequest);
  await show([{ type: 'run.not_started', payload: { review, reason }, by: by.login, correlationId: delivery }]);
}
