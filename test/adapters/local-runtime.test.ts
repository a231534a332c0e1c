import { execa } from 'execa';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { ensureWorkspace, ForeignWorkspace } from '../../src/adapters/local-runtime/workspace.ts';
import { readRecord } from '../../src/adapters/local-runtime/process-record.ts';
import { identify, isAlive, type ProcessIdentity } from '../../src/adapters/process-identity.ts';
import { createLocalRuntime } from '../../src/adapters/local-runtime/runtime.ts';
import { writeAgent, type Manner } from '../support/agent.ts';

type Runtime = ReturnType<typeof createLocalRuntime>;

const OWNER = 'issue:42#7';
const AGENT = { workspace: 'codex-demo-r42-i7', runId: '0f0f0f0f-0000-4000-8000-000000000002', attempt: 1 };
const ORDER = { ...AGENT, owner: OWNER, token: 'ck8s_run_of_the_test' };
const RUNTIME = join(import.meta.dirname, '../../src/adapters/local-runtime/runtime.ts');
/** A tenth of what a worker gives, where tests wait for it. */
const LIMITS = { stopGraceMs: 1000, groupMs: 200 };
const FOREVER = new AbortController().signal;

let directory: string;
let root: string;
/** Processes that a test saw, to be sure that none is left. */
let seen: ProcessIdentity[];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'local-runtime-'));
  root = join(directory, 'workspaces');
  seen = [];
});

afterEach(async () => {
  for (const { pid } of seen.filter(isAlive)) process.kill(-pid, 'SIGKILL');
  await rm(directory, { recursive: true, force: true, maxRetries: 5 });
});

async function runtimeOf(manner: Manner): Promise<Runtime> {
  const command = await writeAgent(directory, manner);
  const env = { PATH: process.env['PATH'] ?? '', GREETING: 'hello' };
  return createLocalRuntime({ root, command, platformUrl: 'http://127.0.0.1:9', env, limits: LIMITS });
}

function attemptDirectory(agent = AGENT): string {
  return join(root, agent.workspace, 'runs', `${agent.runId}.${agent.attempt}`);
}

/** The process that has claimed the attempt; fails when there is none. */
async function processOf(agent = AGENT): Promise<ProcessIdentity> {
  const record = await readRecord(join(attemptDirectory(agent), 'process.json'));
  if (!record) throw new Error(`nobody claimed ${attemptDirectory(agent)}`);
  seen.push(record);
  return record;
}

async function fileThere(path: string): Promise<void> {
  await vi.waitUntil(() => existsSync(path), { timeout: 20_000, interval: 20 });
}

/** The pids of all agents that ever worked in the workspace. */
async function started(): Promise<string[]> {
  const log = await readFile(join(root, AGENT.workspace, 'workspace', 'started.log'), 'utf8');
  return log.trim().split('\n');
}

/** Launches an agent and waits until it is at work. */
async function atWork(manner: Manner): Promise<{ runtime: Runtime; record: ProcessIdentity }> {
  const runtime = await runtimeOf(manner);
  await runtime.launch(ORDER);
  const record = await processOf();
  await fileThere(join(attemptDirectory(), 'ready'));
  return { runtime, record };
}

/** The agent's own child, which belongs to its group. */
async function childOf(): Promise<ProcessIdentity> {
  await vi.waitUntil(
    () =>
      existsSync(join(attemptDirectory(), 'child.pid')) &&
      readFileSync(join(attemptDirectory(), 'child.pid'), 'utf8') !== '',
    {
      timeout: 20_000,
      interval: 20,
    },
  );
  const pid = Number(await readFile(join(attemptDirectory(), 'child.pid'), 'utf8'));
  return identify(pid) ?? { pid, startTime: 'gone' };
}

/** A worker of its own, as a process that launches the agent and lives on. */
async function startLauncher(): Promise<{
  launched: Promise<void>;
  kill(): Promise<{ signal?: string | undefined; stdout: string }>;
}> {
  const options = {
    root,
    command: await writeAgent(directory, 'live'),
    platformUrl: 'http://127.0.0.1:9',
    env: { PATH: process.env['PATH'] ?? '' },
  };
  const script = join(directory, 'launcher.ts');
  await writeFile(
    script,
    `import { createLocalRuntime } from ${JSON.stringify(RUNTIME)};
await createLocalRuntime(${JSON.stringify(options)}).launch(${JSON.stringify(ORDER)});
process.stdout.write('launched');
setInterval(() => {}, 1000);
`,
  );
  const launcher = execa(process.execPath, [script], { reject: false });
  return {
    launched: new Promise((resolve) => {
      launcher.stdout.once('data', () => resolve());
      launcher.once('exit', () => resolve());
    }),
    async kill() {
      launcher.kill('SIGKILL');
      return launcher;
    },
  };
}

