/** docs/reliability.md T29 for sweeps: workers are killed when a step has done its work and Temporal does not know. */
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { SCHEDULES } from '../../workflows/messages.ts';
import { closeScene, openScene, type Scene } from '../e2e/support/scene.ts';
import { noopAgentCommand } from '../support/noop-agent.ts';
import { environmentOf, startBeside, type Beside } from './support/beside.ts';
import { ended, journalOf, patiently } from './support/life.ts';
import { SWEEP_ACTIVITIES } from './support/sweep-activities.ts';

const REPO = 'sweep-kills';
/** A sweep's steps follow one another, and each waits for its heartbeat timeout of half a minute. */
const SWEEPS_LIMIT_MS = 6 * 60_000;

const home = mkdtempSync(join(tmpdir(), 'codex-k8s-sweep-kills-'));
const points = join(home, 'points');
const journal = join(home, 'journal');
const armed = SWEEP_ACTIVITIES.map((activity) => join(points, `${activity}:after`));
let scene: Scene;
let beside: Beside;
let orphan: string;
let issue: number;

beforeAll(async () => {
  mkdirSync(points);
  const settings = {
    CODEXK8S_AGENT_COMMAND: noopAgentCommand(journal),
    CODEXK8S_SWEEP_GRACE_SECONDS: '1',
    CODEXK8S_SWEEP_ORPHAN_SECONDS: '1',
  };
  scene = await openScene(settings, { killPoints: points });
  await scene.bindRepository(REPO);
  beside = startBeside(scene.stack, 'worker', environmentOf(scene.stack, 'worker'), { again: true });
  orphan = join(scene.stack.directory, 'workspaces', 'cdx-nobody-i1');
  mkdirSync(orphan, { recursive: true });
  writeFileSync(join(orphan, 'workspace.json'), JSON.stringify({ managedBy: 'codex-k8s', owner: 'issue:4242#1' }));
  issue = await scene.person.openIssue(REPO, { title: 'nobody told of it', body: '' });
  const server = scene.stack.pidOf('server');
  process.kill(server, 'SIGKILL');
  await scene.person.label(REPO, issue, 'run:dev');
  await patiently('another server', async () => {
    const now = scene.stack.pids()['server'];
    return now !== server && (await fetch(`${scene.stack.ready.url}/readyz`)).ok;
  });
  for (const point of armed) writeFileSync(point, '');
  const connection = await Connection.connect({ address: scene.stack.ready.temporalAddress });
  try {
    const { schedule } = new Client({ connection, namespace: 'codex-k8s' });
    for (const id of Object.values(SCHEDULES)) await schedule.getHandle(id).trigger();
  } finally {
    await connection.close();
  }
  const alive = (): string[] => armed.filter((point) => !existsSync(`${point}.fired`));
  await patiently('the workers have died', async () => alive().length === 0, SWEEPS_LIMIT_MS).catch(() => undefined);
  expect(alive()).toEqual([]);
}, 2 * SWEEPS_LIMIT_MS);

afterAll(async () => {
  await beside?.end();
  await closeScene(scene);
  rmSync(home, { recursive: true, force: true });
});

test('a label that was missed becomes one run with one agent', async () => {
  const run = await ended(scene, REPO, issue, 0);
  expect(run).toMatchObject({ status: 'succeeded' });
  expect(await scene.runsOf(REPO, issue)).toHaveLength(1);
  expect(
    journalOf(journal)
      .filter((entry) => entry.run === run.id)
      .map(({ what }) => what),
  ).toEqual(['begin', 'end']);
  expect(await scene.pullRequestsOf(REPO, issue)).toHaveLength(1);
});

test("a workspace that is nobody's is gone", async () => {
  await patiently('the orphan is removed', async () => !existsSync(orphan));
});
