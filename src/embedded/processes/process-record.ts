/** Records of the processes that `up` starts, so that the next `up` finds them after a SIGKILL. */
import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { readJsonFile, writeJsonFile } from '../files/json-file.ts';
import { isAlive, isProcessIdentity, type ProcessIdentity } from '../../adapters/process-identity.ts';

export interface ProcessRecord extends ProcessIdentity {
  readonly name: string;
  readonly stopSignal: 'SIGTERM' | 'SIGINT';
  /** Position in the order of starts; the last one started is stopped first. */
  readonly order: number;
}

function isProcessRecord(value: unknown): value is ProcessRecord {
  const { name, stopSignal, order } = Object(value) as Partial<Record<keyof ProcessRecord, unknown>>;
  return (
    isProcessIdentity(value) &&
    typeof name === 'string' &&
    (stopSignal === 'SIGTERM' || stopSignal === 'SIGINT') &&
    typeof order === 'number'
  );
}

/** Records a running process under its name. */
export function recordProcess(dataDirectory: string, record: ProcessRecord): void {
  mkdirSync(join(dataDirectory, 'run'), { recursive: true, mode: 0o700 });
  writeJsonFile(recordFile(dataDirectory, record.name), record);
}

/** Removes the record of a process that has exited. */
export function forgetProcess(dataDirectory: string, name: string): void {
  rmSync(recordFile(dataDirectory, name), { force: true });
}

/**
 * Stops processes that an earlier `up` in this directory left running, last started first, and returns their names. Only
 * recorded processes are stopped, no others that were given their pids. Call it with the data directory claimed.
 */
export async function stopLeftovers(dataDirectory: string, limitMs = 15_000): Promise<string[]> {
  const records = readRecords(dataDirectory);
  const leftovers = records.filter(isAlive).toSorted((one, other) => other.order - one.order);
  for (const leftover of leftovers) await stopLeftover(leftover, limitMs);
  for (const { name } of records) forgetProcess(dataDirectory, name);
  return leftovers.map(({ name }) => name);
}

/** Kills a process group; ignores one that has exited. */
export function killGroup(leader: number): void {
  signal(-leader, 'SIGKILL');
}

async function stopLeftover(leftover: ProcessRecord, limitMs: number): Promise<void> {
  signal(leftover.pid, leftover.stopSignal);
  if (!(await endsWithin(leftover, limitMs))) {
    killGroup(leftover.pid);
    if (!(await endsWithin(leftover, limitMs))) {
      throw new Error(`${leftover.name} (pid ${leftover.pid}) of an earlier codex-k8s up cannot be stopped`);
    }
  }
  killGroup(leftover.pid);
}

/** Sends a signal; ignores a target that has exited. Some systems return EPERM for a group of zombies. */
function signal(target: number, name: NodeJS.Signals): void {
  try {
    process.kill(target, name);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'ESRCH' && code !== 'EPERM') throw error;
  }
}

async function endsWithin(identity: ProcessIdentity, limitMs: number): Promise<boolean> {
  const deadline = performance.now() + limitMs;
  while (isAlive(identity)) {
    if (performance.now() > deadline) return false;
    await sleep(25);
  }
  return true;
}

function readRecords(dataDirectory: string): ProcessRecord[] {
  const directory = join(dataDirectory, 'run');
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  return readdirSync(directory)
    .filter((file) => file.endsWith('.json'))
    .flatMap((file) => readJsonFile(join(directory, file), isProcessRecord) ?? []);
}

function recordFile(dataDirectory: string, name: string): string {
  return join(dataDirectory, 'run', `${name}.json`);
}
