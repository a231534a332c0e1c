/** A build that parts from the histories is deployed all the same, seen, and rolled back (docs/reliability.md T32). */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Client, Connection } from '@temporalio/client';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { nonDeterministicBuild, type Build } from '../support/build.ts';
import { eventually, type Stack } from '../support/stack.ts';
import { closeScene, openScene, type Scene } from '../e2e/support/scene.ts';

const REPO = 'deploys';
/** docs/reliability.md T32. */
const ALARM_LIMIT_MS = 60_000;

let scene: Scene;
let build: Build;
let deployed: ChildProcess | undefined;
/** Addresses stay, whichever build runs. */
let ready: Stack['ready'];

beforeAll(async () => {
  build = nonDeterministicBuild();
  scene = await openScene();
  ({ ready } = scene.stack);
  await scene.bindRepository(REPO);
});
afterAll(async () => {
  await rollBack();
  await closeScene(scene);
  build?.remove();
});

/** Starts the other build where the present one ran. */
async function deploy(): Promise<void> {
  const { DATABASE_URL: _, OPENAI_API_KEY: __, ...env } = process.env;
  deployed = spawn(process.execPath, [build.cli, 'up', '--json', '--data', scene.stack.directory], {
    env,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  await once(createInterface({ input: deployed.stdout! }), 'line');
}

async function rollBack(): Promise<void> {
  if (!deployed) return;
  const ended = once(deployed, 'exit');
  deployed.kill('SIGINT');
  deployed = undefined;
  await ended;
}

interface LogLine {
  readonly pid: number;
  readonly level: string;
  readonly msg: string;
  readonly failure?: string;
  readonly workflowId?: string;
}

/** What a process of the stack has logged. */
function logged(name: 'worker' | 'server', msg: string): LogLine[] {
  const text = readFileSync(join(scene.stack.directory, 'logs', `${name}.log`), 'utf8');
  return text
    .split('\n')
    .filter((line) => line.startsWith('{') && line.includes(msg))
    .map((line) => JSON.parse(line) as LogLine);
}

async function readiness(): Promise<{ http: number; workflows: string }> {
  const answer = await fetch(`${ready.url}/readyz`);
  const { checks } = (await answer.json()) as { checks: Record<string, { status: string }> };
  return { http: answer.status, workflows: checks['workflows']?.status ?? '' };
}

async function failingTasks(): Promise<number> {
  const metrics = await (await fetch(`${ready.url}/metrics`)).text();
  return Number(/^codexk8s_workflow_tasks_failing (\d+)$/m.exec(metrics)?.[1]);
}

async function statusInTemporal(workflowId: string): Promise<string> {
  const connection = await Connection.connect({ address: ready.temporalAddress });
  try {
    const workflow = new Client({ connection, namespace: 'codex-k8s' }).workflow.getHandle(workflowId);
    return (await workflow.describe()).status.name;
  } finally {
    await connection.close();
  }
}

test('a run waits for a build that can continue it, and its comment says so', async () => {
  const issue = await scene.person.openIssue(REPO, { title: 'Wait [script: wait]', body: 'wait-for: /nowhere' });
  await scene.person.label(REPO, issue, 'run:dev');
  const { id } = await scene.started(REPO, issue);
  await scene.working(id, /until \[ -e/);
  expect([await readiness(), await failingTasks()]).toEqual([{ http: 200, workflows: 'ok' }, 0]);
  await scene.stack.end('SIGINT');

  await deploy();
  await scene.platform.cancelRun(id, { actor: 'paula', reason: 'it waits for nothing' });
  const alarm = await eventually('an alarm', () => logged('worker', 'workflow.task_failing')[0], ALARM_LIMIT_MS);
  expect(alarm).toMatchObject({
    level: 'error',
    workflowId: `run:${id}`,
    failure: expect.stringContaining('[TMPRL1100]') as string,
  });
  await eventually('the server knows', async () => (await failingTasks()) === 1);
  expect(await readiness()).toEqual({ http: 200, workflows: 'degraded' });
  const told = await eventually('the server tells of it', () => logged('server', 'workflow.task_failing')[0]);
  expect(told).toMatchObject({ level: 'error', workflowId: `run:${id}` });
  expect(await statusInTemporal(`run:${id}`)).toBe('RUNNING');
  expect(await scene.run(id)).toMatchObject({ status: 'working' });
  expect((await fetch(`${ready.url}/runs/${id}`)).status).toBe(200);

  // The next worker of this build never sees a first attempt fail.
  process.kill(scene.stack.pidOf('worker'), 'SIGKILL');
  await eventually(
    'an alarm from another worker',
    () => logged('worker', 'workflow.task_failing').some(({ pid }) => pid !== alarm.pid),
    120_000,
  );

  await rollBack();
  await scene.stack.start();
  await eventually('the end of the run', async () => (await scene.run(id)).status === 'canceled', 120_000);
  await eventually('the end of its workflow', async () => (await statusInTemporal(`run:${id}`)) === 'COMPLETED');
  await eventually('a server that knows of nothing', async () => (await failingTasks()) === 0, 60_000);
  expect(await readiness()).toEqual({ http: 200, workflows: 'ok' });
});
