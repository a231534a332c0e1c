/**
 * What of a pull request's reviews, threads and conversation an agent is given. Times are compared with GitHub's times only. Pure.
 */
import type { GitHubComment } from './snapshot.ts';

export type ReviewState = 'changes_requested' | 'approved' | 'dismissed' | 'commented';

/** A submitted review with its own text; `at`: when it was submitted. */
export interface GitHubReview extends GitHubComment {
  readonly state: ReviewState;
}

/** Where a thread is in the pull request's diff. */
export interface ThreadPlace {
  readonly path: string;
  /** The last line; null for a comment on the whole file. */
  readonly line: number | null;
  /** The first line of a range. */
  readonly startLine: number | null;
  /** Whether the lines are numbered as in the file before the change: they were removed, or stand beside such. */
  readonly isRemoved: boolean;
  /** Whether the lines are those of an earlier commit. */
  readonly isOutdated: boolean;
}

interface GitHubThreadComment extends GitHubComment {
  /** Whether the platform wrote it. */
  readonly isOurs: boolean;
  /** The review that the comment was made with. */
  readonly review: number | null;
}

/** A thread on the pull request's files. */
export interface GitHubThread {
  /** GitHub's id of the comment that began it. */
  readonly id: number;
  readonly place: ThreadPlace;
  readonly isResolved: boolean;
  /** Oldest first. */
  readonly comments: readonly GitHubThreadComment[];
}

/** The review that asked for the run, by GitHub's id; undefined if a label did, or if GitHub does not show it any more. */
export function askingReview(reviews: readonly GitHubReview[], asked: number | undefined): GitHubReview | undefined {
  return reviews.find(({ id }) => id === asked);
}

/** The newest request for changes of each reviewer until then (milliseconds) that was neither dismissed nor followed by an approval. */
function standingRequests(reviews: readonly GitHubReview[], until: number): GitHubReview[] {
  const newest = new Map<number, GitHubReview>();
  for (const review of reviews.filter(({ at }) => Date.parse(at) <= until)) {
    if (review.state === 'changes_requested') newest.set(review.by.id, review);
    if (review.state === 'approved' || review.state === 'dismissed') newest.delete(review.by.id);
  }
  return [...newest.values()];
}

/**
 * The reviews that the agent has to address: the one that asked, whatever the clocks say; those that request changes; and what was said
 * in others since the last run, whose reviews are `seen`.
 */
export function reviewsToAddress(
  reviews: readonly GitHubReview[],
  {
    until,
    asked,
    seen,
  }: { readonly until: number; readonly asked: number | undefined; readonly seen: ReadonlySet<number> },
): GitHubReview[] {
  const standing = new Set(standingRequests(reviews, until).map(({ id }) => id));
  return reviews.filter(({ id, state, body, at }) => {
    if (id === asked || standing.has(id)) return true;
    const says = (state === 'commented' || state === 'approved') && body.trim() !== '';
    return says && Date.parse(at) <= until && !seen.has(id);
  });
}
