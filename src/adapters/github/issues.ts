/** Issues: reactions, labels with their events, comments found by a marker. */
import type { Octokit } from '@octokit/rest';
import type { IssueRef } from '../../domain/facts.ts';
import type { LabelTruth } from '../../domain/issue-life.ts';
import { isNotFound } from './client.ts';

export function createIssues(octokit: Octokit) {
  const at = ({ owner, name, number }: IssueRef) => ({ owner, repo: name, issue_number: number });

  let self: Promise<number | undefined> | undefined;

  /** The account of the platform's token; undefined for a token that stands for no account. */
  function ownId(): Promise<number | undefined> {
    self ??= octokit.rest.users.getAuthenticated().then(
      ({ data }) => data.id,
      (error: unknown) => {
        self = undefined;
        const { status } = error as { status?: number };
        if (status === 401 || status === 403 || status === 404) return undefined;
        throw error;
      },
    );
    return self;
  }

  async function findComment(
    issue: IssueRef,
    marker: string,
  ): Promise<{ id: number; url: string; body: string } | undefined> {
    const own = await ownId();
    for await (const { data } of octokit.paginate.iterator(octokit.rest.issues.listComments, {
      ...at(issue),
      per_page: 100,
    })) {
      const found = data.find(({ body, user }) => body?.startsWith(marker) && (own === undefined || user?.id === own));
      if (found) return { id: found.id, url: found.html_url, body: found.body ?? '' };
    }
    return undefined;
  }

  return {
    async react(issue: IssueRef, content: 'eyes'): Promise<void> {
      await octokit.rest.reactions.createForIssue({ ...at(issue), content });
    },

    /** GitHub has no reactions on reviews: the review's first comment takes it, else the pull request. */
    async reactToReview(issue: IssueRef, pullRequest: number, review: number): Promise<void> {
      const repository = { owner: issue.owner, repo: issue.name };
      const { data } = await octokit.rest.pulls.listCommentsForReview({
        ...repository,
        pull_number: pullRequest,
        review_id: review,
        per_page: 1,
      });
      const [first] = data;
      if (first)
        await octokit.rest.reactions.createForPullRequestReviewComment({
          ...repository,
          comment_id: first.id,
          content: 'eyes',
        });
      else await octokit.rest.reactions.createForIssue({ ...repository, issue_number: pullRequest, content: 'eyes' });
    },

    /** The issue's state and labels, and the `labeled` events of a label since the issue was last closed or reopened. */
    async readLabels(issue: IssueRef, label: string): Promise<LabelTruth> {
      const { data } = await octokit.rest.issues.get(at(issue));
      const events = await octokit.paginate(octokit.rest.issues.listEvents, { ...at(issue), per_page: 100 });
      const lastTurn = Math.max(
        0,
        ...events.flatMap(({ event, id }) => (event === 'closed' || event === 'reopened' ? [id] : [])),
      );
      const changes = events
        .filter(({ event, id }) => (event === 'labeled' || event === 'unlabeled') && id > lastTurn)
        .map(({ id, event, actor, created_at: createdAt, ...rest }) => ({
          id,
          event,
          by: actor?.id ?? 0,
          createdAt,
          label: labelName(rest),
        }))
        .filter((change) => change.label === label)
        .toSorted((a, b) => a.id - b.id);
      const labeled = changes.filter(({ event }) => event === 'labeled');
      const self = await ownId();
      const clearedByPlatform = (after: number): boolean => {
        const next = changes.find(({ id }) => id > after);
        return next?.event === 'unlabeled' && next.by === self;
      };
      return {
        open: data.state === 'open',
        title: data.title,
        labels: data.labels.map((entry) => (typeof entry === 'string' ? entry : (entry.name ?? ''))),
        labeled: labeled.map(({ id, by, createdAt }) => ({
          id,
          by,
          at: createdAt,
          clearedByPlatform: clearedByPlatform(id),
        })),
      };
    },

    async readIssue(issue: IssueRef) {
      const { data } = await octokit.rest.issues.get(at(issue));
      const comments = await octokit.paginate(octokit.rest.issues.listComments, { ...at(issue), per_page: 100 });
      return {
        title: data.title,
        body: data.body ?? '',
        comments: comments
          .filter(({ user }) => user?.type === 'User')
          .map(({ user, body, created_at: createdAt }) => ({
            by: user?.login ?? 'ghost',
            body: body ?? '',
            at: createdAt,
          })),
      };
    },

    /** Found by id, then by marker; made anew when somebody deleted it. */
    async writeComment(
      issue: IssueRef,
      { marker, body, knownId }: { marker: string; body: string; knownId: number | null },
    ): Promise<{ id: number; url: string }> {
      const repository = { owner: issue.owner, repo: issue.name };
      if (knownId !== null) {
        try {
          const { data } = await octokit.rest.issues.updateComment({ ...repository, comment_id: knownId, body });
          return { id: data.id, url: data.html_url };
        } catch (error) {
          if (!isNotFound(error)) throw error;
        }
      }
      const present = await findComment(issue, marker);
      if (present?.body === body) return { id: present.id, url: present.url };
      const { data } = present
        ? await octokit.rest.issues.updateComment({ ...repository, comment_id: present.id, body })
        : await octokit.rest.issues.createComment({ ...at(issue), body });
      return { id: data.id, url: data.html_url };
    },

    async addLabel(repository: IssueRef, number: number, label: string): Promise<void> {
      await octokit.rest.issues.addLabels({ ...at(repository), issue_number: number, labels: [label] });
    },

    async removeLabel(repository: IssueRef, number: number, label: string): Promise<void> {
      await octokit.rest.issues
        .removeLabel({ ...at(repository), issue_number: number, name: label })
        .catch((error: unknown) => {
          if (!isNotFound(error)) throw error;
        });
    },
  };
}

function labelName(event: object): string {
  const { label } = event as { label?: { name?: string | null } };
  return (label?.name ?? '').trim().toLowerCase();
}
