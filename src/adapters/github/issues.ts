/** Issues: reactions, labels with their events, comments found by a marker. */
import type { Octokit } from '@octokit/rest';
import type { Account, IssueRef } from '../../domain/issue/facts.ts';
import type { GitHubIssueState } from '../../domain/issue/reads.ts';
import type { GitHubComment } from '../../domain/agent/snapshot.ts';
import { isNotFound } from './client.ts';
import { outgoing } from './outgoing.ts';
import type { OwnAccount } from './own-account.ts';

export function createIssues(octokit: Octokit, own: OwnAccount) {
  const at = ({ owner, name, number }: IssueRef) => ({ owner, repo: name, issue_number: number });

  /**
   * GitHub answers for an issue that was transferred with the one that it has become, in another repository: that one is not ours
   * (docs/reliability.md T17). A repository that was renamed keeps its id and its numbers.
   */
  async function refuseMoved(
    { repositoryId, owner, name, number }: IssueRef,
    found: { readonly number: number; readonly repository_url?: string },
  ): Promise<void> {
    const [shownOwner, shownName] = found.repository_url?.split('/').slice(-2) ?? [owner, name];
    const isHere = `${shownOwner}/${shownName}`.toLowerCase() === `${owner}/${name}`.toLowerCase();
    if (found.number === number && (isHere || (await isRepository(repositoryId, shownOwner, shownName)))) return;
    throw Object.assign(new Error(`issue #${number} was transferred to another repository`), { status: 410 });
  }

  async function isRepository(id: number, owner = '', repo = ''): Promise<boolean> {
    const { data } = await octokit.rest.repos.get({ owner, repo });
    return data.id === id;
  }

  /** The comments that carry the marker, oldest first. */
  async function findComments(issue: IssueRef, marker: string): Promise<{ id: number; url: string; body: string }[]> {
    const { isByUs } = await own.ownWords();
    const comments = await octokit.paginate(octokit.rest.issues.listComments, { ...at(issue), per_page: 100 });
    return comments
      .filter(({ body, user }) => body?.startsWith(marker) && isByUs(user))
      .map(({ id, html_url: url, body }) => ({ id, url, body: body ?? '' }))
      .toSorted((one, other) => one.id - other.id);
  }

  /**
   * Makes a comment that was not there a moment ago, and looks again: another attempt, given up and still under way, may
   * have made it too. The oldest stays, whichever attempt looks last.
   */
  async function createComment(
    issue: IssueRef,
    { marker, body }: { marker: string; body: string },
  ): Promise<{ id: number; url: string }> {
    const { data } = await octokit.rest.issues.createComment({ ...at(issue), body });
    const created = { id: data.id, url: data.html_url };
    const [oldest, ...others] = await findComments(issue, marker);
    if (!oldest || (await own.id()) === undefined) return created;
    for (const { id } of others) {
      await octokit.rest.issues
        .deleteComment({ owner: issue.owner, repo: issue.name, comment_id: id })
        .catch(unlessGone);
    }
    return oldest;
  }

  return {
    async react(issue: IssueRef, content: 'eyes'): Promise<void> {
      await octokit.rest.reactions.createForIssue({ ...at(issue), content });
    },

    async reactToComment(issue: IssueRef, comment: number, content: 'eyes' | '+1' | 'confused'): Promise<void> {
      await octokit.rest.reactions.createForIssueComment({
        owner: issue.owner,
        repo: issue.name,
        comment_id: comment,
        content,
      });
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
    async readLabels(issue: IssueRef, label: string): Promise<GitHubIssueState> {
      // All at once: a person waits for the run that this holds up.
      const [{ data }, events, self] = await Promise.all([
        octokit.rest.issues.get(at(issue)),
        octokit.paginate(octokit.rest.issues.listEvents, { ...at(issue), per_page: 100 }),
        own.id(),
      ]);
      await refuseMoved(issue, data);
      const lastTurn = Math.max(
        0,
        ...events.flatMap(({ event, id }) => (event === 'closed' || event === 'reopened' ? [id] : [])),
      );
      const changes = events
        .filter(({ event, id }) => (event === 'labeled' || event === 'unlabeled') && id > lastTurn)
        .map(({ id, event, actor, created_at: createdAt, ...rest }) => ({
          id,
          event,
          by: { id: actor?.id ?? 0, login: actor?.login ?? 'ghost' },
          createdAt,
          label: labelName(rest),
        }))
        .filter((change) => change.label === label)
        .toSorted((a, b) => a.id - b.id);
      const labeled = changes.filter(({ event }) => event === 'labeled');
      const takenOffBy = (after: number): Account | null => {
        const next = changes.find(({ id }) => id > after);
        return next?.event === 'unlabeled' ? next.by : null;
      };
      return {
        open: data.state === 'open',
        title: data.title,
        labels: data.labels.map((entry) => (typeof entry === 'string' ? entry : (entry.name ?? ''))),
        labeled: labeled.map(({ id, by, createdAt }) => {
          const remover = takenOffBy(id);
          const clearedByPlatform = remover !== null && remover.id === self;
          return { id, account: by.id, at: createdAt, clearedByPlatform, takenOffBy: remover };
        }),
      };
    },

    async readIssue(issue: IssueRef) {
      const [{ data }, comments] = await Promise.all([
        octokit.rest.issues.get(at(issue)),
        octokit.paginate(octokit.rest.issues.listComments, { ...at(issue), per_page: 100 }),
      ]);
      await refuseMoved(issue, data);
      const { isOurs } = await own.ownWords();
      return {
        title: data.title,
        body: data.body ?? '',
        labels: data.labels.map((entry) => (typeof entry === 'string' ? entry : (entry.name ?? ''))),
        comments: comments.filter((comment) => comment.user?.type === 'User' && !isOurs(comment)).map(commentOf),
      };
    },

    /** The accounts that put labels on last, by label. `issue` may be a pull request. */
    async readLabelSetters(issue: IssueRef): Promise<Record<string, number>> {
      const events = await octokit.paginate(octokit.rest.issues.listEvents, { ...at(issue), per_page: 100 });
      const labeled = events.filter(({ event }) => event === 'labeled').toSorted((a, b) => a.id - b.id);
      return Object.fromEntries(labeled.map(({ actor, ...rest }) => [labelName(rest), actor?.id ?? 0]));
    },

    /** Found by id, then by marker; made anew when somebody deleted it. */
    async writeComment(
      issue: IssueRef,
      { marker, body: text, knownId }: { marker: string; body: string; knownId: number | null },
    ): Promise<{ id: number; url: string }> {
      const body = outgoing(text);
      const repository = { owner: issue.owner, repo: issue.name };
      if (knownId !== null) {
        try {
          const { data } = await octokit.rest.issues.updateComment({ ...repository, comment_id: knownId, body });
          return { id: data.id, url: data.html_url };
        } catch (error) {
          if (!isNotFound(error)) throw error;
        }
      }
      const [present] = await findComments(issue, marker);
      if (!present) return createComment(issue, { marker, body });
      if (present.body === body) return { id: present.id, url: present.url };
      const { data } = await octokit.rest.issues.updateComment({ ...repository, comment_id: present.id, body });
      return { id: data.id, url: data.html_url };
    },

    /** The text of a comment, or undefined when it is gone. */
    async readComment({ owner, name }: IssueRef, id: number): Promise<string | undefined> {
      try {
        const { data } = await octokit.rest.issues.getComment({ owner, repo: name, comment_id: id });
        return data.body ?? '';
      } catch (error) {
        if (isNotFound(error)) return undefined;
        throw error;
      }
    },

    async addLabel(repository: IssueRef, number: number, label: string): Promise<void> {
      await octokit.rest.issues.addLabels({ ...at(repository), issue_number: number, labels: [label] });
    },

    async removeLabel(repository: IssueRef, number: number, label: string): Promise<void> {
      await octokit.rest.issues.removeLabel({ ...at(repository), issue_number: number, name: label }).catch(unlessGone);
    },
  };
}

/** A comment by a person; when it was edited last, as far as GitHub says. */
export function commentOf(comment: {
  readonly id: number;
  readonly user?: { readonly id: number; readonly login: string } | null;
  readonly body?: string | null;
  readonly created_at: string;
  readonly updated_at?: string | null;
}): GitHubComment {
  return {
    id: comment.id,
    by: { id: comment.user?.id ?? 0, login: comment.user?.login ?? 'ghost' },
    body: comment.body ?? '',
    at: comment.created_at,
    editedAt: comment.updated_at ?? comment.created_at,
  };
}

function unlessGone(error: unknown): void {
  if (!isNotFound(error)) throw error;
}

function labelName(event: object): string {
  const { label } = event as { label?: { name?: string | null } };
  return (label?.name ?? '').trim().toLowerCase();
}
