/** Many issues that wait for a review, as after a run that opened a pull request. */
import type { Client } from '@temporalio/client';
import { Octokit } from '@octokit/rest';
import pLimit from 'p-limit';
import { OWNER } from '../../src/embedded/accounts.ts';
import { issueKey, type IssueRef } from '../../src/domain/issue/facts.ts';
import { newIssueState, type IssueState } from '../../src/domain/issue/state.ts';
import { workspaceName } from '../../src/domain/issue/names.ts';
import type { BoundRepository, Scene } from '../../test/e2e/support/scene.ts';
import { eventually } from '../../test/support/stack.ts';
import { searchAttributes, TASK_QUEUE } from '../../workflows/messages.ts';
import type { issueWorkflow } from '../../workflows/issue/workflow.ts';
import { ENDS_AT_ONCE } from './marks.ts';

export interface WaitingIssue extends IssueRef {
  readonly title: string;
  readonly url: string;
  readonly pullRequest: { readonly number: number; readonly url: string };
}

/** Creating a pull request in the GitHub emulator is slow, so many issues share one. */
const ISSUES_OF_A_PULL_REQUEST = 20;
const AT_ONCE = 16;

/** Opens issues in the GitHub emulator, and pull requests of the platform for them. */
export async function openIssues(scene: Scene, repository: BoundRepository, count: number): Promise<WaitingIssue[]> {
  const { stack, person } = scene;
  const at = { owner: OWNER, repo: repository.name };
  const bot = new Octokit({ baseUrl: stack.ready.githubUrl, auth: stack.secret('github-bot-token') });
  const limit = pLimit(AT_ONCE);
  const pulls = await limit.map(range(Math.ceil(count / ISSUES_OF_A_PULL_REQUEST)), async (index) => {
    const head = `waiting-${index}`;
    await addBranch(person.octokit, at, head);
    const { data } = await bot.rest.pulls.create({ ...at, head, base: 'main', title: head, body: '' });
    return { number: data.number, url: data.html_url };
  });
  return limit.map(range(count), async (index) => {
    const title = `Waits for a review ${index}`;
    const { data } = await person.octokit.rest.issues.create({ ...at, title, body: ENDS_AT_ONCE });
    const pullRequest = pulls[Math.floor(index / ISSUES_OF_A_PULL_REQUEST)];
    if (!pullRequest) throw new Error('there are too few pull requests');
    return {
      repositoryId: repository.id,
      owner: OWNER,
      name: repository.name,
      number: data.number,
      title,
      url: data.html_url,
      pullRequest,
    };
  });
}

/** The numbers from 0, so many. */
function range(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index);
}

/** Adds a branch with one commit, without a clone. */
async function addBranch(octokit: Octokit, at: { owner: string; repo: string }, name: string): Promise<void> {
  const { data: main } = await octokit.rest.git.getRef({ ...at, ref: 'heads/main' });
  await octokit.rest.git.createRef({ ...at, ref: `refs/heads/${name}`, sha: main.object.sha });
  await octokit.rest.repos.createOrUpdateFileContents({
    ...at,
    path: `${name}.md`,
    message: name,
    content: Buffer.from(name).toString('base64'),
    branch: name,
  });
}

/** Starts their workflows in the state that a first run leaves behind, as continue-as-new would. */
export async function startWaiting(client: Client, issues: readonly WaitingIssue[]): Promise<void> {
  await pLimit(AT_ONCE).map(issues, async (issue) => {
    const { title, url, pullRequest: _, ...ref } = issue;
    await client.workflow.start<typeof issueWorkflow>('issueWorkflow', {
      workflowId: issueKey(issue),
      taskQueue: TASK_QUEUE,
      args: [{ issue: ref, title, url, state: stateOf(issue) }],
      typedSearchAttributes: [
        { key: searchAttributes.repository, value: `${issue.owner}/${issue.name}` },
        { key: searchAttributes.issue, value: issue.number },
        { key: searchAttributes.waitingFor, value: 'review' },
      ],
    });
  });
}

function stateOf(issue: WaitingIssue): IssueState {
  const { title, url, pullRequest, ...ref } = issue;
  const now = Date.now();
  return {
    ...newIssueState(ref, title, url, new Date(now).toISOString()),
    pullRequest,
    last: { runId: '00000000-0000-4000-8000-000000000000', stage: 'dev', threadId: 'none' },
    workspace: {
      name: workspaceName('default', issue),
      until: new Date(now + 24 * 3_600_000).toISOString(),
      hours: 24,
      leased: false,
    },
  };
}

/** Waits until each of their workflows has come to rest: with the timer of its workspace's lease. */
export async function untilWaiting(client: Client, issues: readonly WaitingIssue[]): Promise<void> {
  await pLimit(AT_ONCE).map(issues, async (issue) => {
    const handle = client.workflow.getHandle(issueKey(issue));
    await eventually('an issue waits', async () => (await handle.describe()).historyLength >= AT_REST, 120_000);
  });
}

/** Started; task scheduled, started, completed; timer started. */
const AT_REST = 5;
