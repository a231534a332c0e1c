/** Finds conflicts that nobody has resolved in what a push adds. */
import {
  countConflicts,
  MARKER_SIZE_ATTRIBUTE,
  markerSize,
  refuseConflicts,
} from '../../domain/run/conflict-markers.ts';
import { shownPath } from '../../domain/run/protected-paths.ts';
import { GitFailed, runGit, type GitDirectory } from './git-process.ts';
import { openObjects, type ObjectReader } from './object-reader.ts';
import { blobAt, changedPaths, type TreeLimits } from './trees.ts';

/** Bytes of a file that is looked into; what is larger was hardly merged by hand. */
const LARGEST = 1024 * 1024;

/** Start of every conflict. */
const START = Buffer.from('<<<<<<< ');

export interface ConflictLimits extends TreeLimits {
  /** Files of a push that are looked into; more are not. */
  readonly files: number;
}

/**
 * The files of a push, as ids of blobs, that have conflict markers. `received`: a repository that holds the push alone. A push with
 * more objects than can be listed is not looked into: this finds accidents, and is no defence.
 */
export async function blobsWithConflicts(
  received: GitDirectory,
  { files }: ConflictLimits,
): Promise<ReadonlySet<string>> {
  const format = '--batch-check=%(objecttype) %(objectsize) %(objectname)';
  const listed = await runGit(received, ['cat-file', '--batch-all-objects', format]).catch((error: unknown) => {
    if (error instanceof GitFailed) return '';
    throw error;
  });
  const blobs = listed.split('\n').flatMap((line) => {
    const [type, size, id = ''] = line.split(' ');
    return type === 'blob' && Number(size) <= LARGEST ? [id] : [];
  });
  const found = new Set<string>();
  const objects = openObjects(received);
  try {
    for (const id of blobs.slice(0, files)) {
      const content = (await objects.read(id))?.content;
      if (content?.includes(START)) found.add(id);
    }
  } finally {
    objects.close();
  }
  return found;
}

/**
 * Why a push that brings these blobs is refused; undefined if each file has no more conflicts than on one of the known trees, or
 * says with its attribute that they are meant. `tree`: of the pushed commit.
 */
export async function refuseNewConflicts(
  received: GitDirectory,
  objects: ObjectReader,
  {
    tree,
    known,
    blobs,
  }: { readonly tree: string; readonly known: readonly string[]; readonly blobs: ReadonlySet<string> },
  limits: TreeLimits,
): Promise<string | undefined> {
  if (blobs.size === 0) return undefined;
  const changed = await changedPaths(objects, tree, known, ({ entry }) => blobs.has(entry?.id ?? ''), limits);
  if (changed.length === 0) return undefined;
  const sizes = await markerSizes(
    received,
    tree,
    changed.map(({ path }) => path),
  );
  const refused: string[] = [];
  for (const { path, entry } of changed) {
    const size = sizes.get(path);
    const conflictsIn = async (id: string | undefined): Promise<number> =>
      id === undefined ? 0 : countConflicts((await objects.read(id))?.content.toString('utf8') ?? '', size);
    const conflicts = await conflictsIn(entry?.id);
    if (conflicts === 0) continue;
    const before: number[] = [];
    for (const each of known) before.push(await conflictsIn(await blobAt(objects, each, path)));
    if (conflicts > Math.max(0, ...before)) refused.push(shownPath(path));
  }
  return refused.length === 0 ? undefined : refuseConflicts(refused);
}

/** The length of the markers in each of these files, by the attributes in the tree. */
async function markerSizes(
  received: GitDirectory,
  tree: string,
  paths: readonly string[],
): Promise<ReadonlyMap<string, number>> {
  await runGit(received, ['read-tree', tree]);
  const said = await runGit(received, [
    'check-attr',
    '--cached',
    '-z',
    MARKER_SIZE_ATTRIBUTE,
    '--',
    ...paths.slice(0, MOST_PATHS),
  ]);
  const fields = said.split('\0');
  const sizes = new Map<string, number>();
  for (let at = 0; at + 2 < fields.length; at += 3) sizes.set(fields[at] ?? '', markerSize(fields[at + 2]));
  return sizes;
}

/** Paths whose attributes are looked up: they are arguments of a command. */
const MOST_PATHS = 500;
