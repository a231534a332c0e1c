/**
 * One issue through every stage, from intake to ops, with reviews and a rethink between, on real Temporal, Postgres, git and
 * Codex with the scripted model; and beside it a reviewer, a conversation and work that is out of its scope.
 */
import { Client, Connection } from '@temporalio/client';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { RunView } from '../../ingress/api/views.ts';
import { bundleWorkflows, historyOf, replayHistories } from '../../src/cli/histories/replay.ts';
import { OWNER } from '../../src/embedded/accounts.ts';
import { closeScene, openScene, type Scene } from './support/scene.ts';
import { eventually } from '../support/stack.ts';

const REPO = 'journey';
const AT = { owner: OWNER, repo: REPO };

let scene: Scene;
let issue: number;
/** How many runs the issue has had. */
let had = 0;

beforeAll(async () => {
  scene = await openScene();
  await scene.bindRepository(REPO);
  issue = await scene.person.openIssue(REPO, { title: 'A service of its own', body: 'Please. [rethink: design]' });
});

afterAll(async () => closeScene(scene));

/** The next run of the issue, when it is over. */
async function next(): Promise<RunView> {
  had += 1;
  return scene.ended(REPO, issue, had - 1);
}

/** The labels are moved when the run is over. */
async function inReview(number: number): Promise<void> {
  await eventually(`#${number} is in review`, async () => {
    const labels = await scene.person.labels(REPO, number);
    return labels.join(' ') === 'state:in-review';
  });
}

async function says(number: number, text: string): Promise<void> {
  await eventually(`a comment says: ${text}`, async () =>
    (await scene.person.comments(REPO, number)).some((body) => body.includes(text)),
  );
}

async function does(stage: string): Promise<RunView> {
  await scene.person.label(REPO, issue, `run:${stage}`);
  const run = await next();
  expect(run).toMatchObject({ stage, kind: 'work', status: 'succeeded' });
  await inReview(issue);
  return run;
}

/** A review sends the newest work back. */
async function sendsBack(stage: string, pullRequest: number): Promise<void> {
  const path = `docs/delivery/issue-${issue}/${stage}.md`;
  await scene.person.requestChanges(REPO, pullRequest, {
    body: 'Not yet.',
    comments: [{ path, line: 1, body: 'Say for whom.' }],
  });
  expect(await next()).toMatchObject({ stage, kind: 'revise', status: 'succeeded' });
  expect((await scene.person.answers(REPO, pullRequest)).at(-1)?.answers).toHaveLength(1);
}

async function filesOf(pullRequest: number): Promise<string[]> {
  const { data } = await scene.person.octokit.rest.pulls.listFiles({ ...AT, pull_number: pullRequest, per_page: 100 });
  return data.map(({ filename }) => filename.replace(`docs/delivery/issue-${issue}/`, ''));
}

describe('an issue that becomes a service', () => {
  let documents: number;
  let late: number;

  test('cannot begin in the middle: the platform says with which label it can', async () => {
    await scene.person.label(REPO, issue, 'run:design');
    const comment = await eventually('the refusal', async () =>
      (await scene.person.comments(REPO, issue)).find((body) => body.includes('stage_entry_not_met')),
    );
    expect(comment).toContain('- `run:intake`');
    expect(await scene.runsOf(REPO, issue)).toEqual([]);
    await scene.person.octokit.rest.issues.removeLabel({ ...AT, issue_number: issue, name: 'run:design' });
  });

  test('goes from intake to plan, sent back once, in one pull request that closes nothing', async () => {
    const { pullRequest } = await does('intake');
    documents = pullRequest ?? 0;
    await sendsBack('intake', documents);
    for (const stage of ['vision', 'prd', 'arch', 'design', 'plan'])
      expect((await does(stage)).pullRequest).toBe(documents);
    const { body } = await scene.person.pullRequest(REPO, documents);
    expect(body).toContain(`Part of #${issue}`);
    expect((await filesOf(documents)).toSorted()).toEqual([
      'arch.md',
      'design.md',
      'intake.md',
      'plan.md',
      'prd.md',
      'vision.md',
    ]);
  });

  test('goes back to design by a rethink, and from there on again', async () => {
    await does('rethink');
    const { past } = (
      await scene.sql<{ past: { done: Record<string, unknown> } }[]>`
      select past from issues where number = ${issue}`
    )[0] ?? { past: { done: {} } };
    expect(Object.keys(past.done).toSorted()).toEqual(['arch', 'intake', 'prd', 'rethink', 'vision']);
    for (const stage of ['design', 'plan']) await does(stage);
  });

  test('is developed, audited and tested on the open pull request, and released', async () => {
    for (const stage of ['dev', 'doc-audit', 'qa', 'release']) expect((await does(stage)).pullRequest).toBe(documents);
  });

  test('looks after itself when it is merged: on a branch and in a pull request of its own', async () => {
    await scene.person.approveAndMerge(REPO, documents);
    await eventually('the merge is known', async () => (await scene.issueOf(REPO, issue))?.pullRequest === null);
    expect(await scene.person.isOpen(REPO, issue)).toBe(true);
    late = (await does('postdeploy')).pullRequest ?? 0;
    expect(late).not.toBe(documents);
    expect((await scene.person.pullRequest(REPO, late)).head.ref).toBe(`codex/issue-${issue}-2`);
    expect(await filesOf(late)).toEqual(['postdeploy.md']);
    await sendsBack('postdeploy', late);
    await does('ops');
  });

  test('is over when it is closed, and its workspace is gone', async () => {
    await scene.person.approveAndMerge(REPO, late);
    await scene.person.octokit.rest.issues.update({ ...AT, issue_number: issue, state: 'closed' });
    await eventually('the end of the issue', async () => {
      const shown = await scene.issueOf(REPO, issue);
      return shown?.state === 'closed' && shown.workspace === null;
    });
    const runs = await scene.runsOf(REPO, issue);
    expect(runs.filter(({ status }) => status !== 'succeeded')).toEqual([]);
    expect(runs).toHaveLength(had);
  });

  test('has a history that this build replays', async () => {
    const connection = await Connection.connect({ address: scene.stack.ready.temporalAddress });
    try {
      const client = new Client({ connection, namespace: 'codex-k8s' });
      const [run] = await scene.runsOf(REPO, issue);
      for await (const replayed of replayHistories(await bundleWorkflows(), historyOf(client, run?.issueKey ?? '')))
        expect(replayed).toMatchObject({ failure: null });
    } finally {
      await connection.close();
    }
  });
});

