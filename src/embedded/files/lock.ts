/** Locks between processes that the operating system releases when their holder dies, however it dies. */
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';

const SQLITE_BUSY = 5;

export interface Lock {
  release(): void;
}

/**
 * Takes the lock at `path`, or gives undefined when somebody else has it. It is SQLite's lock on an empty database: Node
 * offers no other lock that a SIGKILL cannot leave behind.
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
