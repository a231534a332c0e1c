/** docs/reliability.md T30: a process that is asked to stop while much is under way ends in time, and fails no run. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { identify, isAlive } from '../../src/adapters/process-identity.ts';
import { closeScene, enter, openScene, type Scene } from '../e2e/support/scene.ts';
import { noopAgentCommand } from '../support/noop-agent.ts';
import { eventually } from '../support/stack.ts';
import { ended, journalOf, patiently } from './support/life.ts';
import { onOwnPorts } from './support/ports.ts';

const REPO = 'shutdown';
/** Activities under way: each waiting agent is one. */
const AGENTS = 20;
/** What an orchestrator such as Kubernetes gives a process, in milliseconds. */
const LIMIT_MS = 30_000;

const home = mkdtempSync(join(tmpdir(), 'codex-k8s-shutdown-'));
const journal = join(home, 'journal');
let scene: Scene;
let issues: number[];

beforeAll(async () => {
  scene = await openScene(onOwnPorts({ CODEXK8S_AGENT_COMMAND: noopAgentCommand(journal) }));
  await scene.bindRepository(REPO);
  issues = [];
  for (let index = 0; index < AGENTS; index += 1) {
    const issue = await scene.person.openIssue(REPO, {
      title: `waits ${index}`,
      body: `wait-for: ${join(home, 'go')}`,
    });
    await scene.person.label(REPO, issue, 'run:dev');
    issues.push(issue);
  }
  await patiently('all agents work', async () => {
    const [row] = await scene.sql`select count(*)::int as n from runs where status = 'working'`;
    return row?.['n'] === AGENTS;
  });
});

afterAll(async () => {
  await closeScene(scene);
  rmSync(home, { recursive: true, force: true });
});

describe.each(['worker', 'server', 'emulators'])('%s', (name) => {
  test('ends within 30 s after SIGTERM, and is there again', async () => {
    const before = identify(scene.stack.pids()[name] ?? 0);
    if (!before) throw new Error(`${name} does not run`);
    const since = performance.now();
    process.kill(before.pid, 'SIGTERM');
    await eventually(`the end of ${name}`, () => !isAlive(before), LIMIT_MS);
    expect(performance.now() - since).toBeLessThan(LIMIT_MS);
    await eventually(`another ${name}`, () => (scene.stack.pids()[name] ?? before.pid) !== before.pid);
    await patiently('the server is ready', async () => (await fetch(`${scene.stack.ready.url}/readyz`)).ok);
  });
});

test('no run has failed, and no second agent was started', async () => {
  const runs = await scene.sql`select status, count(*)::int as n from runs group by status`;
  expect(runs.map((row) => [row['status'], row['n']])).toEqual([['working', AGENTS]]);
  expect(journalOf(journal)).toHaveLength(AGENTS);
});

test('up takes everything along within 30 s after SIGTERM, twenty agents too', async () => {
  const since = performance.now();
  const end = await scene.stack.end('SIGTERM');
  expect(end).toEqual({ code: 0, signal: null });
  expect(performance.now() - since).toBeLessThan(LIMIT_MS);
});

test('started again, every run comes to its end', async () => {
  await scene.close();
  await scene.stack.start();
  scene = { stack: scene.stack, ...enter(scene.stack) };
  writeFileSync(join(home, 'go'), '');
  for (const issue of issues) expect(await ended(scene, REPO, issue, 0)).toMatchObject({ status: 'succeeded' });
  const ends = journalOf(journal).filter(({ what }) => what === 'end');
  expect(new Set(ends.map(({ run }) => run)).size).toBe(AGENTS);
  expect(ends).toHaveLength(AGENTS);
});