async function gone(record: ProcessIdentity): Promise<void> {
  await vi.waitUntil(() => !isAlive(record), { timeout: 20_000, interval: 20 });
}

describe('launching', () => {
  test('starts an agent that has claimed its directory', async () => {
    const { record } = await atWork('live');
    expect(isAlive(record)).toBe(true);
  });

  test('tells the agent where everything is, and nothing of the environment of its launcher', async () => {
    await atWork('live');
    const { env, ...told } = JSON.parse(await readFile(join(attemptDirectory(), 'seen.json'), 'utf8')) as {
      env: object;
    };
    expect(told).toEqual({
      'platform-url': 'http://127.0.0.1:9',
      'token-file': join(attemptDirectory(), 'token'),
      workspace: join(root, AGENT.workspace, 'workspace'),
      'attempt-directory': attemptDirectory(),
      cwd: attemptDirectory(),
    });
    expect(Object.keys(env).toSorted()).toEqual(['GREETING', 'PATH']);
  });

  test('keeps the token where only this user reads it', async () => {
    await atWork('live');
    expect(await readFile(join(attemptDirectory(), 'token'), 'utf8')).toBe(ORDER.token);
    expect((await stat(join(attemptDirectory(), 'token'))).mode & 0o777).toBe(0o600);
    expect((await stat(attemptDirectory())).mode & 0o077).toBe(0);
  });

  test('again finds the agent that lives', async () => {
    const { runtime, record } = await atWork('live');
    await runtime.launch(ORDER);
    expect(await processOf()).toEqual(record);
    expect(await started()).toEqual([String(record.pid)]);
  });

  test('again does not start an agent that has ended', async () => {
    const runtime = await runtimeOf('end');
    await runtime.launch(ORDER);
    await gone(await processOf());
    await runtime.launch(ORDER);
    expect(await started()).toHaveLength(1);
  });

  test('many times at once in one worker starts one process', async () => {
    const runtime = await runtimeOf('live');
    const launches = await Promise.allSettled(Array.from({ length: 6 }, () => runtime.launch(ORDER)));
    await processOf();
    expect(launches.filter(({ status }) => status === 'rejected')).toEqual([]);
    await fileThere(join(attemptDirectory(), 'ready'));
    expect(await started()).toHaveLength(1);
  });

  test('twice at once by two workers starts one process', async () => {
    const workers = [await startLauncher(), await startLauncher()];
    await Promise.all(workers.map(({ launched }) => launched));
    const record = await processOf();
    await fileThere(join(attemptDirectory(), 'ready'));
    const ends = await Promise.all(workers.map((worker) => worker.kill()));
    expect(ends.map(({ stdout }) => stdout)).toEqual(['launched', 'launched']);
    expect(await started()).toEqual([String(record.pid)]);
  });

  test('the next attempt ends the one before', async () => {
    const { runtime, record } = await atWork('live');
    await runtime.launch({ ...ORDER, attempt: 2 });
    expect(isAlive(record)).toBe(false);
    expect(isAlive(await processOf({ ...AGENT, attempt: 2 }))).toBe(true);
  });

  test('the next attempt ends what an agent left behind that was killed', async () => {
    const { runtime, record } = await atWork('parent');
    const child = await childOf();
    process.kill(record.pid, 'SIGKILL');
    await gone(record);
    await runtime.launch({ ...ORDER, attempt: 2 });
    await processOf({ ...AGENT, attempt: 2 });
    const left = isAlive(child);
    if (left) process.kill(child.pid, 'SIGKILL');
    expect(left).toBe(false);
  });

  test('keeps the workspace from one attempt to the next', async () => {
    const { runtime } = await atWork('live');
    await writeFile(join(root, AGENT.workspace, 'workspace', 'notes.txt'), 'kept');
    await runtime.launch({ ...ORDER, attempt: 2 });
    await processOf({ ...AGENT, attempt: 2 });
    expect(await readFile(join(root, AGENT.workspace, 'workspace', 'notes.txt'), 'utf8')).toBe('kept');
  });

  test('says so when the agent ends before it has begun', async () => {
    const runtime = await runtimeOf('crash');
    await expect(runtime.launch(ORDER)).rejects.toThrow('code 7');
  });

  test('says so when there is no such program, and does not take the worker down', async () => {
    const options = { root, command: [join(directory, 'nothing')], platformUrl: 'http://127.0.0.1:9', env: {} };
    const script = join(directory, 'worker.ts');
    await writeFile(
      script,
      `import { createLocalRuntime } from ${JSON.stringify(RUNTIME)};
await createLocalRuntime(${JSON.stringify(options)}).launch(${JSON.stringify(ORDER)}).catch((error) => {
  process.stdout.write(error.code);
});
process.exit(0);
`,
    );
    const worker = await execa(process.execPath, [script], { reject: false });
    expect({ exitCode: worker.exitCode, stdout: worker.stdout }).toEqual({ exitCode: 0, stdout: 'ENOENT' });
  });
});

