/** Pull requests: found by their branch before one is opened; reviews and the answers to them. */
import type { Octokit } from '@octokit/rest';
import type { IssueRef } from '../../domain/issue/facts.ts';
import type { GitHubComment, GitHubReviewComment } from '../../domain/agent/snapshot.ts';
import type { PullRequestText } from '../../domain/messages/pull-request.ts';
import { isEmptyRepository, isNotFound } from './client.ts';
import { outgoing } from './outgoing.ts';
import { commentOf } from './issues.ts';

export function createPullRequests(octokit: Octokit) {
  const at = ({ owner, name }: IssueRef) => ({ owner, repo: name });

  async function findOpen(
    repository: IssueRef,
    head: string,
    body: string,
  ): Promise<{ number: number; url: string; created: boolean } | undefined> {
    const { data } = await octokit.rest.pulls.list({
      ...at(repository),
      state: 'open',
      head: `${repository.owner}:${head}`,
      per_page: 10,
    });
    const found = data.find((pull) => pull.head.ref === head);
    return found && { number: found.number, url: found.html_url, created: sameText(found.body ?? '', outgoing(body)) };
  }

  async function reviewComments(repository: IssueRef, pullRequest: number) {
    return octokit.paginate(octokit.rest.pulls.listReviewComments, {
      ...at(repository),
      pull_number: pullRequest,
      per_page: 100,
    });
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

  /** What parts the second commit from the first; of the commits in between only one is read. */
  async function compared(repository: IssueRef, base: string, head: string) {
    const basehead = `${base}...${head}`;
    return octokit.rest.repos.compareCommitsWithBasehead({ ...at(repository), basehead, per_page: 1 });
  }

  return {
    /** `created` also when an earlier attempt of this very call did, whose answer was lost: its text is the same. */
    async openPullRequest(
      repository: IssueRef,
      { head, base }: { head: string; base: string },
      { title, body }: PullRequestText,
    ) {
      const present = await findOpen(repository, head, body);
      if (present) return present;
      try {
        const { data } = await octokit.rest.pulls.create({ ...at(repository), head, base, title, body });
        return { number: data.number, url: data.html_url, created: true };
      } catch (error) {
        const rejected = (error as { status?: number }).status === 422;
        const meanwhile = rejected ? await findOpen(repository, head, body) : undefined;
        if (!meanwhile) throw error;
        return meanwhile;
      }
    },

    /** The newest request for changes of each reviewer, and the comments that nobody of ours has answered. */
    async readReviews(repository: IssueRef, pullRequest: number) {
      const pull = { ...at(repository), pull_number: pullRequest };
      const [{ data: self }, reviews, comments] = await Promise.all([
        octokit.rest.pulls.get(pull),
        octokit.paginate(octokit.rest.pulls.listReviews, { ...pull, per_page: 100 }),
        reviewComments(repository, pullRequest),
      ]);
      const ours = self.user?.id;
      const newest = new Map<number, GitHubComment>();
      for (const { state, submitted_at: submittedAt, ...review } of reviews) {
        const reviewer = review.user?.id ?? 0;
        // GitHub does not say when a review's own text was edited.
        if (state === 'CHANGES_REQUESTED')
          newest.set(reviewer, commentOf({ ...review, created_at: submittedAt ?? '' }));
        if (state === 'APPROVED' || state === 'DISMISSED') newest.delete(reviewer);
      }
      const answered = new Set(
        comments.filter(({ user }) => user?.id === ours).map(({ in_reply_to_id: parent }) => parent),
      );
      const openComments: GitHubReviewComment[] = comments
        .filter((comment) => comment.in_reply_to_id === undefined || comment.in_reply_to_id === null)
        .filter((comment) => comment.user?.type === 'User' && !answered.has(comment.id))
        .map(({ path, line, original_line: originalLine, ...comment }) => ({
          ...commentOf(comment),
          path,
          line: line ?? originalLine ?? null,
        }));
      return { reviews: [...newest.values()], openComments };
    },

    /** The paths that differ between where two commits part and the second; not all of them where GitHub cuts its list. */
    async changedFiles(
      repository: IssueRef,
      base: string,
      head: string,
    ): Promise<{ readonly paths: readonly string[]; readonly added: readonly string[]; readonly all: boolean }> {
      const { data } = await compared(repository, base, head);
      const files = data.files ?? [];
      const paths = files.flatMap(({ filename, previous_filename: before }) =>
        before ? [filename, before] : [filename],
      );
      const added = files.filter(({ status }) => status === 'added').map(({ filename }) => filename);
      return { paths, added, all: files.length < COMPARED_FILES };
    },

    /** The commit at the head of a branch; null when there is no such branch, or no commit at all. */
    async readBranchHead(repository: IssueRef, branch: string): Promise<string | null> {
      try {
        const { data } = await octokit.rest.git.getRef({ ...at(repository), ref: `heads/${branch}` });
        return data.object.sha;
      } catch (error) {
        if (isNotFound(error) || isEmptyRepository(error)) return null;
        throw error;
      }
    },

    /** The commit where `head` parts from `base`; null when they have none in common, or one of them is gone. */
    async readMergeBase(repository: IssueRef, base: string, head: string): Promise<string | null> {
      try {
        const { data } = await compared(repository, base, head);
        return data.merge_base_commit.sha;
      } catch (error) {
        if (isNotFound(error) || isEmptyRepository(error)) return null;
        throw error;
      }
    },

    /** The pull requests that came from these branches of the repository itself, newest last. */
    async findPullRequests(
      repository: IssueRef,
      branches: readonly string[],
    ): Promise<{ readonly number: number; readonly open: boolean; readonly merged: boolean }[]> {
      const found = await Promise.all(
        branches.map((branch) =>
          octokit.rest.pulls.list({
            ...at(repository),
            state: 'all',
            head: `${repository.owner}:${branch}`,
            per_page: 100,
          }),
        ),
      );
      return found
        .flatMap(({ data }, index) => data.filter((pull) => pull.head.ref === branches[index]))
        .map((pull) => ({ number: pull.number, open: pull.state === 'open', merged: pull.merged_at !== null }))
        .toSorted((one, other) => one.number - other.number);
    },

    async answerComment(
      repository: IssueRef,
      pullRequest: number,
      commentId: number,
      { marker, body }: { marker: string; body: string },
    ): Promise<boolean> {
      const comments = await reviewComments(repository, pullRequest);
      if (comments.some((comment) => comment.body.startsWith(marker))) return true;
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

/** GitHub lists no more files of a comparison than this. */
const COMPARED_FILES = 300;

/** GitHub gives texts back with the line ends of the web. */
function sameText(one: string, other: string): boolean {
  const plain = (text: string): string => text.replaceAll('\r\n', '\n').trim();
  return plain(one) === plain(other);
}
