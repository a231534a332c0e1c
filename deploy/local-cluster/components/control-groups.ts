/** The control groups below which all pods of a cluster run. */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const MOUNT = '/sys/fs/cgroup';
/** File system type of cgroup v2 in statfs. */
const CGROUP2 = 0x63677270;

/** Creates the groups that the kubelet requires. */
export function makeControlGroups(name: string): void {
  if (isUnified()) enableControllers();
  for (const group of groupsOf(name)) mkdirSync(group, { recursive: true });
}

/** Kills every process in the groups, which contain the cluster's containers only. */
export function killControlGroups(name: string): number {
  const pids = new Set(groupsOf(name).flatMap((group) => processesBelow(group)));
  for (const pid of pids) kill(pid);
  return pids.size;
}

/** Removes the groups. One that still has a process stays. */
export function removeControlGroups(name: string): void {
  for (const group of groupsOf(name)) removeBelow(group);
}

/** One directory for each hierarchy: one in version 2, one for each controller in version 1. */
function groupsOf(name: string): string[] {
  if (isUnified()) return [join(MOUNT, name)];
  const mounts = readFileSync('/proc/self/mountinfo', 'utf8').split('\n');
  const hierarchies = mounts.filter((line) => / - cgroup2? /.test(line)).map((line) => line.split(' ')[4] ?? '');
  return [...new Set(hierarchies)].filter(Boolean).map((mount) => join(mount, name));
}

function isUnified(): boolean {
  return statfsSync(MOUNT).type === CGROUP2;
}

function enableControllers(): void {
  const controllers = readFileSync(join(MOUNT, 'cgroup.controllers'), 'utf8').trim().split(' ').filter(Boolean);
  for (const controller of controllers) {
    try {
      writeFileSync(join(MOUNT, 'cgroup.subtree_control'), `+${controller}`);
    } catch {
      // Not every controller can be delegated; the kubelet reports missing ones.
    }
  }
}

function processesBelow(group: string): number[] {
  if (!existsSync(group)) return [];
  const own = linesOf(join(group, 'cgroup.procs')).map(Number);
  return [...own, ...childrenOf(group).flatMap((child) => processesBelow(child))];
}

function removeBelow(group: string): void {
  if (!existsSync(group)) return;
  for (const child of childrenOf(group)) removeBelow(child);
  try {
    rmdirSync(group);
  } catch (error) {
    if (!['EBUSY', 'ENOENT'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
  }
}

function childrenOf(group: string): string[] {
  try {
    const entries = readdirSync(group, { withFileTypes: true });
    return entries.filter((entry) => entry.isDirectory()).map(({ name }) => join(group, name));
  } catch {
    return []; // it has gone meanwhile
  }
}

function linesOf(file: string): string[] {
  try {
    return readFileSync(file, 'utf8').split('\n').filter(Boolean);
  } catch {
    return [];
  }
}

function kill(pid: number): void {
  if (pid <= 0) return; // of another namespace of processes
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // it has exited
  }
}
