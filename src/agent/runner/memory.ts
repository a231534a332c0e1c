/** Detects OOM kills in this container; the killed process may be a tool that the agent started. */
import { readFile } from 'node:fs/promises';

/** Files with the counter of OOM kills: cgroup v2, and v1. */
const COUNTERS = ['/sys/fs/cgroup/memory.events', '/sys/fs/cgroup/memory/memory.oom_control'];

/** Number of OOM kills in this container; undefined if the kernel does not report it. */
export async function countOomKills(files: readonly string[] = COUNTERS): Promise<number | undefined> {
  for (const file of files) {
    const text = await readFile(file, 'utf8').catch(() => '');
    const count = /^oom_kill (\d+)$/m.exec(text)?.[1];
    if (count !== undefined) return Number(count);
  }
  return undefined;
}
