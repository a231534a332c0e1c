/** Cost of the idle platform. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Scene } from '../../test/e2e/support/scene.ts';
import { collectGarbage } from './collect-garbage.ts';
import { PLATFORM, platformCpu, residentMiB, type PlatformProcess } from '../processes.ts';

/** Memory that has not grown or shrunk by more than this for a while has settled, in MiB. */
const STILL_MIB = 1;
const STILL_MS = 5000;
const SETTLE_LIMIT_MS = 30_000;

/** The worker's memory in MiB, when its garbage is collected and it has come to rest; the least of the last seconds. */
export async function settledMemory({ stack }: Scene): Promise<number> {
  const pid = stack.pids()['worker'] ?? 0;
  await collectGarbage(pid);
  const looks: number[] = [];
  for (let waited = 0; waited < SETTLE_LIMIT_MS; waited += 500) {
    looks.push(residentMiB(pid));
    const last = looks.slice(-STILL_MS / 500);
    if (waited >= STILL_MS && Math.max(...last) - Math.min(...last) < STILL_MIB) break;
    await sleep(500);
  }
  return Math.min(...looks.slice(-STILL_MS / 500));
}

/** Processor time of each process in percent of one core, over a while in which nothing happens. */
export async function idleCpu({ stack }: Scene, seconds: number): Promise<Record<PlatformProcess, number>> {
  const before = platformCpu(stack.pids());
  await sleep(seconds * 1000);
  const after = platformCpu(stack.pids());
  const shares = PLATFORM.map((name) => [name, (after[name] - before[name]) / (seconds * 10)]);
  return Object.fromEntries(shares) as Record<PlatformProcess, number>;
}
