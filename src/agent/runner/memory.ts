/** Whether the kernel ended something here for want of memory. A tool that the agent started may be what was ended. */
import { readFile } from 'node:fs/promises';

/** Where a container finds the counter: control groups of version 2, and of version 1. */
const COUNTERS = ['/sys/fs/cgroup/memory.events', '/sys/fs/cgroup/memory/memory.oom_control'];

/** How often it happened in this container; undefined where the kernel does not say. */
export async function countOomKills(files: readonly string[] = COUNTERS): Promise<number | undefined> {
  for (const file of files) {
    const text = await readFile(file, 'utf8').catch(() => '');
    const count = /^oom_kill (\d+)$/m.exec(text)?.[1];
    if (count !== undefined) return Number(count);
  }
  return undefined;
}
