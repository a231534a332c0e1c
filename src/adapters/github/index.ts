/** GitHub, as the activities need it. */
import { createOctokit, type ClientOptions } from './client.ts';
import { createConfirmations } from './confirmations.ts';
import { createDeliveries } from './deliveries.ts';
import { createHistory } from './history.ts';
import { createIssues } from './issues.ts';
import { outgoing } from './outgoing.ts';
import { createPullRequests } from './pull-requests.ts';
import { createRepositories } from './repositories.ts';

export function createGitHub(options: ClientOptions) {
  const octokit = createOctokit(options);
  return {
    outgoing,
    ...createIssues(octokit),
    ...createPullRequests(octokit),
    ...createConfirmations(octokit),
    ...createRepositories(octokit),
    ...createDeliveries(octokit),
    ...createHistory(octokit),
  };
}
