/** GitHub, as the activities need it. */
import { createAgentReads } from './agent-reads.ts';
import { createOctokit, type ClientOptions } from './client.ts';
import { createConfirmations } from './confirmations.ts';
import { createDeliveries } from './deliveries.ts';
import { createEdits } from './edits.ts';
import { createEnvironmentSecrets } from './environment-secrets.ts';
import { createFiles } from './files.ts';
import { createHistory } from './history.ts';
import { createIssues } from './issues.ts';
import { outgoing } from './outgoing.ts';
import { createOwnAccount } from './own-account.ts';
import { createPullRequests } from './pull-requests.ts';
import { visibleText } from './visible.ts';
import { createRepositories } from './repositories.ts';
import { createReviews } from './reviews.ts';

export function createGitHub(options: ClientOptions) {
  const octokit = createOctokit(options);
  const own = createOwnAccount(octokit);
  return {
    outgoing,
    visibleText,
    ownLogin: own.login,
    ...createIssues(octokit, own),
    ...createPullRequests(octokit),
    ...createReviews(octokit, own),
    ...createAgentReads(octokit, own),
    ...createEdits(octokit),
    ...createFiles(octokit),
    ...createConfirmations(octokit),
    ...createRepositories(octokit),
    ...createDeliveries(octokit),
    ...createHistory(octokit),
    ...createEnvironmentSecrets(octokit),
  };
}
