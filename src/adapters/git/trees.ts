/** Compares the trees of commits, entry by entry, with the modes that are written in them. */
import type { PathChange } from '../../domain/run/protected-paths.ts';
import type { ObjectReader } from './object-reader.ts';

interface Entry {
  /** Octal digits, as the tree has them: git's own commands show other ones for odd modes. */
  readonly mode: string;
  readonly id: string;
}
type Entries = ReadonlyMap<string, Entry>;

const TREE = /^0?40000$/;
const LINK = '120000';
const FILE = /^100/;
const NOTHING: Entries = new Map();
/** The longest path that Linux follows. */
const LONGEST_TARGET = 4096;

/** The push refers to an object that is neither in it nor upstream, or is not what it should be. */
export class BrokenPush extends Error {
  override readonly name = 'BrokenPush';
}

/** Bounds for one comparison. */
export interface TreeLimits {
  /** Folders and links that are read. */
  readonly reads: number;
}

/** The tree of a commit. */
export async function treeOf(objects: ObjectReader, commit: string): Promise<string> {
  const { content } = await expect(objects, commit, 'commit');
  const id = /^tree ([0-9a-f]{40,64})\n/.exec(content.toString('latin1', 0, 80))?.[1];
  if (id === undefined) throw new BrokenPush(`${commit} is no commit`);
  return id;
}

/** The parents and the message of a commit; undefined if the commit is not there. */
export async function readCommit(
  objects: ObjectReader,
  commit: string,
): Promise<{ readonly parents: readonly string[]; readonly message: string } | undefined> {
  const found = await objects.read(commit);
  if (!found) return undefined;
  if (found.type !== 'commit') throw new BrokenPush(`${commit} is a ${found.type}, not a commit`);
  const text = found.content.toString('utf8');
  const end = text.indexOf('\n\n');
  const head = end === -1 ? text : text.slice(0, end + 1);
  const parents = [...head.matchAll(/^parent ([0-9a-f]{40,64})$/gm)].map(([, id = '']) => id);
  return { parents, message: end === -1 ? '' : text.slice(end + 2) };
}

/**
 * The paths of `tree` that are in none of the trees `known` as they are there, as far as they matter; a path that is gone counts as removed if all of `known`
 * have it. Throws {@link BrokenPush}.
 */
export async function changedPaths(
  objects: ObjectReader,
  tree: string,
  known: readonly string[],
  matters: (change: PathChange) => boolean,
  limits: TreeLimits,
): Promise<PathChange[]> {
  const changes: PathChange[] = [];
  let left = limits.reads;

  function spend(): void {
    left -= 1;
    if (left < 0)
      throw new BrokenPush(`the push changes more than ${limits.reads.toLocaleString('en-US')} folders and links`);
  }

  async function entriesOf(id: string | undefined): Promise<Entries> {
    if (id === undefined) return NOTHING;
    spend();
    return parseTree((await expect(objects, id, 'tree')).content, id.length / 2);
  }

  async function walk(folder: string, id: string | undefined, others: readonly (string | undefined)[]): Promise<void> {
    if (others.includes(id)) return;
    const own = await entriesOf(id);
    const theirs: Entries[] = [];
    for (const other of others) theirs.push(await entriesOf(other));
    for (const name of new Set([own, ...theirs].flatMap((entries) => [...entries.keys()]))) {
      const entry = own.get(name);
      const before = theirs.map((entries) => entries.get(name));
      if (before.some((each) => each?.mode === entry?.mode && each?.id === entry?.id)) continue;
      const path = folder + name;
      const isTree = entry !== undefined && TREE.test(entry.mode);
      if (isTree || before.some((each) => each && TREE.test(each.mode)))
        await walk(`${path}/`, isTree ? entry.id : undefined, before.map(treeIn));
      const isFile = entry !== undefined && !isTree;
      const isGone = !isFile && before.every((each) => each && !TREE.test(each.mode));
      if (!isFile && !isGone) continue;
      const change = { path: readable(path), entry: isFile ? await describe(entry) : null };
      if (matters(change)) changes.push(change);
    }
  }

  async function describe({ mode, id }: Entry): Promise<PathChange['entry']> {
    if (mode !== LINK) return { mode, id };
    spend();
    const { content } = await expect(objects, id, 'blob');
    return { mode, target: content.length > LONGEST_TARGET ? null : content.toString('utf8') };
  }

  await walk('', tree, known);
  return changes;
}

/** The blob of a file in a tree; undefined if there is no such file. */
export async function blobAt(objects: ObjectReader, tree: string, path: string): Promise<string | undefined> {
  let id = tree;
  const names = Buffer.from(path, 'utf8').toString('latin1').split('/');
  for (const [index, name] of names.entries()) {
    const entry = parseTree((await expect(objects, id, 'tree')).content, id.length / 2).get(name);
    const isLast = index === names.length - 1;
    if (!entry || TREE.test(entry.mode) === isLast || (isLast && !FILE.test(entry.mode))) return undefined;
    ({ id } = entry);
  }
  return id;
}

function treeIn(entry: Entry | undefined): string | undefined {
  return entry && TREE.test(entry.mode) ? entry.id : undefined;
}

async function expect(objects: ObjectReader, id: string, type: string) {
  const found = await objects.read(id);
  if (found?.type !== type) throw new BrokenPush(`the ${type} ${id} is neither in the push nor on GitHub`);
  return found;
}

/** Names are kept as bytes, one character each, so that different names stay different. */
function parseTree(content: Buffer, idBytes: number): Entries {
  const entries = new Map<string, Entry>();
  for (let at = 0; at < content.length;) {
    const space = content.indexOf(0x20, at);
    const end = content.indexOf(0, space);
    if (space === -1 || end === -1 || end + 1 + idBytes > content.length) throw new BrokenPush('a tree is cut off');
    const name = content.toString('latin1', space + 1, end);
    if (entries.has(name)) throw new BrokenPush('a tree has a name twice');
    entries.set(name, {
      mode: content.toString('latin1', at, space),
      id: content.toString('hex', end + 1, end + 1 + idBytes),
    });
    at = end + 1 + idBytes;
  }
  return entries;
}

function readable(path: string): string {
  return Buffer.from(path, 'latin1').toString('utf8');
}
