/** What `up` writes down about each process it starts, so that the next one can find it after a SIGKILL. */
import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { readJsonFile, writeJsonFile } from '../files/json-file.ts';
import { isAlive, isProcessIdentity, type ProcessIdentity } from '../../adapters/process-identity.ts';

export interface ProcessRecord extends ProcessIdentity {
  readonly name: string;
  readonly stopSignal: 'SIGTERM' | 'SIGINT';
  /** Place in the order of starting; what is started later is stopped earlier. */
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

/** Records a living process under its name. */
export function recordProcess(dataDirectory: string, record: ProcessRecord): void {
  mkdirSync(join(dataDirectory, 'run'), { recursive: true, mode: 0o700 });
  writeJsonFile(recordFile(dataDirectory, record.name), record);
}

/** Forgets a process that has ended. */
export function forgetProcess(dataDirectory: string, name: string): void {
  rmSync(recordFile(dataDirectory, name), { force: true });
}

/**
 * Stops what an earlier `up` in this directory left running, last started first, and gives their names. Only the very
 * processes that were recorded are touched. Call it while holding the data directory.
 */
export async function stopLeftovers(dataDirectory: string, limitMs = 15_000): Promise<string[]> {
  const records = readRecords(dataDirectory);
  const leftovers = records.filter(isAlive).toSorted((one, other) => other.order - one.order);
  for (const leftover of leftovers) await stopLeftover(leftover, limitMs);
  for (const { name } of records) forgetProcess(dataDirectory, name);
  return leftovers.map(({ name }) => name);
}

/** Kills a process group, which may have ended. */
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

/** Signals what may have ended. A group of which only zombies are left answers EPERM on some systems. */
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
