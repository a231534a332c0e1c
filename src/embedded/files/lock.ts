/** Locks between processes; the operating system releases them when their holder exits, also after SIGKILL. */
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';

const SQLITE_BUSY = 5;

export interface Lock {
  release(): void;
}

/**
 * Takes the lock at `path`; undefined if another process has it. It is SQLite's lock on an empty database: Node has no other
 * lock that does not outlive a SIGKILL.
 */
export function tryLock(path: string): Lock | undefined {
  const database = new DatabaseSync(path, { timeout: 0 });
  try {
    database.exec('BEGIN EXCLUSIVE');
  } catch (error) {
    database.close();
    if ((error as { errcode?: number }).errcode === SQLITE_BUSY) return undefined;
    throw error;
  }
  return { release: () => database.close() };
}

/** Waits for the lock at `path`. */
export async function takeLock(path: string): Promise<Lock> {
  for (;;) {
    const lock = tryLock(path);
    if (lock) return lock;
    await sleep(100);
  }
}
