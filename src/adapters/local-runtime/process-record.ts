/** Which process an agent is, so that it is found again by whoever comes later, and never mistaken for another. */
import { randomUUID } from 'node:crypto';
import { link, readFile, rm, writeFile } from 'node:fs/promises';
import { isProcessIdentity, ownIdentity, type ProcessIdentity } from '../process-identity.ts';

/** A place that nobody may claim any more is claimed by this process, which never was: no system numbers one so. */
export const NEVER: ProcessIdentity = { pid: 2_147_483_647, startTime: 'never' };

/** Claims a place, for this process unless told otherwise: false when it is claimed already, whether that process lives or not. */
export async function claim(path: string, identity = ownIdentity()): Promise<boolean> {
  const partial = `${path}.${randomUUID()}`;
  await writeFile(partial, JSON.stringify(identity), { mode: 0o600 });
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
