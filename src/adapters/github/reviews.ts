/** Reviews of a pull request, its threads, and the answers in them. */
import type { Octokit } from '@octokit/rest';
import type { IssueRef } from '../../domain/issue/facts.ts';
import type { GitHubReview, GitHubThread, ReviewState } from '../../domain/agent/reviews.ts';
import { isNotFound } from './client.ts';
import { commentOf } from './issues.ts';
import type { OwnAccount } from './own-account.ts';

/** GitHub's REST API does not say whether a thread is resolved. */
const THREADS = `query ($owner: String!, $name: String!, $number: Int!, $after: String) {
  repository(owner: $owner, name: $name) {
    pullRequest(number: $number) {
      reviewThreads(first: 100, after: $after) {
        nodes { isResolved comments(first: 1) { nodes { databaseId } } }
        pageInfo { hasNextPage endCursor }
      }
    }
  }
}`;

interface ThreadsAnswer {
  readonly repository: {
    readonly pullRequest: {
      readonly reviewThreads: {
        readonly nodes: readonly {
          readonly isResolved: boolean;
          readonly comments: { readonly nodes: readonly { readonly databaseId: number | null }[] };
        }[];
        readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string | null };
      };
    } | null;
  } | null;
}

const STATES: ReadonlySet<string> = new Set(['changes_requested', 'approved', 'dismissed', 'commented']);

export function createReviews(octokit: Octokit, own: OwnAccount) {
  const at = ({ owner, name }: IssueRef) => ({ owner, repo: name });

  async function reviewComments(repository: IssueRef, pullRequest: number) {
    return octokit.paginate(octokit.rest.pulls.listReviewComments, {
      ...at(repository),
      pull_number: pullRequest,
      per_page: 100,
    });
  }

  /** The first comments of resolved threads; none where the token may not ask for them. */
  async function resolvedThreads({ owner, name }: IssueRef, number: number): Promise<ReadonlySet<number>> {
    const resolved = new Set<number>();
    for (let after: string | null = null; ;) {
      const asked: Record<string, unknown> = { owner, name, number, after };
      const answer: ThreadsAnswer | undefined = await octokit
        .graphql<ThreadsAnswer>(THREADS, asked)
        .catch(unlessRefused);
      const threads = answer?.repository?.pullRequest?.reviewThreads;
      if (!threads) return resolved;
      for (const { isResolved, comments } of threads.nodes) {
        const first = comments.nodes[0]?.databaseId;
        if (isResolved && typeof first === 'number') resolved.add(first);
      }
      if (!threads.pageInfo.hasNextPage) return resolved;
      after = threads.pageInfo.endCursor;
    }
  }

  /** Another attempt, given up and still under way, may have answered too: the oldest answer stays. */
  async function keepOldestAnswer(
    repository: IssueRef,
    pullRequest: number,
    { marker, account }: { marker: string; account: number },
  ): Promise<void> {
    const ours = (await reviewComments(repository, pullRequest))
      .filter(({ body, user }) => body.startsWith(marker) && user?.id === account)
      .toSorted((one, other) => one.id - other.id);
    for (const { id } of ours.slice(1)) {
      await octokit.rest.pulls.deleteReviewComment({ ...at(repository), comment_id: id }).catch((error: unknown) => {
        if (!isNotFound(error)) throw error;
      });
    }
  }

  return {
    /** The reviews that were submitted, oldest first, and all threads on the pull request's files. Bots are left out. */
    async readReviews(
      repository: IssueRef,
      pullRequest: number,
    ): Promise<{ reviews: readonly GitHubReview[]; threads: readonly GitHubThread[] }> {
      const pull = { ...at(repository), pull_number: pullRequest };
      const [reviews, comments, resolved, { isOurs }] = await Promise.all([
        octokit.paginate(octokit.rest.pulls.listReviews, { ...pull, per_page: 100 }),
        reviewComments(repository, pullRequest),
        resolvedThreads(repository, pullRequest),
        own.ownWords(),
      ]);
      const threads = new Map<number, GitHubThread>();
      for (const comment of comments.toSorted((one, next) => one.id - next.id)) {
        const ours = isOurs(comment);
        if (!ours && comment.user?.type !== 'User') continue;
        const id = comment.in_reply_to_id ?? comment.id;
        const said = { ...commentOf(comment), isOurs: ours, review: comment.pull_request_review_id };
        const thread = threads.get(id) ?? { id, place: placeOf(comment), isResolved: resolved.has(id), comments: [] };
        threads.set(id, { ...thread, comments: [...thread.comments, said] });
      }
      return {
        reviews: reviews.flatMap(({ state, submitted_at: submittedAt, ...review }) => {
          const known = state.toLowerCase();
          // GitHub does not say when a review's own text was edited.
          return submittedAt !== undefined && isReviewState(known)
            ? [{ ...commentOf({ ...review, created_at: submittedAt }), state: known }]
            : [];
        }),
        threads: [...threads.values()],
      };
    },

    async answerComment(
      repository: IssueRef,
      pullRequest: number,
      commentId: number,
      { marker, body }: { marker: string; body: string },
    ): Promise<boolean> {
      const [comments, { isByUs }] = await Promise.all([reviewComments(repository, pullRequest), own.ownWords()]);
      if (comments.some((comment) => comment.body.startsWith(marker) && isByUs(comment.user))) return true;
      if (!comments.some((comment) => comment.id === commentId)) return false;
      try {
        const { data } = await octokit.rest.pulls.createReplyForReviewComment({
          ...at(repository),
          pull_number: pullRequest,
          comment_id: commentId,
          body,
        });
        await keepOldestAnswer(repository, pullRequest, { marker, account: data.user.id });
        return true;
      } catch (error) {
        if (isNotFound(error)) return false;
        throw error;
      }
    },
  };
}

/** Where a thread is. GitHub gives the lines of a diff that is outdated as they were. */
function placeOf(comment: {
  readonly path: string;
  readonly line?: number | null;
  readonly original_line?: number | null;
  readonly start_line?: number | null;
  readonly original_start_line?: number | null;
  readonly side?: string;
  readonly subject_type?: string;
}): GitHubThread['place'] {
  const { path, line, original_line: before, start_line: start, original_start_line: startBefore } = comment;
  if (comment.subject_type === 'file')
    return { path, line: null, startLine: null, isRemoved: false, isOutdated: false };
  const isOutdated = typeof line !== 'number' && typeof before === 'number';
  return {
    path,
    line: line ?? before ?? null,
    startLine: (isOutdated ? startBefore : start) ?? null,
    isRemoved: comment.side === 'LEFT',
    isOutdated,
  };
}

function isReviewState(state: string): state is ReviewState {
  return STATES.has(state);
}

/** GitHub answers a question that it does not allow with errors and 200. What may pass is thrown. */
function unlessRefused(error: unknown): undefined {
  const { name, status } = error as { readonly name?: string; readonly status?: number };
  if (name === 'GraphqlResponseError' || status === 403 || status === 404) return undefined;
  throw error;
}
