/** GitHub, as the activities need it. */
import { createOctokit } from './client.ts';
import { createIssues } from './issues.ts';
import { createPullRequests } from './pull-requests.ts';
import { createRepositories } from './repositories.ts';

export function createGitHub(options: { apiUrl: string; token: string }) {
  const octokit = createOctokit(options);
  return { ...createIssues(octokit), ...createPullRequests(octokit), ...createRepositories(octokit) };
}