describe('waiting for the end', () => {
  test('ends when the agent exits, and tells its code', async () => {
    const runtime = await runtimeOf('end');
    await runtime.launch(ORDER);
    await processOf();
    expect((await runtime.ended(AGENT, FOREVER)).detail).toContain('code 3');
  });

  test('ends with the agent, not at the next look for one that was killed', async () => {
    const waits: number[] = [];
    for (let attempt = 1; attempt <= 12 && !waits.some((wait) => wait < 400); attempt++) {
      const runtime = await runtimeOf('live');
      const agent = { ...ORDER, attempt };
      await runtime.launch(agent);
      const record = await processOf(agent);
      await fileThere(join(attemptDirectory(agent), 'ready'));
      const ended = runtime.ended(agent, FOREVER);
      process.kill(record.pid, 'SIGTERM');
      await fileThere(join(attemptDirectory(agent), 'exit.json'));
      const before = performance.now();
      await ended;
      waits.push(performance.now() - before);
    }
    // The best of a few: a machine that is busy may be late now and then.
    expect(Math.min(...waits)).toBeLessThan(400);
  });

  test('ends when the agent is killed', async () => {
    const { runtime, record } = await atWork('live');
    const ended = runtime.ended(AGENT, FOREVER);
    process.kill(record.pid, 'SIGKILL');
    expect((await ended).detail).toContain('killed');
  });

  test('ends at once when the agent was never started', async () => {
    const runtime = await runtimeOf('live');
    expect((await runtime.ended(AGENT, FOREVER)).detail).toContain('never started');
  });

  test('is given up when the worker says so, and leaves the agent alone', async () => {
    const { runtime, record } = await atWork('live');
    const patience = new AbortController();
    const ended = runtime.ended(AGENT, patience.signal);
    patience.abort(new Error('the worker shuts down'));
    await expect(ended).rejects.toThrow('the worker shuts down');
    expect(isAlive(record)).toBe(true);
  });

  test('does not take another process for the agent that has the same pid', async () => {
    const { runtime } = await atWork('live');
    const record = { pid: process.pid, startTime: '1' };
    await writeFile(join(attemptDirectory(), 'process.json'), JSON.stringify(record));
    expect((await runtime.ended(AGENT, FOREVER)).detail).toContain('killed');
    await runtime.stop(AGENT);
    expect(identify(process.pid)?.startTime).toBeDefined();
  });
});

describe('stopping', () => {
  /** A runtime whose agent was stopped after its process was spawned and before it had claimed the attempt. */
  async function stoppedWhileStarting() {
    const runtime = await runtimeOf('slow');
    const launched = runtime.launch(ORDER);
    await fileThere(join(attemptDirectory(), 'spawned'));
    await runtime.stop(AGENT);
    await writeFile(join(attemptDirectory(), 'go'), '');
    await launched;
    return runtime;
  }

  test('ends the agent', async () => {
    const { runtime, record } = await atWork('live');
    await runtime.stop(AGENT);
    expect(isAlive(record)).toBe(false);
  });

  test('ends an agent that does not listen', async () => {
    const { runtime, record } = await atWork('deaf');
    await runtime.stop(AGENT);
    expect(isAlive(record)).toBe(false);
  });

  test('ends its children too, though they do not listen', async () => {
    const { runtime, record } = await atWork('parent');
    const child = await childOf();
    await runtime.stop(AGENT);
    expect(isAlive(record)).toBe(false);
    const left = isAlive(child);
    if (left) process.kill(child.pid, 'SIGKILL');
    expect(left).toBe(false);
  });

  test('ends no other run', async () => {
    const { runtime, record } = await atWork('live');
    await runtime.stop({ workspace: AGENT.workspace, runId: '0f0f0f0f-0000-4000-8000-00000000000f' });
    expect(isAlive(record)).toBe(true);
  });

  test.each(['an agent that has ended', 'an agent that never was'])('is done already for %s', async (what) => {
    const runtime = await runtimeOf('end');
    if (what === 'an agent that has ended') {
      await runtime.launch(ORDER);
      await gone(await processOf());
    }
    await expect(runtime.stop(AGENT)).resolves.toBeUndefined();
  });

  test('while an agent is being started keeps it from beginning', async () => {
    const runtime = await stoppedWhileStarting();
    await vi.waitUntil(
      () => identify(Number(readFileSync(join(attemptDirectory(), 'spawned'), 'utf8'))) === undefined,
      { timeout: 20_000, interval: 20 },
    );
    await expect(started()).rejects.toThrow('ENOENT');
    expect(await runtime.ended(AGENT, FOREVER)).toEqual({ detail: 'the agent was stopped before it had begun' });
  });

  test('while an agent is being started does not keep the next attempt from beginning', async () => {
    await stoppedWhileStarting();
    const next = await runtimeOf('live');
    await next.launch({ ...ORDER, attempt: 2 });
    expect(isAlive(await processOf({ ...AGENT, attempt: 2 }))).toBe(true);
  });

  test('all ends every agent under the root', async () => {
    const { runtime, record } = await atWork('live');
    const other = { ...ORDER, workspace: 'codex-demo-r42-i8', owner: 'issue:42#8' };
    await runtime.launch(other);
    const second = await processOf(other);
    await runtime.stopAll();
    expect([record, second].map(isAlive)).toEqual([false, false]);
  });
});

