/** Which process an agent is, so that it is found again by whoever comes later, and never mistaken for another. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { link, readFile, rm, writeFile } from 'node:fs/promises';

export interface ProcessRecord {
  readonly pid: number;
  /** When the process started, as the system tells it: a pid alone is used again. */
  readonly started: string;
}

/** When a process started, or undefined when it does not live. */
export function startOf(pid: number): string | undefined {
  try {
    if (process.platform === 'linux') {
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      return fields[0] === 'Z' ? undefined : fields[19];
    }
    return (
      execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], {
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'ignore'],
      }).trim() || undefined
    );
  } catch {
    return undefined;
  }
}

/** Claims a place for this process: false when another process has claimed it before, whether it lives or not. */
export async function claim(path: string): Promise<boolean> {
  const partial = `${path}.${process.pid}`;
  await writeFile(partial, JSON.stringify({ pid: process.pid, started: startOf(process.pid) }), { mode: 0o600 });
  try {
    await link(partial, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  } finally {
    await rm(partial, { force: true });
  }
}

/** The process that claimed a place, or undefined. */
export async function readRecord(path: string): Promise<ProcessRecord | undefined> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as ProcessRecord;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Whether exactly that process still lives. */
export function lives({ pid, started }: ProcessRecord): boolean {
  return startOf(pid) === started;
}
