/**
 * Limits on runs, on a whole `up`: the second developer's run of a project waits while workers are killed around everything
 * that its turn depends on; it works once, and only when the first is done.
 */
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { closeScene, marked, openScene, type Scene } from '../e2e/support/scene.ts';
import { noopAgentCommand } from '../support/noop-agent.ts';
import { environmentOf, startBeside, type Beside } from './support/beside.ts';
import { ended, journalOf, patiently } from './support/life.ts';

const REPO = 'limits';
const WORKERS_BESIDE = 1;

const home = mkdtempSync(join(tmpdir(), 'codex-k8s-limits-'));
const points = join(home, 'points');
const journal = join(home, 'journal');
let scene: Scene;
let workers: Beside[];

beforeAll(async () => {
  mkdirSync(points);
  scene = await openScene(
    { CODEXK8S_AGENT_COMMAND: noopAgentCommand(journal), CODEXK8S_RUN_LIMITS: 'dev=1' },
    { killPoints: points },
  );
  await scene.bindRepository(REPO);
  const env = environmentOf(scene.stack, 'worker');
  workers = Array.from({ length: WORKERS_BESIDE }, () => startBeside(scene.stack, 'worker', env, { again: true }));
});

afterAll(async () => {
  for (const worker of workers ?? []) await worker.end();
  await closeScene(scene);
  rmSync(home, { recursive: true, force: true });
});

/** Arms kill points; the returned function waits until a worker died at each of them. */
function arm(...names: string[]): () => Promise<void> {
  const armed = names.map((name) => join(points, name));
  for (const point of armed) writeFileSync(point, '');
  return async () => {
    await patiently(`deaths at ${names.join(', ')}`, async () => armed.every((point) => existsSync(`${point}.fired`)));
  };
}

async function shown(issue: number, status: string): Promise<string> {
  return patiently(`${status} of ${REPO}#${issue}`, async () => {
    const [run] = await scene.runsOf(REPO, issue);
    return run?.status === status && run.id;
  });
}

test('a run that waits for its turn has it once, whenever workers die', async () => {
  const { person } = scene;
  const flag = join(home, 'go');
  const first = await person.openIssue(REPO, { title: 'The first', body: `wait-for: ${flag}` });
  await person.label(REPO, first, 'run:dev');
  const working = await shown(first, 'working');

  const diedAsking = arm('launchAgent:before', 'launchAgent:after', 'findEndedRuns:before', 'findEndedRuns:after');
  const second = await person.openIssue(REPO, { title: 'The second', body: 'Please.' });
  await person.label(REPO, second, 'run:dev');
  const waiting = await shown(second, 'queued');
  await diedAsking();
  await patiently('the place in the comment', async () =>
    (await scene.commentsOn(REPO, second)).some(
      ({ body }) => body.includes(marked(waiting)) && body.includes('position 1 in the queue of the project'),
    ),
  );
  expect(journalOf(journal).map(({ run }) => run)).toEqual([working]);

  const diedLeaving = arm('showRun:after', 'launchAgent:before', 'launchAgent:after');
  writeFileSync(flag, '');
  expect(await ended(scene, REPO, first, 0)).toMatchObject({ status: 'succeeded' });
  expect(await ended(scene, REPO, second, 0)).toMatchObject({ status: 'succeeded' });
  await diedLeaving();
  expect(journalOf(journal).map(({ what, run, attempt }) => `${what} ${run} ${attempt}`)).toEqual([
    `begin ${working} 1`,
    `end ${working} 1`,
    `begin ${waiting} 1`,
    `end ${waiting} 1`,
  ]);
});
