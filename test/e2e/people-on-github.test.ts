/** What people do on GitHub to issues, labels, pull requests and repositories, on the running stack. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { OWNER } from '../../src/embedded/accounts.ts';
import { noopAgentCommand } from '../support/noop-agent.ts';
import { eventually } from '../support/stack.ts';
import { closeScene, openScene, type Scene } from './support/scene.ts';

const REPO = 'people';
const AT = { owner: OWNER, repo: REPO };

let scene: Scene;

beforeAll(async () => {
  scene = await openScene({ CODEXK8S_AGENT_COMMAND: noopAgentCommand() });
  await scene.bindRepository(REPO);
});

afterAll(async () => {
  await closeScene(scene);
});

/** An issue whose work waits for a review. */
async function inReview(title: string): Promise<{ issue: number; pull: number }> {
  const issue = await scene.person.openIssue(REPO, { title, body: 'Please.' });
  await scene.person.label(REPO, issue, 'run:dev');
  const { pullRequest } = await scene.ended(REPO, issue);
  const pull = pullRequest ?? 0;
  await scene.expectLabels(REPO, issue, ['state:in-review']);
  return { issue, pull };
}

describe('A3: state:in-review leaves the issue and the pull request', () => {
  test('when the pull request is merged, which closes the issue', async () => {
    const { issue, pull } = await inReview('Merged');
    await scene.person.approveAndMerge(REPO, pull);
    await scene.expectLabels(REPO, issue, []);
    await scene.expectLabels(REPO, pull, []);
  });

  test('when the pull request is retargeted and then merged, which does not close the issue', async () => {
    const { issue, pull } = await inReview('Retargeted');
    const { data } = await scene.person.octokit.rest.repos.getBranch({ ...AT, branch: 'main' });
    await scene.person.octokit.rest.git.createRef({ ...AT, ref: 'refs/heads/release', sha: data.commit.sha });
    await scene.person.octokit.rest.pulls.update({ ...AT, pull_number: pull, base: 'release' });
    await scene.person.approveAndMerge(REPO, pull);
    await scene.expectLabels(REPO, issue, []);
    await scene.expectLabels(REPO, pull, []);
  });

  test('when the pull request is closed without a merge', async () => {
    const { issue, pull } = await inReview('Closed');
    await scene.person.octokit.rest.pulls.update({ ...AT, pull_number: pull, state: 'closed' });
    await scene.expectLabels(REPO, issue, []);
    await scene.expectLabels(REPO, pull, []);
  });
});

describe('B9: a pull request that somebody closes and reopens', () => {
  test('is revised by the label, on its own branch', async () => {
    const { issue, pull } = await inReview('Reopened');
    await scene.person.octokit.rest.pulls.update({ ...AT, pull_number: pull, state: 'closed' });
    await scene.expectLabels(REPO, issue, []);
    await scene.person.octokit.rest.pulls.update({ ...AT, pull_number: pull, state: 'open' });
    await scene.person.label(REPO, issue, 'run:dev:revise');
    const revise = await scene.ended(REPO, issue, 1);
    expect(revise).toMatchObject({ pullRequest: pull, branch: `codex/issue-${issue}` });
    expect(await scene.pullRequestsOf(REPO, issue)).toHaveLength(1);
  });
});

describe('A6: two trigger labels that are put on in one call', () => {
  test('are explained in one comment, and start nothing', async () => {
    const issue = await scene.person.openIssue(REPO, { title: 'Two at once', body: 'Please.' });
    const labels = ['run:dev', 'run:qa'];
    await scene.person.octokit.rest.issues.addLabels({ ...AT, issue_number: issue, labels });
    const [{ id } = { id: 0 }] = await scene.sql`select id from repositories where name = ${REPO}`;
    await eventually('both are decided', async () => {
      const events = await scene.sql`
        select id from flow_events where chain = ${`issue:${id}#${issue}`} and type = 'run.not_started'`;
      return events.length === 2;
    });
    await scene.expectLabels(REPO, issue, [...labels, 'need:input']);
    const comments = await scene.commentsOn(REPO, issue);
    expect(comments.map(({ body }) => labels.every((label) => body.includes(label)))).toEqual([true]);
    expect(await scene.runsOf(REPO, issue)).toEqual([]);
  });
});

describe('B7, B8: a repository that is bound while it is empty', () => {
  const EMPTY = { owner: OWNER, repo: 'empty' };

  test('fails a run at once, says what to push, and works from whatever default branch is pushed then', async () => {
    await scene.person.octokit.rest.repos.createForAuthenticatedUser({ name: EMPTY.repo });
    await scene.platform.bindRepository({ fullName: `${OWNER}/${EMPTY.repo}` });
    const issue = await scene.person.openIssue(EMPTY.repo, { title: 'Too early', body: 'Please.' });
    await scene.person.label(EMPTY.repo, issue, 'run:dev');
    const early = await scene.ended(EMPTY.repo, issue);
    expect(early).toMatchObject({ status: 'failed', failure: 'repository_empty' });
    expect(early.detail).toContain('push a first commit');
    await scene.expectLabels(EMPTY.repo, issue, []);

    await scene.person.octokit.rest.repos.createOrUpdateFileContents({
      ...EMPTY,
      path: 'README.md',
      message: 'First version',
      content: Buffer.from('# Now\n').toString('base64'),
      branch: 'trunk',
    });
    await scene.person.octokit.rest.repos.update({ ...EMPTY, default_branch: 'trunk' });
    await scene.person.label(EMPTY.repo, issue, 'run:dev');
    const run = await scene.ended(EMPTY.repo, issue, 1);
    expect(run).toMatchObject({ status: 'succeeded' });
    const { data } = await scene.person.octokit.rest.pulls.get({ ...EMPTY, pull_number: run.pullRequest ?? 0 });
    expect(data.base.ref).toBe('trunk');
  });
});
