/** Reads a pull request or review from GitHub before a webhook about it is applied. */
import type { Octokit } from '@octokit/rest';
import type { GitHubPullRequestState, GitHubRepositoryState, GitHubReviewState } from '../../domain/issue/reads.ts';
import type { IssueRef } from '../../domain/issue/facts.ts';
import { createConditionalReads } from './conditional-reads.ts';

/** A repository as GitHub shows it. */
interface ShownRepository extends GitHubRepositoryState {
  readonly owner: string;
  readonly name: string;
  readonly defaultBranch: string;
}

interface RepositoryData {
  readonly id: number;
  readonly archived?: boolean;
  readonly owner: { readonly login: string };
  readonly name: string;
  readonly default_branch: string;
}

export function createConfirmations(octokit: Octokit) {
  const repositories = createConditionalReads<ShownRepository & { readonly id: number }>(octokit);
  const at = ({ owner, name }: IssueRef) => ({ owner, repo: name });

  async function readPullRequest(repository: IssueRef, pullRequest: number): Promise<GitHubPullRequestState> {
    const { data } = await octokit.rest.pulls.get({ ...at(repository), pull_number: pullRequest });
    return { open: data.state === 'open', merged: data.merged };
  }

  /** When the issue was last closed or reopened, in milliseconds; 0 when it never was. */
  async function lastTurn(issue: IssueRef): Promise<number> {
    const events = await octokit.paginate(octokit.rest.issues.listEvents, {
      ...at(issue),
      issue_number: issue.number,
      per_page: 100,
    });
    const turns = events.filter(({ event }) => event === 'closed' || event === 'reopened');
    return Math.max(0, ...turns.map(({ created_at: createdAt }) => Date.parse(createdAt)));
  }

  return {
    readPullRequest,

    /** Reads a repository by a present or former name. Fails as one that is gone when the name is another repository's now. */
    async readRepository({
      repositoryId,
      owner,
      name,
    }: Pick<IssueRef, 'repositoryId' | 'owner' | 'name'>): Promise<ShownRepository> {
      const { id, ...shown } = await repositories.read('GET /repos/{owner}/{repo}', { owner, repo: name }, (data) => {
        const { archived = false, ...rest } = data as RepositoryData;
        return {
          id: rest.id,
          archived,
          owner: rest.owner.login,
          name: rest.name,
          defaultBranch: rest.default_branch,
        };
      });
      if (id !== repositoryId)
        throw Object.assign(new Error(`${owner}/${name} is another repository now`), { status: 410 });
      return shown;
    },

    async readReview(issue: IssueRef, pullRequest: number, review: number): Promise<GitHubReviewState> {
      const { open } = await readPullRequest(issue, pullRequest);
      const reviews = await octokit.paginate(octokit.rest.pulls.listReviews, {
        ...at(issue),
        pull_number: pullRequest,
        per_page: 100,
      });
      const found = reviews.find(({ id }) => id === review);
      const by = found?.user?.id;
      return {
        pullRequestOpen: open,
        state: found?.state.toLowerCase() ?? null,
        approvedSince: reviews.some(({ id, user, state }) => id > review && user?.id === by && state === 'APPROVED'),
        ofEarlierLife: Date.parse(found?.submitted_at ?? '') < (await lastTurn(issue)),
      };
    },
  };
}
