/** CPU time and memory of processes, from /proc. */
import { readFileSync } from 'node:fs';
import { familyOf, readProc } from '../test/support/stack.ts';

/** Linux counts a process's time in hundredths of a second. */
const TICK_MS = 10;

/** The processes of `up` whose cost counts. */
export const PLATFORM = ['server', 'worker', 'temporal', 'postgres'] as const;
export type PlatformProcess = (typeof PLATFORM)[number];

/** The processor time of each so far, in ms. Agents are children of the worker and not in it. */
export function platformCpu(pids: Readonly<Record<string, number>>): Record<PlatformProcess, number> {
  return {
    server: cpuMs(pids['server'] ?? 0),
    worker: cpuMs(pids['worker'] ?? 0),
    temporal: cpuMs(pids['temporal'] ?? 0),
    // Its connections are processes of their own.
    postgres: familyOf(pids['postgres'] ?? 0).reduce((sum, pid) => sum + cpuMs(pid, true), 0),
  };
}

/** The processor time of a process, with that of its children that have ended if they are asked for. */
function cpuMs(pid: number, withChildren = false): number {
  const stat = readProc(pid, 'stat');
  const times = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .slice(11, withChildren ? 15 : 13);
  return times.reduce((sum, ticks) => sum + Number(ticks), 0) * TICK_MS;
}

/** The memory of a process that is in RAM, in MiB. */
export function residentMiB(pid: number): number {
  const [, kilobytes] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(kilobytes) / 1024;
}
