/** docs/reliability.md T50: Postgres is killed while deliveries come in, on a whole `up`. What was answered 202 is kept. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { closeScene, openScene, type Scene } from '../e2e/support/scene.ts';
import { noopAgentCommand } from '../support/noop-agent.ts';
import { eventually } from '../support/stack.ts';
import { bodyOf, deliver, type Sent } from './support/deliveries.ts';
import { ended, journalOf, patiently } from './support/life.ts';

const REPO = 'postgres-killed';
/** Deliveries a second, for so many seconds; Postgres dies twice meanwhile. */
const RATE = 40;
const SECONDS = 12;

const home = mkdtempSync(join(tmpdir(), 'codex-k8s-postgres-killed-'));
const journal = join(home, 'journal');
let scene: Scene;
let sent: Sent[];
let processes: Record<string, number>;
let issues: number[];

beforeAll(async () => {
  scene = await openScene({ CODEXK8S_AGENT_COMMAND: noopAgentCommand(journal) });
  const repository = await scene.bindRepository(REPO);
  issues = await Promise.all(
    [1, 2, 3].map((index) => scene.person.openIssue(REPO, { title: `at work ${index}`, body: '' })),
  );
  const body = await bodyOf(scene, repository, 'issues', 'opened');
  for (const issue of issues) await scene.person.label(REPO, issue, 'run:dev');
  processes = scene.stack.pids();

  const sending: Promise<Sent>[] = [];
  for (let n = 0; n < RATE * SECONDS; n += 1) {
    sending.push(deliver(scene.stack, { event: 'issues', body }));
    if (n === RATE * 2 || n === RATE * 7)
      process.kill(await eventually('a Postgres to kill', () => scene.stack.pids()['postgres']), 'SIGKILL');
    await sleep(1000 / RATE);
  }
  sent = await Promise.all(sending);
  await eventually('another Postgres', () => {
    const { postgres } = scene.stack.pids();
    return postgres !== undefined && postgres !== processes['postgres'];
  });
});

afterAll(async () => {
  await closeScene(scene);
  rmSync(home, { recursive: true, force: true });
});

test('every delivery is answered: kept, or to be sent again', () => {
  expect(sent).toHaveLength(RATE * SECONDS);
  expect(sent.filter(({ status }) => status !== 200 && status !== 503)).toEqual([]);
});

test('no answer takes longer than GitHub waits', () => {
  expect(Math.max(...sent.map(({ milliseconds }) => milliseconds))).toBeLessThan(10_000);
});

test('what was acknowledged is in the table, each once', async () => {
  const kept = await patiently(
    'Postgres answers',
    () => scene.sql<{ id: string; repeats: number }[]>`
    select id, repeats from deliveries`,
  );
  const ids = new Set(kept.map(({ id }) => id));
  const acknowledged = sent.filter(({ status }) => status === 200);
  expect(acknowledged.length).toBeGreaterThan(RATE);
  expect(acknowledged.filter(({ id }) => !ids.has(id))).toEqual([]);
  expect(kept.filter(({ repeats }) => repeats > 0)).toEqual([]);
});

test('the runs that were under way succeed, with one agent each', async () => {
  for (const issue of issues) {
    const run = await ended(scene, REPO, issue, 0);
    expect(run).toMatchObject({ status: 'succeeded' });
    expect(
      journalOf(journal)
        .filter((entry) => entry.run === run.id)
        .map(({ what }) => what),
    ).toEqual(['begin', 'end']);
  }
});

test('neither server nor worker had to be started again', () => {
  const now = scene.stack.pids();
  expect([now['server'], now['worker']]).toEqual([processes['server'], processes['worker']]);
});
