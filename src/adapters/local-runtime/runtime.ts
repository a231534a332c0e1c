/**
 * The local runtime: an agent is a process in a directory of its own, in a session of its own, so that it outlives the
 * worker that started it. The agent claims its place itself before it does anything: a second process of the same
 * attempt finds the claim and ends, whoever started it.
 *
 *     <root>/<workspace>/workspace.json        whose it is
 *     <root>/<workspace>/workspace/              the agent's files, kept between runs
 *     <root>/<workspace>/runs/<run>.<attempt>/   token, process.json, output.log, exit.json
 */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, open, readdir, readFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import pLimit from 'p-limit';
import { changesIn } from './changes.ts';
import {
  assertRemovable,
  ensureWorkspace,
  listWorkspaces,
  removeWorkspace,
  writeSecretFile,
  type WorkspaceEntry,
} from './workspace.ts';
import { identify, isAlive, type ProcessIdentity } from '../process-identity.ts';
import { claim, NEVER, readRecord } from './process-record.ts';

export interface LocalRuntimeOptions {
  /** The directory that holds all workspaces. */
  readonly root: string;
  /** The command of the agent, `codex-k8s agent`; what the run needs is added. */
  readonly command: readonly [string, ...string[]];
  readonly platformUrl: string;
  /** The agent's whole workspace. Nothing secret belongs in it. */
  readonly env: Readonly<Record<string, string>>;
  /** Those that are not given are production's. */
  readonly limits?: Partial<LocalRuntimeLimits>;
}

interface AgentRef {
  readonly workspace: string;
  readonly runId: string;
  readonly attempt: number;
}

/** Milliseconds. */
export interface LocalRuntimeLimits {
  /** In which a started agent claims its place, on a slow machine too. */
  readonly claimMs: number;
  /** Between two looks for the claim, should no change be reported. */
  readonly claimLookMs: number;
  /** In which an agent that was asked to stop may save its conversation. */
  readonly stopGraceMs: number;
  /** In which what was killed is gone: at once, on a busy machine within seconds. */
  readonly killMs: number;
  /** A group whose leader is gone may consist of zombies that nobody waits for: after this time they are let be. */
  readonly groupMs: number;
  /** A process that is killed leaves no exit.json: its absence is looked for this often. */
  readonly livenessMs: number;
}

export const LOCAL_RUNTIME_LIMITS: LocalRuntimeLimits = {
  claimMs: 20_000,
  claimLookMs: 200,
  stopGraceMs: 10_000,
  killMs: 10_000,
  groupMs: 2000,
  livenessMs: 1000,
};

/** One that has written its exit.json is gone within a moment: first looked for after this long, then twice as long. */
const LEAVING_MS = 10;

/** Agents that start at once: more of them only keep each other, and everything else, from the processors. */
const STARTING_AT_ONCE = 2 * availableParallelism();

