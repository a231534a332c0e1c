/** Processes of components, which outlive the command that starts them and are identified by more than their pid. */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { closeSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import { identify, isAlive, type ProcessIdentity } from '../../../src/adapters/process-identity.ts';
import { readJsonFile, writeJsonFile } from '../../../src/embedded/files/json-file.ts';
import { limitLog, openLog } from '../../../src/embedded/processes/log-file.ts';
import { COMPONENTS, type Component } from './component.ts';
import { componentCommand, type ClusterSetting } from './component-commands.ts';
import { fits } from '../fits.ts';
import { containerdSocket, type ClusterDescription } from '../description.ts';
import type { ClusterPaths } from '../paths.ts';
import { systemPath } from '../prerequisites.ts';

const POLL_MS = 25;

/** `settings` is the hash of the command line and of the files that it names. */
const ComponentRecord = z.object({ pid: z.int().positive(), startTime: z.string(), settings: z.string() });

/** The running process of a component; undefined if it does not run. */
export function findComponent(paths: ClusterPaths, component: Component): ProcessIdentity | undefined {
  const recorded = readJsonFile(recordFile(paths, component), fits(ComponentRecord));
  return recorded && isAlive(recorded) ? recorded : undefined;
}

/** True if a component is running and was started with the current settings, not with those of an older build. */
export function isCurrent(component: Component, setting: ClusterSetting): boolean {
  const recorded = readJsonFile(recordFile(setting.paths, component), fits(ComponentRecord));
  return recorded !== undefined && isAlive(recorded) && recorded.settings === settingsHash(component, setting);
}

/** Starts a component in a session of its own, if it does not run already. */
export async function launchComponent(component: Component, setting: ClusterSetting): Promise<void> {
  const { paths } = setting;
  if (findComponent(paths, component)) return;
  const [program, ...args] = componentCommand(component, setting);
  // A command that was killed between starting and recording left an unrecorded process, which holds the ports.
  for (const { identity, argv } of processes()) {
    if (isDeepStrictEqual(argv, [program, ...args])) await endProcess(identity, 'SIGKILL', 10_000);
  }
  mkdirSync(paths.processes, { recursive: true, mode: 0o700 });
  limitLog(logFile(paths, component));
  const log = openLog(logFile(paths, component));
  try {
    const child = spawn(program, args, {
      cwd: paths.root,
      env: { PATH: systemPath(), HOME: paths.root, LANG: 'C.UTF-8' },
      detached: true,
      stdio: ['ignore', log, log],
    });
    child.on('error', () => undefined); // reported below: it has no pid
    const identity = child.pid === undefined ? undefined : identify(child.pid);
    if (!identity) throw new Error(`${component} failed to start; see ${logFile(paths, component)}`);
    child.unref();
    writeJsonFile(recordFile(paths, component), { ...identity, settings: settingsHash(component, setting) });
  } finally {
    closeSync(log);
  }
}

/** Stops a component with a signal, and with SIGKILL after the time limit. */
export async function endComponent(
  paths: ClusterPaths,
  component: Component,
  signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM',
  limitMs = 10_000,
): Promise<void> {
  const identity = findComponent(paths, component);
  if (identity) await endProcess(identity, signal, limitMs);
  rmSync(recordFile(paths, component), { force: true });
}

/** Kills the cluster's unrecorded processes: shims, and those of a command that was killed before it recorded them. */
export async function killStrays(paths: ClusterPaths, description: ClusterDescription): Promise<void> {
  const strays = processes().filter(({ argv }) => belongs(argv, paths, description));
  for (const { identity } of strays) await endProcess(identity, 'SIGKILL', 10_000);
}

/** The end of a component's log, for error messages. */
export function logTail(paths: ClusterPaths, component: Component): string {
  try {
    return readFileSync(logFile(paths, component), 'utf8').trim().split('\n').slice(-8).join('\n');
  } catch {
    return '';
  }
}

/** Pids of the running components. */
export function componentPids(paths: ClusterPaths): Partial<Record<Component, number>> {
  const alive = COMPONENTS.map((component) => [component, findComponent(paths, component)?.pid] as const);
  return Object.fromEntries(alive.filter(([, pid]) => pid !== undefined));
}

function settingsHash(component: Component, setting: ClusterSetting): string {
  const { containerdSettings, kubeletSettings } = setting.paths;
  const hash = createHash('sha256').update(JSON.stringify(componentCommand(component, setting)));
  if (component === 'containerd') hash.update(readFileSync(containerdSettings));
  if (component === 'kubelet') hash.update(readFileSync(kubeletSettings));
  return hash.digest('hex');
}

function belongs(argv: readonly string[], paths: ClusterPaths, description: ClusterDescription): boolean {
  const program = basename(argv[0] ?? '');
  if (program === 'containerd-shim-runc-v2') return argv.includes(containerdSocket(description));
  const ours = program === 'kube' || program === 'containerd';
  return ours && argv.some((argument) => argument.includes(`${paths.root}/`));
}

function processes(): { identity: ProcessIdentity; argv: string[] }[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      const identity = identify(Number(name));
      const argv = identity && argumentsOf(identity.pid);
      return argv ? [{ identity, argv }] : [];
    });
}

function argumentsOf(pid: number): string[] | undefined {
  try {
    // Each argument ends with a NUL.
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').slice(0, -1);
  } catch {
    return undefined; // it has ended
  }
}

async function endProcess(identity: ProcessIdentity, signal: NodeJS.Signals, limitMs: number): Promise<void> {
  send(identity, signal);
  if (await endsWithin(identity, limitMs)) return;
  send(identity, 'SIGKILL');
  if (!(await endsWithin(identity, limitMs))) throw new Error(`Process ${identity.pid} cannot be killed`);
}

function send(identity: ProcessIdentity, signal: NodeJS.Signals): void {
  if (!isAlive(identity)) return;
  try {
    process.kill(identity.pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

async function endsWithin(identity: ProcessIdentity, limitMs: number): Promise<boolean> {
  const deadline = performance.now() + limitMs;
  while (isAlive(identity)) {
    if (performance.now() > deadline) return false;
    await sleep(POLL_MS);
  }
  return true;
}

function recordFile(paths: ClusterPaths, component: Component): string {
  return join(paths.processes, `${component}.json`);
}

function logFile(paths: ClusterPaths, component: Component): string {
  return join(paths.logs, `${component}.log`);
}
