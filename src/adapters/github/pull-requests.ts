/** Pull requests: found by their branch before one is opened; reviews and the answers to them. */
import type { Octokit } from '@octokit/rest';
import type { IssueRef } from '../../domain/facts.ts';
import type { OpenComment } from '../../domain/prompts.ts';
import type { PullRequestText } from '../../domain/pull-request.ts';
import { isNotFound } from './client.ts';

export function createPullRequests(octokit: Octokit) {
  const at = ({ owner, name }: IssueRef) => ({ owner, repo: name });

  async function findOpen(repository: IssueRef, head: string): Promise<{ number: number; url: string } | undefined> {
    const { data } = await octokit.rest.pulls.list({
      ...at(repository),
      state: 'open',
      head: `${repository.owner}:${head}`,
      per_page: 10,
    });
    const found = data.find((pull) => pull.head.ref === head);
    return found && { number: found.number, url: found.html_url };
  }

  async function reviewComments(repository: IssueRef, pullRequest: number) {
    return octokit.paginate(octokit.rest.pulls.listReviewComments, {
      ...at(repository),
      pull_number: pullRequest,
      per_page: 100,
    });
  }

  return {
    async openPullRequest(
      repository: IssueRef,
      { head, base }: { head: string; base: string },
      { title, body }: PullRequestText,
    ) {
      const present = await findOpen(repository, head);
      if (present) return { ...present, created: false };
      try {
        const { data } = await octokit.rest.pulls.create({ ...at(repository), head, base, title, body });
        return { number: data.number, url: data.html_url, created: true };
      } catch (error) {
        const meanwhile = (error as { status?: number }).status === 422 ? await findOpen(repository, head) : undefined;
        if (!meanwhile) throw error;
        return { ...meanwhile, created: false };
      }
    },

    /** The newest request for changes of each reviewer, and the comments that nobody of ours has answered. */
    async readReviews(repository: IssueRef, pullRequest: number) {
      const { data: self } = await octokit.rest.pulls.get({ ...at(repository), pull_number: pullRequest });
      const ours = self.user?.id;
      const reviews = await octokit.paginate(octokit.rest.pulls.listReviews, {
        ...at(repository),
        pull_number: pullRequest,
        per_page: 100,
      });
      const newest = new Map<string, { id: number; by: string; body: string }>();
      for (const { id, user, state, body } of reviews) {
        const by = user?.login ?? 'ghost';
        if (state === 'CHANGES_REQUESTED') newest.set(by, { id, by, body: body ?? '' });
        if (state === 'APPROVED' || state === 'DISMISSED') newest.delete(by);
      }
      const comments = await reviewComments(repository, pullRequest);
      const answered = new Set(
        comments.filter(({ user }) => user?.id === ours).map(({ in_reply_to_id: parent }) => parent),
      );
      const openComments: OpenComment[] = comments
        .filter((comment) => comment.in_reply_to_id === undefined || comment.in_reply_to_id === null)
        .filter((comment) => comment.user?.type === 'User' && !answered.has(comment.id))
        .map(({ id, user, path, line, original_line: originalLine, body }) => ({
          id,
          by: user.login,
          path,
          line: line ?? originalLine ?? null,
          body,
        }));
      return { reviews: [...newest.values()], openComments };
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
        await octokit.rest.pulls.createReplyForReviewComment({
          ...at(repository),
          pull_number: pullRequest,
          comment_id: commentId,
          body,
        });
        return true;
      } catch (error) {
        if (isNotFound(error)) return false;
        throw error;
      }
    },
  };
}
