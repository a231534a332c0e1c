/** The embedded default as a person starts it: `codex-k8s up --json`, a process of its own in a directory of its own. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { finished } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { findUp, isReady, type Ready } from '../../src/embedded/data-directory.ts';
import { identify, isAlive, type ProcessIdentity } from '../../src/adapters/process-identity.ts';
import { programWith, type PlannedFaults } from './faults/program.ts';
import { isShared, shared } from './shared.ts';

const CLI = fileURLToPath(new URL('../../src/cli/cli.ts', import.meta.url));

/** An `up` that is told to stop stops everything within this time, a waiting agent included. */
const STOP_LIMIT_MS = 60_000;

/** A process that belongs to a data directory. */
export interface OwnedProcess extends ProcessIdentity {
  readonly command: string;
}

export interface Stack {
  readonly directory: string;
  /** What its server and worker meet. */
  readonly faults: PlannedFaults | undefined;
  /** What the `up` that runs now has printed. */
  readonly ready: Ready;
  /** The process of `up`. */
  readonly pid: number;
  /** The pids of its processes now, restarted ones included. */
  pids(): Record<string, number>;
  /** One of them; throws when it does not run, so that nobody kills pid 0, which is everybody. */
  pidOf(name: string): number;
  /** Starts `up` again in the same directory. */
  start(): Promise<void>;
  /** Sends a signal to `up` and waits for its end. */
  end(signal: NodeJS.Signals): Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  /** What `up` has written for people to read. */
  said(): string;
  secret(name: string): string;
  /** Stops everything and removes the directory. */
  destroy(): Promise<void>;
}

/** A month, in seconds: a test that does not ask for sweeps has none that would heal what it breaks. */
const SELDOM = '2592000';
const NO_SWEEPS = {
  CODEXK8S_SWEEP_REDELIVERY_SECONDS: SELDOM,
  CODEXK8S_SWEEP_RECONCILE_SECONDS: SELDOM,
  CODEXK8S_SWEEP_WORKSPACE_SECONDS: SELDOM,
};

/** A test has as many runs at work as it asks for. */
const NO_LIMITS = {
  CODEXK8S_RUN_LIMITS: 'installation=9999,project=9999,role=9999',
  CODEXK8S_TRIGGERS_PER_HOUR: '0',
};

/** Variables for `up`, or what gives them for its directory. */
export type StackEnv = Record<string, string> | ((directory: string) => Record<string, string>);

/**
 * Starts `up` in a new directory. `given` is put over an environment without a real model and without another database. In tests
 * its server and worker have short limits, unless told; benchmarks and the soak have production's.
 */
export async function startStack(given: StackEnv = {}, asked?: PlannedFaults): Promise<Stack> {
  const faults = isShared() ? { limits: 'short' as const, ...asked } : asked;
  const directory = mkdtempSync(join(tmpdir(), 'codex-k8s-e2e-'));
  const bundle = await shared(faults?.limits === 'short' ? 'stack-workflows' : 'workflows');
  const env = {
    ...NO_SWEEPS,
    ...NO_LIMITS,
    // No worker waits until they are bundled anew.
    ...(bundle === undefined ? {} : { CODEXK8S_WORKFLOW_BUNDLE: bundle }),
    ...(typeof given === 'function' ? given(directory) : given),
  };
  let up: RunningUp | undefined;

  function running(): RunningUp {
    if (!up) throw new Error('up does not run');
    return up;
  }

  async function destroy(): Promise<void> {
    await up?.end('SIGINT').catch(() => undefined);
    up = undefined;
    const left = processesOf(directory);
    for (const { pid } of left) kill(pid);
    await eventually('the end of what was killed', () => living(left).length === 0);
    const database = realDirectory(join(directory, 'postgres'));
    rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
    rmSync(database, { recursive: true, force: true, maxRetries: 5 });
  }

  const stack: Stack = {
    directory,
    faults,
    get ready() {
      return running().ready;
    },
    get pid() {
      return running().pid;
    },
    pids: () => findUp(directory)?.processes ?? {},
    pidOf(name) {
      const pid = findUp(directory)?.processes[name];
      if (pid === undefined) throw new Error(`there is no ${name} just now`);
      return pid;
    },
    async start() {
      up = await startUp(directory, env, faults);
    },
    async end(signal) {
      const ended = await running().end(signal);
      up = undefined;
      return ended;
    },
    said: () => running().said(),
    secret: (name) => readFileSync(join(directory, 'secrets', name), 'utf8').trim(),
    destroy,
  };
  try {
    await stack.start();
    return stack;
  } catch (error) {
    await destroy();
    throw error;
  }
}

/** The arguments with which Node starts `codex-k8s`; a command comes after them. */
export function programOf(faults: PlannedFaults | undefined): string[] {
  const { limits = 'production', ...others } = faults ?? {};
  const asShipped = limits === 'production' && Object.keys(others).length === 0;
  return faults === undefined || asShipped ? [CLI] : programWith(faults);
}

interface RunningUp {
  readonly ready: Ready;
  readonly pid: number;
  said(): string;
  end(signal: NodeJS.Signals): Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
}

