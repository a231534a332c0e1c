/** What dies and comes back while an agent works: the worker, and `up` itself, asked to stop or killed. */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { storedConversation } from '../support/conversations.ts';
import type { RunView } from '../../ingress/api/views.ts';
import { identify } from '../../src/adapters/process-identity.ts';
import { eventually, living, processesOf } from '../support/stack.ts';
import { agentOf, beginnings, outputOf, placesOf, type AgentPlace } from './support/agents.ts';
import { closeScene, enter, marked, openScene, type Scene } from './support/scene.ts';

const REPO = 'restart';

let scene: Scene;
const flags = mkdtempSync(join(tmpdir(), 'codex-k8s-e2e-flags-'));

beforeAll(async () => {
  // The program as it is shipped, whose size is looked at below.
  scene = await openScene({}, { limits: 'production' });
  await scene.bindRepository(REPO);
});

afterAll(async () => {
  await closeScene(scene);
  rmSync(flags, { recursive: true, force: true });
});

interface Waiting {
  run: RunView;
  readonly issue: number;
  readonly agent: AgentPlace;
  /** Lets the agent go on. */
  release(): void;
}

/** A run whose agent waits in the middle of its work. */
async function waitingRun(title: string): Promise<Waiting> {
  const flag = join(flags, title.replaceAll(' ', '-'));
  const issue = await scene.person.openIssue(REPO, { title: `${title} [script: wait]`, body: `wait-for: ${flag}` });
  await scene.person.label(REPO, issue, 'run:dev');
  const { id } = await scene.started(REPO, issue);
  await scene.working(id, /until \[ -e/);
  const run = await scene.run(id);
  const agent = await agentOf(scene.stack.directory, run.workspace ?? '', id);
  return { run, issue, agent, release: () => writeFileSync(flag, '') };
}

function placesNow({ run }: Waiting): AgentPlace[] {
  return placesOf(scene.stack.directory, run.workspace ?? '', run.id);
}

/** Starts `up` again; the addresses may be others. */
async function startAgain(): Promise<void> {
  await scene.close();
  await scene.stack.start();
  scene = { stack: scene.stack, ...enter(scene.stack) };
}

async function expectOneStatusComment({ run, issue }: Waiting, saying: string): Promise<void> {
  const comments = await scene.commentsSaying(REPO, issue, saying);
  const own = comments.filter(({ body }) => body.includes(marked(run.id)));
  expect(own).toHaveLength(1);
  expect(own[0]?.body).toContain(saying);
}

test('an agent that works is shown at work in the one status comment of its run', async () => {
  const waiting = await waitingRun('nothing dies');
  await expectOneStatusComment(waiting, 'The agent is working.');
  waiting.release();
  await scene.ended(REPO, waiting.issue);
});

test('the process of up itself is small', () => {
  const [, kilobytes] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${scene.stack.pid}/status`, 'utf8')) ?? [];
  expect(Number(kilobytes)).toBeGreaterThan(0);
  expect(Number(kilobytes)).toBeLessThan(100 * 1024);
});

describe('a worker that is killed while an agent works', () => {
  let waiting: Waiting;
  let workerBefore: number;

  beforeAll(async () => {
    waiting = await waitingRun('the worker dies');
    workerBefore = scene.stack.pidOf('worker');
    process.kill(workerBefore, 'SIGKILL');
    await eventually('another worker', () => {
      const now = scene.stack.pids()['worker'];
      return now !== undefined && now !== workerBefore;
    });
  });

  test('leaves the agent alive', () => {
    expect(placesNow(waiting)).toEqual([waiting.agent]);
    expect(waiting.agent.lives).toBe(true);
  });

  test('is replaced by one that finds the agent, and the run succeeds', async () => {
    waiting.release();
    waiting.run = await scene.ended(REPO, waiting.issue);
    expect(waiting.run).toMatchObject({ status: 'succeeded', pullRequest: expect.any(Number) });
    await expectOneStatusComment(waiting, 'Done.');
  });

  test('leads to no second agent', async () => {
    expect(placesNow(waiting)).toEqual([{ ...waiting.agent, lives: false }]);
    expect(outputOf(waiting.agent)).not.toContain('another process has claimed this attempt');
    expect(beginnings(await scene.log(waiting.run.id))).toHaveLength(1);
  });
});

describe('an up that is asked to stop while an agent works, and is started again', () => {
  let waiting: Waiting;
  let owned: ReturnType<typeof processesOf>;
  let supervised: number[];
  let ended: Awaited<ReturnType<Scene['stack']['end']>>;
  let seconds: number;
  const bystander = spawn('sleep', ['600'], { stdio: 'ignore', argv0: 'codex-k8s agent' });

  beforeAll(async () => {
    waiting = await waitingRun('up is stopped');
    owned = processesOf(scene.stack.directory);
    supervised = Object.values(scene.stack.pids());
    const since = performance.now();
    ended = await scene.stack.end('SIGINT');
    seconds = (performance.now() - since) / 1000;
  });

  afterAll(() => {
    bystander.kill('SIGKILL');
  });

  test('has something to stop: its own processes, the agent, Codex and its command', () => {
    const pids = owned.map(({ pid }) => pid);
    expect(pids).toEqual(expect.arrayContaining([waiting.agent.pid, ...supervised]));
    expect(supervised).toHaveLength(5);
    expect(owned.some(({ command }) => /codex.* exec /.test(command))).toBe(true);
    expect(owned.some(({ command }) => command.includes('until [ -e'))).toBe(true);
    expect(owned.some(({ command }) => command.startsWith('postgres: '))).toBe(true);
  });

  test('ends with 0, and takes everything along that it started', () => {
    expect(ended).toEqual({ code: 0, signal: null });
    expect(living(owned)).toEqual([]);
    expect(processesOf(scene.stack.directory)).toEqual([]);
  });

  test('ends within the patience of a person', () => {
    expect(seconds).toBeLessThan(30);
  });

  test('touches nothing else', () => {
    expect(identify(bystander.pid ?? 0)).toBeDefined();
  });

  test('goes on with the run: the agent is started once more, and the run succeeds', async () => {
    await startAgain();
    waiting.release();
    waiting.run = await scene.ended(REPO, waiting.issue);
    expect(waiting.run).toMatchObject({ status: 'succeeded', pullRequest: expect.any(Number) });
    expect(placesNow(waiting).map(({ attempt }) => attempt)).toEqual([1, 2]);
    await expectOneStatusComment(waiting, 'Done.');
  });

  test('goes on with the same conversation', async () => {
    const conversation = await storedConversation(scene.sql, waiting.run.id);
    expect(conversation?.threadId).toBe(waiting.run.threadId);
    const rollout = conversation?.text ?? '';
    expect(rollout.match(/Your work was interrupted by a restart of the machine/g)?.length).toBeGreaterThan(0);
    expect(rollout.match(/"type":"session_meta"/g)).toHaveLength(1);
  });

  test('shows in the log what both agents did, to the last word of the first', async () => {
    const log = await scene.log(waiting.run.id);
    expect(log.filter(({ text }) => text === 'The run was canceled')).toHaveLength(1);
    expect(beginnings(log)).toHaveLength(2);
    expect(log.filter(({ kind, text }) => kind === 'command' && text.includes('until [ -e'))).toHaveLength(2);
    expect(log.some(({ kind, text }) => kind === 'runner' && text.startsWith('Pushed 1 commit'))).toBe(true);
  });
});

describe('an up that is killed while an agent works, and is started again', () => {
  let waiting: Waiting;

  beforeAll(async () => {
    waiting = await waitingRun('up is killed');
    await scene.stack.end('SIGKILL');
  });

  test('leaves the agent alive, and finds it again', async () => {
    expect(placesNow(waiting)).toEqual([waiting.agent]);
    await startAgain();
    expect(placesNow(waiting)).toEqual([waiting.agent]);
  });

  test('lets the run go on to its end', async () => {
    waiting.release();
    waiting.run = await scene.ended(REPO, waiting.issue);
    expect(waiting.run).toMatchObject({ status: 'succeeded', pullRequest: expect.any(Number) });
    await expectOneStatusComment(waiting, 'Done.');
  });

  test('starts no second agent', async () => {
    expect(placesNow(waiting)).toEqual([{ ...waiting.agent, lives: false }]);
    expect(outputOf(waiting.agent)).not.toContain('another process has claimed this attempt');
    expect(beginnings(await scene.log(waiting.run.id))).toHaveLength(1);
  });
});
