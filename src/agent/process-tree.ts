/** Finds and terminates the processes of an agent, including those that have left its process group. */
import { readdir, readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';

/** Milliseconds from SIGTERM to SIGKILL. */
export const GRACE_MS = 5_000;
/** Milliseconds from the first SIGKILL until all processes are gone, also on a busy machine. */
const FORCED_MS = 5_000;
const POLL_MS = 50;

/**
 * Ids of the processes with this mark, `NAME=value`, in their environment: the agent's program and its descendants, also
 * detached ones. They are read from /proc; without it (macOS) only the program's process group is terminated.
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

/** Sends SIGTERM to the agent's processes, and SIGKILL after `graceMs`. Resolves when no process is left that can be killed. */
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
    await delay(POLL_MS);
    running = await processesOf(mark);
  }
}

/**
 * Kills all descendants of this process, whatever their group, session and environment. In a container, and under the local runtime
 * on Linux, whose parent has ended becomes a child of this process; elsewhere one that has detached itself is not found.
 */
export async function endDescendants(): Promise<void> {
  const limit = Date.now() + FORCED_MS;
  for (let left = await descendants(); left.length > 0 && Date.now() < limit; left = await descendants()) {
    for (const pid of left) signalOne(pid, 'SIGKILL');
    await delay(POLL_MS);
  }
}

/** Ids of the living descendants of this process. */
async function descendants(): Promise<number[]> {
  const children = new Map<number, number[]>();
  for (const name of await readdir('/proc').catch(() => [])) {
    if (!/^\d+$/.test(name)) continue;
    const stat = await readFile(`/proc/${name}/stat`, 'utf8').catch(() => '');
    const [state, parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (parent === undefined || state === 'Z' || state === 'X') continue;
    children.set(Number(parent), [...(children.get(Number(parent)) ?? []), Number(name)]);
  }
  const found: number[] = [];
  for (
    let next = children.get(process.pid) ?? [];
    next.length > 0;
    next = next.flatMap((pid) => children.get(pid) ?? [])
  )
    found.push(...next);
  return found;
}

/** Signals the whole process group if its leader is one of `pids`, so that a child with an empty environment is reached too. */
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

/** Sends a signal; ignores a process that is gone already. */
export function signalOne(target: number, signal: NodeJS.Signals): void {
  try {
    process.kill(target, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
