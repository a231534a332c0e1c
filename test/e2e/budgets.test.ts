/** A run whose budget is spent waits for people, and goes on in the same conversation or stops. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { RunView } from '../../ingress/api/views.ts';
import { OWNER } from '../../src/embedded/accounts.ts';
import { eventually } from '../support/stack.ts';
import { closeScene, openScene, type Scene } from './support/scene.ts';

const REPO = 'budgets';
/** What a call reserves is its answer alone, in dollars: 2048 tokens at 500 for a million. */
const PRICES = { 'gpt-5.5': { input: 0, output: 500 } };

let directory: string;
let scene: Scene;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'prices-'));
  const file = join(directory, 'prices.json');
  await writeFile(file, JSON.stringify(PRICES));
  scene = await openScene({
    CODEXK8S_MODEL_PRICES_FILE: file,
    CODEXK8S_MODEL_OUTPUT_TOKENS: '2048',
    CODEXK8S_BUDGET_RUN_USD: '1.03',
  });
  await scene.bindRepository(REPO);
});
afterAll(async () => {
  await closeScene(scene);
  await rm(directory, { recursive: true, force: true });
});

async function say(issue: number, body: string): Promise<void> {
  await scene.person.octokit.rest.issues.createComment({ owner: OWNER, repo: REPO, issue_number: issue, body });
}

async function stopped(title: string): Promise<{ issue: number; run: RunView }> {
  const issue = await scene.person.openIssue(REPO, { title, body: 'Please.' });
  await scene.person.label(REPO, issue, 'run:dev');
  const { id } = await scene.started(REPO, issue);
  const run = await eventually(`run ${id} waits`, async () => {
    const now = await scene.run(id);
    if (now.terminal) throw new Error(`run ${id} is over: ${now.status} ${now.failureText} ${now.detail}`);
    return now.status === 'waiting' && now;
  });
  await scene.commentsSaying(REPO, issue, 'A budget is spent');
  return { issue, run };
}

test('a person lets a run whose budget is spent go on, and it ends in the same conversation', async () => {
  const { issue, run } = await stopped('Note something');
  expect(run.request).toMatchObject({ kind: 'budget', options: ['more', 'stop'] });
  await say(issue, 'more');
  const ended = await scene.ended(REPO, issue);
  expect(ended).toMatchObject({ status: 'succeeded' });
  const types = (await scene.events(run.id)).map(({ type }) => type);
  expect(types).toEqual(expect.arrayContaining(['run.budget.spent', 'run.wait.resumed', 'run.succeeded']));
  const begun = (await scene.log(run.id)).filter(({ text }) => text.startsWith('Conversation '));
  expect(new Set(begun.map(({ text }) => text)).size).toBe(1);
});

test('a person stops a run whose budget is spent', async () => {
  const { issue } = await stopped('Note something else');
  await say(issue, 'stop');
  expect(await scene.ended(REPO, issue)).toMatchObject({ status: 'failed', failure: 'budget_spent' });
});
