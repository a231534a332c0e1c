/**
 * Server, worker, Temporal and Postgres may be started in any order, at any time: whoever lacks another waits for it. A sample
 * of the orders, which `CODEXK8S_TEST_SEED` changes.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync, readlinkSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { closeScene, openScene, type Scene } from '../e2e/support/scene.ts';
import { noopAgentCommand } from '../support/noop-agent.ts';
import { processesOf, readProc } from '../support/stack.ts';
import { ended, patiently } from './support/life.ts';
import { onOwnPorts } from './support/ports.ts';
import { createRandom } from './support/random.ts';

const REPO = 'orders';
const PARTS = ['postgres', 'temporal', 'server', 'worker'] as const;
type Part = (typeof PARTS)[number];
const SAMPLE = 4;
/** Long enough for a server and a worker to find that something is not there. */
const BETWEEN_MS = 4000;

const seed = Number(process.env['CODEXK8S_TEST_SEED'] ?? 1);
const random = createRandom(seed);
/** The worst order, in which everybody comes before what it needs, and some by chance. */
const ORDERS: readonly (readonly Part[])[] = [
  ['worker', 'server', 'temporal', 'postgres'],
  ...Array.from({ length: SAMPLE - 1 }, () => random.shuffled(PARTS)),
];

const home = mkdtempSync(join(tmpdir(), 'codex-k8s-orders-'));
let scene: Scene;
let parts: Record<Part, () => ChildProcess>;
let running: Partial<Record<Part, ChildProcess>> = {};

beforeAll(async () => {
  scene = await openScene(onOwnPorts({ CODEXK8S_AGENT_COMMAND: noopAgentCommand() }));
  await scene.bindRepository(REPO);
  const pids = scene.stack.pids();
  parts = Object.fromEntries(PARTS.map((part) => [part, recipeOf(part, pids[part] ?? 0)])) as typeof parts;
  // Without `up`, nobody starts anything again. The GitHub emulator goes on.
  process.kill(scene.stack.pid, 'SIGKILL');
  for (const part of PARTS) process.kill(-(pids[part] ?? 0), 'SIGKILL');
});

afterAll(async () => {
  await closeScene(scene);
  rmSync(home, { recursive: true, force: true });
});

/** How a process is started again, as it was started the first time. */
function recipeOf(part: Part, pid: number): () => ChildProcess {
  const [command = '', ...args] = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').slice(0, -1);
  const executable = readlinkSync(`/proc/${pid}/exe`);
  const env = Object.fromEntries(
    readProc(pid, 'environ')
      .split('\0')
      .filter(Boolean)
      .map((pair) => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)]),
  );
  const cwd = readlinkSync(`/proc/${pid}/cwd`);
  const { uid, gid } = statSync(`/proc/${pid}`);
  return () => {
    const log = openSync(join(scene.stack.directory, 'logs', `${part}-alone.log`), 'a');
    const child = spawn(executable, args, {
      argv0: command,
      env,
      cwd,
      uid,
      gid,
      detached: true,
      stdio: ['ignore', log, log],
    });
    closeSync(log);
    return child;
  };
}

describe.each(ORDERS.map((order) => ({ order, named: order.join(', ') })))(
  `seed ${seed}: started as $named`,
  ({ order }) => {
    beforeAll(async () => {
      for (const part of PARTS) running[part]?.kill('SIGKILL');
      await patiently(
        'nothing runs',
        async () =>
          !processesOf(scene.stack.directory).some(({ command }) =>
            / (server|worker)$|start-dev|postgres/.test(command),
          ),
      );
      running = {};
      for (const part of order) {
        running[part] = parts[part]();
        await sleep(BETWEEN_MS);
      }
    });

    test('the server becomes ready', async () => {
      const health = await patiently('the server is ready', async () => {
        const response = await fetch(`${scene.stack.ready.url}/readyz`);
        const body = (await response.json()) as { status: string };
        return body.status === 'ok' && body;
      });
      expect(health).toMatchObject({ checks: { postgres: { status: 'ok' }, temporal: { status: 'ok' } } });
    });

    test('a label becomes a run that succeeds', async () => {
      const issue = await scene.person.openIssue(REPO, { title: order.join(' '), body: '' });
      await scene.person.label(REPO, issue, 'run:dev');
      expect(await ended(scene, REPO, issue, 0)).toMatchObject({ status: 'succeeded' });
    });

    test('nobody ended because somebody else was not there', () => {
      const ends = PARTS.map((part) => [part, running[part]?.exitCode, running[part]?.signalCode]);
      expect(ends).toEqual(PARTS.map((part) => [part, null, null]));
    });
  },
);
