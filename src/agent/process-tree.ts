/** Finding and ending everything that an agent started, also what has left its process group. */
import { readdir, readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';

/** The time between asking a process to end and ending it. */
export const GRACE_MS = 5_000;
/** The time in which what was ended by force is gone, also on a busy machine: from the first time that force is used. */
const FORCED_MS = 5_000;
const LOOK_EVERY_MS = 50;

/**
 * The processes that have this mark, `NAME=value`, in their environment: an agent's program and what it started, however
 * detached. Found through /proc; where there is none (macOS), only the program's own process group is ended.
 */
export async function processesOf(mark: string): Promise<number[]> {
  const names = await readdir('/proc').catch(() => []);
  const marker = `\0${mark}\0`;
  const found: number[] = [];
  for (const name of names) {
    if (!/^\d+$/.test(name) || Number(name) === process.pid) continue;
    const environment = await readFile(`/proc/${name}/environ`, 'utf8').catch(() => '');
    if (`\0${environment}`.includes(marker)) found.push(Number(name));
  }
  return found;
}

/** Asks everything of this agent to end, and after the grace time ends it. Resolves when nothing is left that can end. */
export async function endProcesses(mark: string, graceMs: number = GRACE_MS): Promise<void> {
  const start = Date.now();
  const asked = new Set<number>();
  let forcedSince: number | undefined;
  let running = await processesOf(mark);
  while (running.length > 0 && (forcedSince === undefined || Date.now() < forcedSince + FORCED_MS)) {
    const isOver = Date.now() > start + graceMs;
    if (isOver) forcedSince ??= Date.now();
    const targets = isOver ? running : running.filter((pid) => !asked.has(pid));
    await signalAll(targets, isOver ? 'SIGKILL' : 'SIGTERM');
    for (const pid of targets) asked.add(pid);
    await delay(LOOK_EVERY_MS);
    running = await processesOf(mark);
  }
}

/** Signals whole groups where the leader is one of them, so that a child with an empty environment is reached too. */
async function signalAll(pids: readonly number[], signal: NodeJS.Signals): Promise<void> {
  const groups = new Set<number>();
  for (const pid of pids) {
    const group = await groupOf(pid);
    groups.add(group !== undefined && pids.includes(group) ? -group : pid);
  }
  for (const target of groups) signalOne(target, signal);
}

async function groupOf(pid: number): Promise<number | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  const group = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[2];
  return group === undefined ? undefined : Number(group);
}

/** Sends a signal; a process that is gone already is what we wanted. */
export function signalOne(target: number, signal: NodeJS.Signals): void {
  try {
    process.kill(target, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
