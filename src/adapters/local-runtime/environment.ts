/** An environment under the local runtime: a directory that carries its owner, so that nobody else's is ever touched. */
import { mkdir, open, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

const OWNER_FILE = 'environment.json';

/** The environment belongs to somebody else, or was not made by this platform. */
export class ForeignEnvironment extends Error {}

/** Makes the directory for `owner`, or finds it. Throws {@link ForeignEnvironment} when it is not ours. */
export async function ensureEnvironment(directory: string, owner: string): Promise<void> {
  await mkdir(join(directory, '..'), { recursive: true, mode: 0o700 });
  try {
    await mkdir(directory, { mode: 0o700 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    return assertOwner(directory, owner);
  }
  const file = await open(join(directory, OWNER_FILE), 'wx', 0o600);
  await file.writeFile(JSON.stringify({ managedBy: 'codex-k8s', owner }));
  await file.sync();
  await file.close();
}

/** Removes the directory of `owner` with all that is in it; one that is gone is removed already. */
export async function removeEnvironment(directory: string, owner: string): Promise<void> {
  const found = await readOwner(directory);
  if (found === 'absent') return;
  if (found !== owner)
    throw new ForeignEnvironment(`${directory} belongs to ${found}, not to ${owner}: it is left as it is`);
  const doomed = `${directory}.removing`;
  await rename(directory, doomed).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error;
  });
  await rm(doomed, { recursive: true, force: true, maxRetries: 5 });
  await rm(directory, { recursive: true, force: true, maxRetries: 5 });
}

/** Writes a file that only this user can read, whole or not at all. */
export async function writeSecretFile(path: string, content: string): Promise<void> {
  const partial = `${path}.${process.pid}`;
  await writeFile(partial, content, { mode: 0o600 });
  await rename(partial, path);
}

async function assertOwner(directory: string, owner: string): Promise<void> {
  const found = await readOwner(directory);
  if (found !== owner) throw new ForeignEnvironment(`${directory} exists and belongs to ${found}: it is not adopted`);
}

async function readOwner(directory: string): Promise<string> {
  try {
    const { managedBy, owner } = JSON.parse(await readFile(join(directory, OWNER_FILE), 'utf8')) as {
      managedBy?: string;
      owner?: string;
    };
    return managedBy === 'codex-k8s' && owner !== undefined ? owner : 'somebody unknown';
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    if (!missing) return 'somebody unknown';
    return (await exists(directory)) ? 'somebody unknown' : 'absent';
  }
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