describe('beside it', () => {
  test('a reviewer reads a pull request, comments, and changes nothing', async () => {
    const other = await scene.person.openIssue(REPO, { title: 'A note', body: 'Please.' });
    await scene.person.label(REPO, other, 'run:dev');
    const { pullRequest } = await scene.ended(REPO, other);
    const before = (await scene.person.pullRequest(REPO, pullRequest ?? 0)).head.sha;
    await scene.person.label(REPO, pullRequest ?? 0, 'need:reviewer');
    expect(await scene.ended(REPO, other, 1)).toMatchObject({ kind: 'review', status: 'succeeded' });
    expect((await scene.person.pullRequest(REPO, pullRequest ?? 0)).head.sha).toBe(before);
    await says(pullRequest ?? 0, 'nothing was found that stands in the way');
    await inReview(pullRequest ?? 0);
  });

  test('people talk with an agent in comments: seen, answered, and nothing is committed', async () => {
    const talk = await scene.person.openIssue(REPO, { title: 'What would be best?', body: 'I wonder.' });
    await scene.person.label(REPO, talk, 'mode:discussion');
    expect(await scene.ended(REPO, talk)).toMatchObject({ kind: 'discussion', status: 'succeeded', pullRequest: null });
    const { data: said } = await scene.person.octokit.rest.issues.createComment({
      ...AT,
      issue_number: talk,
      body: 'And what about tabs?',
    });
    expect(await scene.ended(REPO, talk, 1)).toMatchObject({ kind: 'discussion', status: 'succeeded' });
    await says(talk, 'You said: And what about tabs?');
    await eventually('the thumbs-up', async () => {
      const { data } = await scene.person.octokit.rest.reactions.listForIssueComment({ ...AT, comment_id: said.id });
      return (
        data
          .map(({ content }) => content)
          .toSorted()
          .join(' ') === '+1 eyes'
      );
    });
    expect(await scene.pullRequestsOf(REPO, talk)).toEqual([]);
    await scene.expectLabels(REPO, talk, ['mode:discussion']);
  });

  test('two models are nobody to work with: the run says so, and no agent is started', async () => {
    const torn = await scene.person.openIssue(REPO, { title: 'Torn', body: '' });
    for (const label of ['[ai-model-gpt-5.4]', '[ai-model-gpt-5.5]', 'run:dev'])
      await scene.person.label(REPO, torn, label);
    expect(await scene.ended(REPO, torn)).toMatchObject({ status: 'failed', failure: 'failed_precondition' });
    await says(torn, '[ai-model-gpt-5.4], [ai-model-gpt-5.5]');
  });

  test('T14: two trigger labels leave a question, which the next good label answers', async () => {
    const unclear = await scene.person.openIssue(REPO, { title: 'Unclear', body: '' });
    await scene.person.octokit.rest.issues.addLabels({ ...AT, issue_number: unclear, labels: ['run:dev', 'run:qa'] });
    await eventually('the question', async () => (await scene.person.labels(REPO, unclear)).includes('need:input'));
    expect(await scene.runsOf(REPO, unclear)).toEqual([]);
    for (const name of ['run:dev', 'run:qa'])
      await scene.person.octokit.rest.issues.removeLabel({ ...AT, issue_number: unclear, name });
    await scene.person.label(REPO, unclear, 'run:dev');
    expect(await scene.ended(REPO, unclear)).toMatchObject({ status: 'succeeded' });
    await inReview(unclear);
  });
});