async function startUp(
  directory: string,
  env: Record<string, string>,
  faults: PlannedFaults | undefined,
): Promise<RunningUp> {
  const { OPENAI_API_KEY: _, DATABASE_URL: __, ...inherited } = process.env;
  const child = spawn(process.execPath, [...programOf(faults), 'up', '--json', '--data', directory], {
    env: { ...inherited, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const exited = once(child, 'exit') as Promise<[number | null, NodeJS.Signals | null]>;
  const guardian = guard(child);
  let said = '';
  child.stderr.on('data', (data: Buffer) => (said += String(data)));
  const firstLine = once(createInterface({ input: child.stdout }), 'line') as Promise<[string]>;

  async function end(signal: NodeJS.Signals): Promise<{ code: number | null; signal: NodeJS.Signals | null }> {
    child.kill(signal);
    const limit = setTimeout(() => child.kill('SIGKILL'), STOP_LIMIT_MS);
    const [code, by] = await exited;
    clearTimeout(limit);
    guardian.kill('SIGKILL');
    return { code, signal: by };
  }

  const line = await Promise.race([firstLine, exited.then(([code]) => code)]);
  if (!Array.isArray(line)) {
    guardian.kill('SIGKILL');
    // What it has said last may come after its end; somebody else may hold the pipe.
    await Promise.race([finished(child.stderr), sleep(5000)]);
    throw new Error(`up ended with ${line} before it was ready:\n${said}`);
  }
  const ready: unknown = JSON.parse(line[0]);
  if (!isReady(ready)) throw new Error(`up is not ready: ${line[0]}`);
  return { ready, pid: child.pid ?? 0, said: () => said, end };
}

/** Stops `up` should the test process be killed: then the guardian's standard input comes to its end. */
function guard(up: ChildProcess): ChildProcess {
  const guardian = spawn('/bin/sh', ['-c', 'read -r _; kill -INT "$0"', String(up.pid)], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  });
  guardian.unref();
  return guardian;
}

/** Every process that works in a directory, or names it in its command or environment, but for this one. Linux only. */
export function processesOf(directory: string): OwnedProcess[] {
  return allPids().flatMap((pid) => {
    const command = readProc(pid, 'cmdline').replaceAll('\0', ' ').trim();
    const owned = [command, readProc(pid, 'environ'), linkOf(pid)].some((text) => text.includes(directory));
    const identity = owned && pid !== process.pid ? identify(pid) : undefined;
    return identity ? [{ ...identity, command }] : [];
  });
}

/** Those of them that still live. */
export function living(processes: readonly OwnedProcess[]): OwnedProcess[] {
  return processes.filter((one) => isAlive(one));
}

/** The pids of a process and of all that it and its children have started, as long as their parents live. */
export function familyOf(pid: number): number[] {
  const children = allPids().filter((candidate) => parentOf(candidate) === pid);
  return [pid, ...children.flatMap(familyOf)];
}

/** Holds a process and its children, so that they neither work nor answer, while something is done. */
export async function whileFrozen<Result>(pid: number, act: () => Promise<Result>): Promise<Result> {
  // First itself, so that it has no more children while those that it has are looked for.
  kill(pid, 'SIGSTOP');
  const frozen = familyOf(pid);
  for (const one of frozen) kill(one, 'SIGSTOP');
  try {
    return await act();
  } finally {
    for (const one of frozen.toReversed()) if (identify(one)) kill(one, 'SIGCONT');
  }
}

/** What stands in a file of a process below /proc; empty for one that is gone. */
export function readProc(pid: number, file: 'cmdline' | 'environ' | 'stat'): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'latin1');
  } catch {
    return '';
  }
}

export function allPids(): number[] {
  return readdirSync('/proc').flatMap((name) => (/^\d+$/.test(name) ? [Number(name)] : []));
}

/** The pauses of `eventually`, in milliseconds: what holds soon is seen soon, and what takes long is not asked for too often. */
const FIRST_PAUSE_MS = 5;
const LONGEST_PAUSE_MS = 50;

/** Waits until `holds` gives something. */
export async function eventually<Value>(
  what: string,
  holds: () => Value | undefined | false | null | Promise<Value | undefined | false | null>,
  limitMs = 120_000,
): Promise<Value> {
  const deadline = performance.now() + limitMs;
  for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(2 * pause, LONGEST_PAUSE_MS)) {
    const value = await holds();
    if (value !== undefined && value !== false && value !== null) return value;
    if (performance.now() > deadline) throw new Error(`Not within ${limitMs / 1000} s: ${what}`);
    await sleep(pause);
  }
}

function parentOf(pid: number): number {
  const stat = readProc(pid, 'stat');
  return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
}

function linkOf(pid: number): string {
  try {
    return readlinkSync(`/proc/${pid}/cwd`);
  } catch {
    return '';
  }
}

/** The directory of a database that root had to put elsewhere. */
function realDirectory(path: string): string {
  try {
    return join(readlinkSync(path), '..');
  } catch {
    return path;
  }
}

/** One that has ended meanwhile is let be. */
function kill(pid: number, signal: NodeJS.Signals = 'SIGKILL'): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
