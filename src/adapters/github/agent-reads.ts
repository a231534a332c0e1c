/** What agents read on GitHub through the platform's tools: one page at a time, as it is now. */
import type { Octokit } from '@octokit/rest';
import type { IssueRef } from '../../domain/issue/facts.ts';
import type { OwnAccount } from './own-account.ts';

interface Person {
  readonly id: number;
  readonly login: string;
}

export function createAgentReads(octokit: Octokit, own: OwnAccount) {
  const at = ({ owner, name }: IssueRef) => ({ owner, repo: name });

  return {
    /** An issue, or a pull request as an issue. */
    async readIssueForAgent(issue: IssueRef) {
      const { data } = await octokit.rest.issues.get({ ...at(issue), issue_number: issue.number });
      return {
        title: data.title,
        body: data.body ?? '',
        state: data.state,
        labels: data.labels.map((label) => (typeof label === 'string' ? label : (label.name ?? ''))),
        by: personOf(data.user),
        url: data.html_url,
        createdAt: data.created_at,
        updatedAt: data.updated_at,
      };
    },

    /** Oldest first; `isOurs`: the platform wrote it. */
    async listCommentsForAgent(issue: IssueRef, page: number, perPage: number) {
      const [{ data }, { isOurs }] = await Promise.all([
        octokit.rest.issues.listComments({ ...at(issue), issue_number: issue.number, page, per_page: perPage }),
        own.ownWords(),
      ]);
      const comments = data.map((comment) => ({
        id: comment.id,
        by: personOf(comment.user),
        body: comment.body ?? '',
        at: comment.created_at,
        editedAt: comment.updated_at,
        isOurs: isOurs(comment),
      }));
      return { comments, more: data.length === perPage };
    },

    async readPullRequestForAgent(repository: IssueRef, number: number) {
      const { data } = await octokit.rest.pulls.get({ ...at(repository), pull_number: number });
      return {
        number: data.number,
        title: data.title,
        body: data.body ?? '',
        state: data.merged ? 'merged' : data.state,
        isDraft: data.draft ?? false,
        isMergeable: data.mergeable,
        head: data.head.ref,
        base: data.base.ref,
        commits: data.commits,
        changedFiles: data.changed_files,
        by: personOf(data.user),
        url: data.html_url,
      };
    },
  };
}

function personOf(user: Person | null | undefined): Person {
  return { id: user?.id ?? 0, login: user?.login ?? 'ghost' };
}
