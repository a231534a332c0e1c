/** A review that requests changes starts a revise, or is refused. */
import type { Fact } from '../facts.ts';
import { nthBranch, ownPrefix } from '../names.ts';
import type { Answer, ReadValues } from '../reads.ts';
import { decideRevise } from '../revise.ts';
import { whyReviewIsStale } from '../confirmations.ts';
import { record, type Deciding, type Draft } from './draft.ts';
import { apply, applyOpenness } from './github-state.ts';
import { usePrefix } from '../state.ts';
import { startOrQueue } from './queue.ts';
import { isExplained, refuse } from './refusals.ts';

type ChangesRequested = Extract<Fact, { kind: 'changes_requested' }>;

/** Acts on a review if GitHub confirms that it still requests changes. */
export function* changesRequested(draft: Draft, fact: ChangesRequested): Deciding {
  const { state } = draft;
  const { pullRequest, review } = fact;
  const about = { actor: fact.by.login, correlationId: fact.delivery };
  const first = decideRevise(state, fact, []);
  const matters = 'planned' in first || isExplained(first.reason);
  const { stale, read } = matters ? yield* askAboutReview(draft, fact) : {};
  if (read) {
    yield* apply(draft, read.issue);
    yield* applyOpenness(draft, read.issue.open);
  }
  const decision = read ? decideRevise(state, fact, read.issue.labels) : first;
  if (stale !== undefined)
    return record(draft, [{ type: 'review.stale', payload: { review, reason: stale }, ...about }]);
  if ('reason' in decision) {
    const { reason, labels = [] } = decision;
    if (isExplained(reason)) {
      take(draft, review);
      yield* refuse(draft, { actor: fact.by.login, reason, labels, subject: `review-${review}`, pullRequest });
    }
    const type = reason === 'review_outdated' ? 'review.stale' : 'run.not_started';
    return record(draft, [{ type, payload: { review, reason }, ...about }]);
  }
  if (!state.pullRequest) {
    // GitHub has just confirmed that it is open: it may have been closed and reopened, and its branch is continued.
    state.pullRequest = { number: pullRequest, url: fact.pullRequestUrl };
    state.branch = nthBranch(fact.branch);
    usePrefix(state, ownPrefix(fact.branch));
  }
  take(draft, review);
  const payload = { stage: decision.planned.target.stage, source: decision.source };
  record(draft, [{ type: 'run.revise.stage_resolved', payload, ...about }]);
  yield* startOrQueue(draft, decision.planned);
}

/** Why the review does not count any more, and GitHub's state of the issue, where GitHub answers. */
function* askAboutReview(
  draft: Draft,
  { pullRequest, review }: ChangesRequested,
): Deciding<{ readonly stale?: string | undefined; readonly read?: ReadValues['trigger'] }> {
  const { issue, branch } = draft.state;
  const [shown, read] = (yield [
    { kind: 'review', issue, pullRequest, review },
    { kind: 'trigger', issue, label: '', facts: [], branches: branch ?? 1, people: [] },
  ]) as [Answer<ReadValues['review']>, Answer<ReadValues['trigger']>];
  const stale = 'value' in shown ? whyReviewIsStale(shown.value) : undefined;
  if ('failed' in read) return { stale };
  draft.settings ??= read.value.settings;
  return { stale, read: read.value };
}

/** Explains once to somebody whom the platform knows why their review starts nothing. */
export function* reviewRefused(draft: Draft, fact: Extract<Fact, { kind: 'review_refused' }>): Deciding {
  const { review, reason, by, delivery, pullRequest } = fact;
  if (draft.state.takenReviews.includes(review)) return;
  take(draft, review);
  yield* refuse(draft, { actor: by.login, reason, labels: [], subject: `review-${review}`, pullRequest });
  record(draft, [{ type: 'run.not_started', payload: { review, reason }, actor: by.login, correlationId: delivery }]);
}

/** The most reviews that are remembered, so that none is processed twice. */
const TAKEN = 200;

function take({ state }: Draft, review: number): void {
  state.takenReviews = [...state.takenReviews, review].slice(-TAKEN);
}
