/** The stale pid file of a PostgreSQL that was killed. */
import { execFile } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { identify } from '../../adapters/process-identity.ts';

/**
 * Removes the pid file if its pid is no PostgreSQL. PostgreSQL itself does so only if no process has that pid, and otherwise
 * refuses to start, as after a restart of a container.
 */
export async function removeStalePidFile(cluster: string): Promise<void> {
  const file = join(cluster, 'postmaster.pid');
  const pid = readPid(file);
  if (pid === undefined || (identify(pid) && (await isPostgres(pid)))) return;
  rmSync(file, { force: true });
}

function readPid(file: string): number | undefined {
  try {
    const pid = Number.parseInt(readFileSync(file, 'utf8'), 10);
    return pid > 0 ? pid : undefined;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

async function isPostgres(pid: number): Promise<boolean> {
  return /^(\S*\/)?postgres[:\s\0]/.test(await commandLine(pid));
}

async function commandLine(pid: number): Promise<string> {
  if (process.platform === 'linux') return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  // ps fails when there is no such process.
  const { stdout } = await promisify(execFile)('ps', ['-o', 'command=', '-p', String(pid)]).catch(() => ({
    stdout: '',
  }));
  return stdout;
}