describe('a workspace', () => {
  const directory = (): string => join(root, AGENT.workspace);

  async function foreign(file: string | undefined): Promise<void> {
    await mkdir(directory(), { recursive: true });
    if (file !== undefined) await writeFile(join(directory(), 'workspace.json'), file);
    await writeFile(join(directory(), 'theirs.txt'), 'precious');
  }

  const OTHERS: [string, string | undefined][] = [
    ['of another issue', JSON.stringify({ managedBy: 'codex-k8s', owner: 'issue:42#8' })],
    ['of another program', JSON.stringify({ managedBy: 'somebody', owner: OWNER })],
    ['without an owner', JSON.stringify({ managedBy: 'codex-k8s' })],
    ['with an owner that cannot be read', '{'],
    ['that nobody marked', undefined],
  ];

  test.each(OTHERS)('%s is not adopted', async (_what, file) => {
    await foreign(file);
    const runtime = await runtimeOf('live');
    await expect(runtime.launch(ORDER)).rejects.toThrow(ForeignWorkspace);
    expect(existsSync(attemptDirectory())).toBe(false);
  });

  test.each(OTHERS)('%s is not removed', async (_what, file) => {
    await foreign(file);
    const runtime = await runtimeOf('live');
    await expect(runtime.removeWorkspace({ name: AGENT.workspace, owner: OWNER })).rejects.toThrow(ForeignWorkspace);
    expect(await readFile(join(directory(), 'theirs.txt'), 'utf8')).toBe('precious');
  });

  test('of another issue keeps its agents when it is not removed', async () => {
    const { runtime, record } = await atWork('live');
    const removal = runtime.removeWorkspace({ name: AGENT.workspace, owner: 'issue:42#8' });
    await expect(removal).rejects.toThrow(ForeignWorkspace);
    expect(isAlive(record)).toBe(true);
  });

  test('is removed with its agent and all that is in it', async () => {
    const { runtime, record } = await atWork('live');
    await runtime.removeWorkspace({ name: AGENT.workspace, owner: OWNER });
    expect(isAlive(record)).toBe(false);
    expect(existsSync(directory())).toBe(false);
  });

  test('that is gone is removed already', async () => {
    const runtime = await runtimeOf('live');
    await expect(runtime.removeWorkspace({ name: AGENT.workspace, owner: OWNER })).resolves.toEqual({});
  });

  test('whose removal was cut off is removed by the next attempt', async () => {
    const runtime = await runtimeOf('live');
    await ensureWorkspace(directory(), OWNER);
    await rename(directory(), `${directory()}.removing`);
    await runtime.removeWorkspace({ name: AGENT.workspace, owner: OWNER });
    expect(existsSync(`${directory()}.removing`)).toBe(false);
  });

  test('is made once, by many who make it at once', async () => {
    for (let round = 0; round < 100; round++) {
      const made = await Promise.allSettled(
        Array.from({ length: 8 }, () => ensureWorkspace(join(root, `codex-demo-r42-i${round}`), OWNER)),
      );
      expect(made.filter(({ status }) => status === 'rejected')).toEqual([]);
    }
  });
});

test('an agent outlives the process that launched it, and is found again', async () => {
  const launcher = await startLauncher();
  await launcher.launched;
  const record = await processOf();
  await fileThere(join(attemptDirectory(), 'ready'));
  expect(await launcher.kill()).toMatchObject({ signal: 'SIGKILL', stdout: 'launched' });
  expect(isAlive(record)).toBe(true);

  const runtime = await runtimeOf('live');
  await runtime.launch(ORDER);
  expect(await started()).toEqual([String(record.pid)]);
  const ended = runtime.ended(AGENT, FOREVER);
  await runtime.stop(AGENT);
  expect((await ended).detail).toContain('code 0');
});
