/** Which process an agent is, so that it is found again by whoever comes later, and never mistaken for another. */
import { link, readFile, rm, writeFile } from 'node:fs/promises';
import { isProcessIdentity, ownIdentity, type ProcessIdentity } from '../process-identity.ts';

/** Claims a place for this process: false when another process has claimed it before, whether it lives or not. */
export async function claim(path: string): Promise<boolean> {
  const partial = `${path}.${process.pid}`;
  await writeFile(partial, JSON.stringify(ownIdentity()), { mode: 0o600 });
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
export async function readRecord(path: string): Promise<ProcessIdentity | undefined> {
  try {
    const record: unknown = JSON.parse(await readFile(path, 'utf8'));
    if (isProcessIdentity(record)) return record;
    throw new Error(`${path} does not say which process it is`);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
