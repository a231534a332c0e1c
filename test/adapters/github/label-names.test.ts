/** Labels on a GitHub where an installation calls some of them otherwise. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createOctokit } from '../../../src/adapters/github/client.ts';
import { createGitHub } from '../../../src/adapters/github/index.ts';
import type { IssueRef } from '../../../src/domain/issue/facts.ts';
import { CANONICAL_NAMES, labelNames, type LabelNames } from '../../../src/domain/stages/label-names.ts';
import { LABELS } from '../../../src/domain/stages/labels.ts';
import { startFaultyGitHub, type FaultyGitHub } from '../../support/github-faults.ts';
import { DEMO, openPull, startWithDemo, type Stage } from '../../emulators/github/emulator.ts';

const chosen = labelNames({ 'run:dev': 'agent:dev', 'state:in-review': 'look at me' });
const NAMES = 'names' in chosen ? chosen.names : CANONICAL_NAMES;

let stage: Stage;
let faulty: FaultyGitHub;
let github: ReturnType<typeof createGitHub>;
let pull: number;
let issue: IssueRef;

const options = (labels: LabelNames): Parameters<typeof createOctokit>[0] => ({
  apiUrl: faulty.url,
  token: 'token-octo',
  limits: { settleMs: 0 },
  waits: { current: () => Promise.resolve(undefined), hold: () => Promise.reject(new Error('nobody waits')) },
  labels,
});

function connect(labels: LabelNames): ReturnType<typeof createGitHub> {
  return createGitHub(options(labels));
}

beforeAll(async () => {
  stage = await startWithDemo();
  pull = await openPull(stage);
  faulty = await startFaultyGitHub(stage.emulator.apiUrl);
  github = connect(NAMES);
});
afterAll(async () => {
  await faulty.close();
  await stage.emulator.close();
});
beforeEach(async () => {
  const { data } = await stage.octo.issues.create({ ...DEMO, title: 'a wish', body: 'please agent:dev' });
  issue = { repositoryId: 1, owner: DEMO.owner, name: DEMO.repo, number: data.number };
});

async function onGitHub(number: number): Promise<string[]> {
  const { data } = await stage.octo.issues.listLabelsOnIssue({ ...DEMO, issue_number: number });
  return data.map(({ name }) => name);
}

async function putOn(...labels: string[]): Promise<void> {
  await stage.octo.issues.addLabels({ ...DEMO, issue_number: issue.number, labels });
}

describe('a label that is called otherwise', () => {
  test('is put on and taken off under its name on GitHub', async () => {
    for (const number of [issue.number, pull]) {
      await github.addLabel(issue, number, 'state:in-review');
      expect(await onGitHub(number)).toEqual(['look at me']);
      await github.removeLabel(issue, number, 'state:in-review');
      expect(await onGitHub(number)).toEqual([]);
    }
  });

  test('is read under its canonical name, events included', async () => {
    await putOn('agent:dev', 'bug');
    const truth = await github.readLabels(issue, 'run:dev');
    expect(truth).toMatchObject({ labels: ['run:dev', 'bug'], labeled: [{ clearedByPlatform: false }] });
    expect((await github.readIssue(issue)).labels).toEqual(['run:dev', 'bug']);
  });

  test('is read so by sweeps', async () => {
    await putOn('agent:dev');
    const { items } = await github.listChanged(issue, '2000-01-01T00:00:00Z');
    expect(items.find(({ number }) => number === issue.number)?.labels).toEqual(['run:dev']);
    expect(await github.readHistory(issue)).toMatchObject([{ event: 'labeled', label: 'run:dev' }]);
  });

  test('is seen so by whatever uses the client, on every page', async () => {
    const octokit = createOctokit(options(NAMES));
    for (const title of ['one', 'two']) {
      const { data } = await octokit.rest.issues.create({ ...DEMO, title, labels: ['run:dev', 'bug'] });
      expect(data.labels).toMatchObject([{ name: 'run:dev' }, { name: 'bug' }]);
      expect(await onGitHub(data.number)).toEqual(['agent:dev', 'bug']);
    }
    const issues = await octokit.paginate(octokit.rest.issues.listForRepo, { ...DEMO, per_page: 1 });
    const shown = issues.filter(({ title }) => title === 'one' || title === 'two');
    expect(shown.map(({ labels }) => labels)).toMatchObject([
      [{ name: 'run:dev' }, { name: 'bug' }],
      [{ name: 'run:dev' }, { name: 'bug' }],
    ]);
    const { data } = await octokit.rest.issues.getLabel({ ...DEMO, name: 'run:dev' });
    expect(data.name).toBe('run:dev');
  });

  test('means nothing under the name that was given up', async () => {
    await putOn('run:dev');
    expect(await github.readLabels(issue, 'run:dev')).toMatchObject({ labels: ['agent:dev'], labeled: [] });
  });

  test('changes no text', async () => {
    expect(await github.readIssue(issue)).toMatchObject({ title: 'a wish', body: 'please agent:dev' });
  });
});

describe('a comment of the platform', () => {
  const MARKER = '<!-- codex-k8s:run-status 0f0f0f0f-0000-4000-8000-000000000002 -->';
  const BODY = `${MARKER}\n\nPut `.concat('`run:dev` on, `state:in-review` off, `run:qa` later; run:dev in words');

  async function textOnGitHub(id: number): Promise<string | undefined> {
    return (await stage.octo.issues.getComment({ ...DEMO, comment_id: id })).data.body;
  }

  test('names labels as they are called on GitHub', async () => {
    const { id } = await github.writeComment(issue, { marker: MARKER, body: BODY, knownId: null });
    expect(await textOnGitHub(id)).toBe(
      `${MARKER}\n\nPut `.concat('`agent:dev` on, `look at me` off, `run:qa` later; run:dev in words'),
    );
  });

  test('names them so when it is changed', async () => {
    const { id } = await github.writeComment(issue, { marker: MARKER, body: MARKER, knownId: null });
    await github.writeComment(issue, { marker: MARKER, body: `${MARKER} \`run:dev\``, knownId: id });
    expect(await textOnGitHub(id)).toBe(`${MARKER} \`agent:dev\``);
  });

  test('is read as it was written', async () => {
    const { id } = await github.writeComment(issue, { marker: MARKER, body: BODY, knownId: null });
    expect(await github.readComment(issue, id)).toBe(BODY);
  });

  test('is left as it is where labels are called as here', async () => {
    const { id } = await connect(CANONICAL_NAMES).writeComment(issue, { marker: MARKER, body: BODY, knownId: null });
    expect(await textOnGitHub(id)).toBe(BODY);
  });
});

test('a pull request of the platform names the label that asked for it as it is called, and the agent nothing', async () => {
  const last = '<sub>Requested with `run:dev` by @olivia. [codex-k8s](http://dashboard/runs/1)</sub>';
  const text = { title: 'A change', body: `Reads \`run:dev\`.\n\nCloses #1\n\n${last}` };
  await openPull(stage, { branch: 'codex/issue-90' });
  const { data: pulls } = await stage.octo.pulls.list({ ...DEMO, head: 'octo:codex/issue-90' });
  await stage.octo.pulls.update({ ...DEMO, pull_number: pulls[0]?.number ?? 0, state: 'closed' });
  const branch = { head: 'codex/issue-90', base: 'main' };
  const { number } = await github.openPullRequest(issue, branch, text);
  const { data } = await stage.octo.pulls.get({ ...DEMO, pull_number: number });
  expect(data.body).toBe(text.body.replace('with `run:dev`', 'with `agent:dev`'));
  expect(await github.openPullRequest(issue, branch, text)).toMatchObject({ number, created: true });
});

describe('a comment of a person', () => {
  test('is read with the words that it has', async () => {
    const { data } = await stage.octo.issues.createComment({
      ...DEMO,
      issue_number: issue.number,
      body: '`agent:dev` and `run:dev`',
    });
    expect(await github.readComment(issue, data.id)).toBe('`agent:dev` and `run:dev`');
  });
});

describe("a repository's labels", () => {
  const ALL = LABELS.map(({ name }) => name);

  test('are created once, corrected where they differ, and never deleted', async () => {
    await stage.octo.issues.createLabel({ ...DEMO, name: 'own', color: '000000', description: 'ours' });
    const first = await github.ensureLabels(DEMO.owner, DEMO.repo, LABELS);
    const present = first.unchanged.length + first.updated.length;
    expect(first.created.length + present).toBe(ALL.length);

    await stage.octo.issues.updateLabel({ ...DEMO, name: 'agent:dev', color: 'ffffff', description: 'other words' });
    expect(await github.ensureLabels(DEMO.owner, DEMO.repo, LABELS)).toEqual({
      created: [],
      updated: ['run:dev'],
      unchanged: ALL.filter((name) => name !== 'run:dev'),
      left: [],
      waiting: null,
    });

    const shown = await stage.octo.paginate(stage.octo.issues.listLabelsForRepo, { ...DEMO, per_page: 100 });
    const row = LABELS.find(({ name }) => name === 'run:dev');
    expect(shown.find(({ name }) => name === 'agent:dev')).toMatchObject({
      color: row?.color,
      description: row?.description,
    });
    expect(shown.map(({ name }) => name)).toEqual(expect.arrayContaining(['own', 'look at me', 'run:qa']));
    expect(shown.filter(({ name }) => name === 'state:in-review')).toEqual([]);
  });

  test('cost one request when nothing is to be done', async () => {
    await github.ensureLabels(DEMO.owner, DEMO.repo, LABELS);
    faulty.calls.length = 0;
    await github.ensureLabels(DEMO.owner, DEMO.repo, LABELS);
    expect(faulty.calls).toHaveLength(1);
  });

  test('that stand there in other letters are corrected, not created again', async () => {
    await stage.octo.issues.createLabel({ ...DEMO, name: 'Extra:Label', color: '111111' });
    const look = { name: 'extra:label', color: '222222', description: 'd' };
    expect(await connect(CANONICAL_NAMES).ensureLabels(DEMO.owner, DEMO.repo, [look])).toMatchObject({
      created: [],
      updated: ['extra:label'],
    });
  });

  test('are left to a repeat where GitHub asks to wait', async () => {
    const looks = ['one', 'two', 'three', 'four'].map((name) => ({ name, color: '333333', description: 'd' }));
    const limit = { status: 403, headers: { 'retry-after': '60' }, message: 'a secondary rate limit' };
    faulty.hit({ method: 'POST', path: /\/labels$/, after: 2, fault: { kind: 'answer', ...limit } });
    expect(await connect(NAMES).ensureLabels(DEMO.owner, DEMO.repo, looks)).toEqual({
      created: ['one', 'two'],
      updated: [],
      unchanged: [],
      left: ['three', 'four'],
      waiting: expect.stringMatching(/^GitHub asks to wait until .*: a secondary rate limit/) as string,
    });
    expect(await connect(NAMES).ensureLabels(DEMO.owner, DEMO.repo, looks)).toMatchObject({
      created: ['three', 'four'],
      unchanged: ['one', 'two'],
      waiting: null,
    });
  });

  test('that somebody else created meanwhile are as they are', async () => {
    const look = { name: 'race', color: '444444', description: 'd' };
    const created = { status: 422, message: 'Validation Failed already_exists' };
    faulty.hit({ method: 'POST', path: /\/labels$/, fault: { kind: 'answer', ...created } });
    expect(await github.ensureLabels(DEMO.owner, DEMO.repo, [look])).toMatchObject({ unchanged: ['race'] });
  });

  test('that GitHub does not take are an error', async () => {
    const look = { name: 'wrong', color: 'no colour', description: 'd' };
    faulty.hit({ method: 'POST', path: /\/labels$/, fault: { kind: 'answer', status: 422, message: 'invalid' } });
    await expect(github.ensureLabels(DEMO.owner, DEMO.repo, [look])).rejects.toMatchObject({ status: 422 });
  });
});
