/** A workspace under the local runtime: a directory that carries its owner, so that nobody else's is ever touched. */
import { randomUUID } from 'node:crypto';
import { chmod, mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

const OWNER_FILE = 'workspace.json';

/** The workspace belongs to somebody else, or was not made by this platform. */
export class ForeignWorkspace extends Error {
  override readonly name = 'ForeignWorkspace';
}

/** Makes the directory for `owner`, or finds it. Throws {@link ForeignWorkspace} when it is not ours. */
export async function ensureWorkspace(directory: string, owner: string): Promise<void> {
  if (await exists(directory)) return assertOwner(directory, owner);
  await mkdir(dirname(directory), { recursive: true, mode: 0o700 });
  // Made beside its place and moved there whole: at no time is there a workspace without an owner.
  const made = `${directory}.${randomUUID()}`;
  await mkdir(made, { mode: 0o700 });
  try {
    await writeFile(join(made, OWNER_FILE), JSON.stringify({ managedBy: 'codex-k8s', owner }), { mode: 0o600 });
    await rename(made, directory);
  } catch (error) {
    await rm(made, { recursive: true, force: true });
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'ENOTEMPTY' && code !== 'EEXIST' && code !== 'ENOTDIR') throw error;
    await assertOwner(directory, owner);
  }
}

/** A workspace of this platform. */
export interface WorkspaceEntry {
  readonly name: string;
  readonly owner: string;
  /** Runs that ever worked in it. */
  readonly runs: readonly string[];
  /** When it was made, or a run last began in it. ISO 8601. */
  readonly usedAt: string;
}

/** The workspaces under `root` that this platform has made; what anybody else put there is not among them. */
export async function listWorkspaces(root: string): Promise<WorkspaceEntry[]> {
  const names = (await readdir(root).catch(unlessMissing)) ?? [];
  const entries = await Promise.all(names.map(async (name) => readEntry(root, name)));
  return entries
    .filter((entry) => entry !== undefined)
    .toSorted((one, other) => one.usedAt.localeCompare(other.usedAt));
}

async function readEntry(root: string, name: string): Promise<WorkspaceEntry | undefined> {
  const directory = join(root, name);
  const owner = await readOwner(directory);
  if (owner === undefined) return undefined;
  const places = (await readdir(join(directory, 'runs')).catch(unlessMissing)) ?? [];
  const times = await Promise.all(
    [join(directory, OWNER_FILE), join(directory, 'runs')].map(async (path) => stat(path).catch(unlessMissing)),
  );
  const usedAt = Math.max(0, ...times.flatMap((time) => time?.mtimeMs ?? []));
  return {
    name,
    owner,
    runs: [...new Set(places.map((place) => place.replace(/\.\d+$/, '')))],
    usedAt: new Date(usedAt).toISOString(),
  };
}

/** For what may be gone by the time it is looked at. */
function unlessMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT' && error.code !== 'ENOTDIR') throw error;
}

/** Throws {@link ForeignWorkspace} unless the directory is gone or belongs to `owner`. */
export async function assertRemovable(directory: string, owner: string): Promise<void> {
  if (await exists(directory)) await assertOwner(directory, owner);
}

/** Removes the directory of `owner` with all that is in it; one that is gone is removed already. */
export async function removeWorkspace(directory: string, owner: string): Promise<void> {
  await assertRemovable(directory, owner);
  const doomed = `${directory}.removing`;
  await removeTree(doomed);
  await rename(directory, doomed).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
  });
  await removeTree(doomed);
}

/** Removes a tree, also one with directories that nobody may write to, as Go's module cache has them. */
async function removeTree(path: string): Promise<void> {
  const remove = (): Promise<void> => rm(path, { recursive: true, force: true, maxRetries: 5 });
  try {
    await remove();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'EACCES' && code !== 'EPERM') throw error;
    await openDirectories(path);
    await remove();
  }
}

/** Makes every directory writable for this user; links are not followed. */
async function openDirectories(path: string): Promise<void> {
  await chmod(path, 0o700);
  for (const entry of await readdir(path, { withFileTypes: true })) {
    if (entry.isDirectory()) await openDirectories(join(path, entry.name));
  }
}

/** Writes a file that only this user can read, whole or not at all. */
export async function writeSecretFile(path: string, content: string): Promise<void> {
  const partial = `${path}.${randomUUID()}`;
  await writeFile(partial, content, { mode: 0o600 });
  await rename(partial, path);
}

async function assertOwner(directory: string, owner: string): Promise<void> {
  const found = (await readOwner(directory)) ?? 'somebody unknown';
  if (found !== owner)
    throw new ForeignWorkspace(`${directory} belongs to ${found}, not to ${owner}: it is left as it is`);
}

/** Undefined for what this platform has not made. */
async function readOwner(directory: string): Promise<string | undefined> {
  try {
    const { managedBy, owner } = JSON.parse(await readFile(join(directory, OWNER_FILE), 'utf8')) as {
      managedBy?: string;
      owner?: string;
    };
    return managedBy === 'codex-k8s' ? owner : undefined;
  } catch {
    return undefined;
  }
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