export function createLocalRuntime({ root, command, platformUrl, env, limits: given }: LocalRuntimeOptions) {
  const limits = { ...LOCAL_RUNTIME_LIMITS, ...given };
  const starting = pLimit(STARTING_AT_ONCE);
  const workspaceOf = (name: string): string => join(root, name);
  const attemptDirectory = ({ workspace, runId, attempt }: AgentRef): string =>
    join(root, workspace, 'runs', `${runId}.${attempt}`);
  const recordOf = (agent: AgentRef): Promise<ProcessIdentity | undefined> =>
    readRecord(join(attemptDirectory(agent), 'process.json'));

  async function attemptDirectories(workspace: string): Promise<string[]> {
    const runs = join(root, workspace, 'runs');
    return (await readdir(runs).catch(() => [])).map((directory) => join(runs, directory));
  }

  async function stopAttempts(attempts: readonly string[]): Promise<void> {
    const records = await Promise.all(attempts.map((directory) => readRecord(join(directory, 'process.json'))));
    await Promise.all(records.flatMap((record) => (record ? [stopProcess(record, limits)] : [])));
  }

  return {
    async launch({ owner, token, ...agent }: AgentRef & { owner: string; token: string }): Promise<object> {
      await ensureWorkspace(workspaceOf(agent.workspace), owner);
      // From here on `stop` finds the attempt, also when its process is yet to be started.
      await mkdir(attemptDirectory(agent), { recursive: true, mode: 0o700 });
      if (await recordOf(agent)) return {};
      const earlier = (await attemptDirectories(agent.workspace)).filter(
        (directory) => directory !== attemptDirectory(agent),
      );
      await stopAttempts(earlier);
      await starting(async () => {
        if (!(await recordOf(agent))) await start(agent, token);
      });
      return {};
    },

    async ended(agent: AgentRef, signal: AbortSignal): Promise<{ detail: string }> {
      const record = await recordOf(agent);
      if (!record) return { detail: 'the agent was never started here' };
      if (record.pid === NEVER.pid) return { detail: 'the agent was stopped before it had begun' };
      await untilGone(record, attemptDirectory(agent), { signal, ...limits });
      const exit = await readFile(join(attemptDirectory(agent), 'exit.json'), 'utf8').catch(() => undefined);
      if (exit === undefined) return { detail: `the agent's process ${record.pid} was killed` };
      const { code } = JSON.parse(exit) as { code: number };
      return { detail: `the agent's process ended with code ${code} without a report` };
    },

    async stop({ workspace, runId }: Pick<AgentRef, 'workspace' | 'runId'>): Promise<void> {
      const attempts = (await attemptDirectories(workspace)).filter((directory) => directory.includes(`/${runId}.`));
      // A process that a launch is starting just now ends when it finds its attempt claimed.
      await Promise.all(attempts.map((directory) => claim(join(directory, 'process.json'), NEVER)));
      await stopAttempts(attempts);
    },

    async removeWorkspace({ name, owner }: { name: string; owner: string }): Promise<object> {
      await assertRemovable(workspaceOf(name), owner);
      await stopAttempts(await attemptDirectories(name));
      await removeWorkspace(workspaceOf(name), owner);
      return {};
    },

    /** Workspaces of this platform, the longest unused first. */
    async listWorkspaces(): Promise<WorkspaceEntry[]> {
      return listWorkspaces(root);
    },

    /** Stops every agent under this root: for `up`, which takes along what it started. */
    async stopAll(): Promise<void> {
      const workspaces = await readdir(root).catch(() => []);
      await Promise.all(workspaces.map(async (name) => stopAttempts(await attemptDirectories(name))));
    },
  };

  /** Starts the process, and returns when it, or another one of the same attempt, has claimed its place. */
  async function start(agent: AgentRef, token: string): Promise<void> {
    const directory = attemptDirectory(agent);
    const workspace = join(workspaceOf(agent.workspace), 'workspace');
    await mkdir(workspace, { recursive: true, mode: 0o700 });
    const tokenFile = join(directory, 'token');
    await writeSecretFile(tokenFile, token);
    const output = await open(join(directory, 'output.log'), 'a', 0o600);
    const [program, ...args] = command;
    const agentArguments = [
      '--platform-url',
      platformUrl,
      '--token-file',
      tokenFile,
      '--workspace',
      workspace,
      '--attempt-directory',
      directory,
    ];
    const child = spawn(program, [...args, ...agentArguments], {
      cwd: directory,
      detached: true,
      stdio: ['ignore', output.fd, output.fd],
      env,
    });
    const failed = new Promise<never>((_, reject) => {
      child.once('error', reject);
      child.once('exit', (code) =>
        reject(new Error(`the agent ended at once with code ${code}; see output.log of its directory`)),
      );
    });
    failed.catch(() => undefined);
    child.unref();
    await output.close();
    await Promise.race([untilClaimed(agent), failed]).catch(async (error: unknown) => {
      if (!(await recordOf(agent))) throw error;
    });
  }

  async function untilClaimed(agent: AgentRef): Promise<void> {
    using changes = changesIn(attemptDirectory(agent));
    const limit = AbortSignal.timeout(limits.claimMs);
    while (!(await recordOf(agent))) {
      if (limit.aborted) throw new Error(`the agent did not start within ${limits.claimMs / 1000} s`);
      await changes.next(limits.claimLookMs);
    }
  }
}

/** Asks the agent and its process group to stop, then kills what is left of the group. */
async function stopProcess(
  record: ProcessIdentity,
  { stopGraceMs, killMs, groupMs }: LocalRuntimeLimits,
): Promise<void> {
  if (isAlive(record)) {
    signalGroup(record.pid, 'SIGTERM');
    const limit = AbortSignal.timeout(stopGraceMs);
    while (isAlive(record) && !limit.aborted) await delay(50);
  }
  // While a group has members its number is not given to another process: with its leader gone, the group is still the agent's.
  const since = performance.now();
  const isInTime = (): boolean => performance.now() - since < (isAlive(record) ? killMs : groupMs);
  while ((isAlive(record) || identify(record.pid) === undefined) && signalGroup(record.pid, 'SIGKILL') && isInTime())
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

/** Resolves when the process is gone; rejects when the signal says so. */
async function untilGone(
  record: ProcessIdentity,
  directory: string,
  { signal, livenessMs }: { signal: AbortSignal } & Pick<LocalRuntimeLimits, 'livenessMs'>,
): Promise<void> {
  using changes = changesIn(directory);
  let leavingMs = LEAVING_MS;
  while (isAlive(record)) {
    const leaves = existsSync(join(directory, 'exit.json'));
    await changes.next(leaves ? Math.min(leavingMs, livenessMs) : livenessMs, signal);
    if (leaves) leavingMs *= 2;
  }
}
