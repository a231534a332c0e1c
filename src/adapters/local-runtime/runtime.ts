/**
 * The local runtime: an agent is a process in a directory of its own, in a session of its own, so that it outlives the
 * worker that started it. The agent claims its place itself before it does anything: a second process of the same
 * attempt finds the claim and ends, whoever started it.
 *
 *     <root>/<environment>/environment.json        whose it is
 *     <root>/<environment>/workspace/              the agent's files, kept between runs
 *     <root>/<environment>/runs/<run>.<attempt>/   token, process.json, output.log, exit.json
 */
import { spawn } from 'node:child_process';
import { watch } from 'node:fs';
import { mkdir, open, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { assertRemovable, ensureEnvironment, removeEnvironment, writeSecretFile } from './environment.ts';
import { identify, isAlive, type ProcessIdentity } from '../process-identity.ts';
import { readRecord } from './process-record.ts';

export interface LocalRuntimeOptions {
  /** The directory that holds all environments. */
  readonly root: string;
  /** The command of the agent, `codex-k8s agent`; what the run needs is added. */
  readonly command: readonly [string, ...string[]];
  readonly platformUrl: string;
  /** The agent's whole environment. Nothing secret belongs in it. */
  readonly env: Readonly<Record<string, string>>;
}

interface AgentRef {
  readonly environment: string;
  readonly runId: string;
  readonly attempt: number;
}

/** A started agent claims its place within this time, on a slow machine too. */
const CLAIM_LIMIT_MS = 20_000;
/** An agent that was asked to stop may take this long to save its conversation. */
const STOP_GRACE_MS = 10_000;
/** What was killed is gone at once; a zombie that nobody waits for stays, and is let be. */
const KILL_LIMIT_MS = 2000;
/** A process that is killed leaves no exit.json: its absence is looked for this often. */
const LIVENESS_MS = 1000;

export function createLocalRuntime({ root, command, platformUrl, env }: LocalRuntimeOptions) {
  const environmentOf = (name: string): string => join(root, name);
  const placeOf = ({ environment, runId, attempt }: AgentRef): string =>
    join(root, environment, 'runs', `${runId}.${attempt}`);
  const recordOf = (agent: AgentRef): Promise<ProcessIdentity | undefined> =>
    readRecord(join(placeOf(agent), 'process.json'));

  async function placesOf(environment: string): Promise<string[]> {
    const runs = join(root, environment, 'runs');
    return (await readdir(runs).catch(() => [])).map((place) => join(runs, place));
  }

  async function stopPlaces(places: readonly string[]): Promise<void> {
    const records = await Promise.all(places.map((place) => readRecord(join(place, 'process.json'))));
    await Promise.all(records.flatMap((record) => (record ? [stopProcess(record)] : [])));
  }

  return {
    async launch({ owner, token, ...agent }: AgentRef & { owner: string; token: string }): Promise<void> {
      await ensureEnvironment(environmentOf(agent.environment), owner);
      if (await recordOf(agent)) return;
      const earlier = (await placesOf(agent.environment)).filter((place) => place !== placeOf(agent));
      await stopPlaces(earlier);
      const place = placeOf(agent);
      const workspace = join(environmentOf(agent.environment), 'workspace');
      await mkdir(place, { recursive: true, mode: 0o700 });
      await mkdir(workspace, { recursive: true, mode: 0o700 });
      await writeSecretFile(join(place, 'token'), token);
      const output = await open(join(place, 'output.log'), 'a', 0o600);
      const [program, ...args] = command;
      const child = spawn(
        program,
        [
          ...args,
          '--platform-url',
          platformUrl,
          '--token-file',
          join(place, 'token'),
          '--workspace',
          workspace,
          '--place',
          place,
        ],
        { cwd: place, detached: true, stdio: ['ignore', output.fd, output.fd], env },
      );
      const failed = new Promise<never>((_, reject) => {
        child.once('error', reject);
        child.once('exit', (code) =>
          reject(new Error(`the agent ended at once with code ${code}; see output.log of its place`)),
        );
      });
      failed.catch(() => undefined);
      child.unref();
      await output.close();
      await Promise.race([untilClaimed(agent), failed]).catch(async (error: unknown) => {
        if (!(await recordOf(agent))) throw error;
      });
    },

    async ended(agent: AgentRef, signal: AbortSignal): Promise<{ detail: string }> {
      const record = await recordOf(agent);
      if (!record) return { detail: 'the agent was never started here' };
      while (isAlive(record)) await changeIn(placeOf(agent), signal);
      const exit = await readFile(join(placeOf(agent), 'exit.json'), 'utf8').catch(() => undefined);
      if (exit === undefined) return { detail: `the agent's process ${record.pid} was killed` };
      const { code } = JSON.parse(exit) as { code: number };
      return { detail: `the agent's process ended with code ${code} without a report` };
    },

    async stop({ environment, runId }: Pick<AgentRef, 'environment' | 'runId'>): Promise<void> {
      const places = await placesOf(environment);
      await stopPlaces(places.filter((place) => place.includes(`/${runId}.`)));
    },

    async removeEnvironment({ name, owner }: { name: string; owner: string }): Promise<void> {
      await assertRemovable(environmentOf(name), owner);
      await stopPlaces(await placesOf(name));
      await removeEnvironment(environmentOf(name), owner);
    },

    /** Stops every agent under this root: for `up`, which takes along what it started. */
    async stopAll(): Promise<void> {
      const environments = await readdir(root).catch(() => []);
      await Promise.all(environments.map(async (name) => stopPlaces(await placesOf(name))));
    },
  };

  async function untilClaimed(agent: AgentRef): Promise<void> {
    const limit = AbortSignal.timeout(CLAIM_LIMIT_MS);
    while (!(await recordOf(agent))) {
      if (limit.aborted) throw new Error(`the agent did not start within ${CLAIM_LIMIT_MS / 1000} s`);
      await delay(20);
    }
  }
}

/** Asks the agent and its process group to stop, then kills what is left of the group. */
async function stopProcess(record: ProcessIdentity): Promise<void> {
  if (isAlive(record)) {
    signalGroup(record.pid, 'SIGTERM');
    const limit = AbortSignal.timeout(STOP_GRACE_MS);
    while (isAlive(record) && !limit.aborted) await delay(50);
  }
  // While a group has members its number is not given to another process: with its leader gone, the group is still the agent's.
  const limit = AbortSignal.timeout(KILL_LIMIT_MS);
  while (
    (isAlive(record) || identify(record.pid) === undefined) &&
    signalGroup(record.pid, 'SIGKILL') &&
    !limit.aborted
  )
    await delay(20);
}

/** False when the group has no member. */
function signalGroup(pid: number, signal: NodeJS.Signals): boolean {
  try {
    return process.kill(-pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
    throw error;
  }
}

/** Resolves when something changes in a directory, and after a second in any case; rejects when the signal says so. */
async function changeIn(directory: string, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  await new Promise<void>((resolve, reject) => {
    const watcher = watch(directory, finish);
    const timer = setTimeout(finish, LIVENESS_MS);
    const abort = (): void => finish(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    function finish(reason?: unknown): void {
      watcher.close();
      clearTimeout(timer);
      signal.removeEventListener('abort', abort);
      if (signal.aborted) reject(reason instanceof Error ? reason : new Error('stopped waiting'));
      else resolve();
    }
    watcher.on('error', finish);
  });
}
