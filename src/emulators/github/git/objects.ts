/** Converts git objects between bytes and the rows of emulate's store; both have the same hashes. */
import { createHash } from 'node:crypto';
import { mkdir, rename, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { deflateSync } from 'node:zlib';
import type { BlobRow, CommitRow, TagRow, TreeEntry, TreeRow } from '../rows.ts';

export type ObjectType = 'blob' | 'tree' | 'commit' | 'tag';

export interface GitObject {
  sha: string;
  type: ObjectType;
  content: Buffer;
}

/** The bytes of a blob that emulate made. */
export function encodeBlob(blob: BlobRow): Buffer {
  return Buffer.from(blob.content, blob.encoding === 'base64' ? 'base64' : 'utf8');
}

/** The bytes of a tree, its entries in git's order (a folder sorts as if its name ended in a slash). */
export function encodeTree({ tree }: TreeRow): Buffer {
  const key = (entry: TreeEntry): Buffer => Buffer.from(entry.type === 'tree' ? `${entry.path}/` : entry.path);
  const ordered = tree.toSorted((left, right) => Buffer.compare(key(left), key(right)));
  return Buffer.concat(
    ordered.flatMap((entry) => [
      Buffer.from(`${entry.mode.replace(/^0+/, '')} ${entry.path}\0`),
      Buffer.from(entry.sha, 'hex'),
    ]),
  );
}

/** The bytes of a commit that emulate made; a message ends in a line feed. */
export function encodeCommit(commit: CommitRow): Buffer {
  const lines = [
    `tree ${commit.tree_sha}`,
    ...commit.parent_shas.map((sha) => `parent ${sha}`),
    `author ${commit.author_name} <${commit.author_email}> ${gitDate(commit.author_date)}`,
    `committer ${commit.committer_name} <${commit.committer_email}> ${gitDate(commit.committer_date)}`,
  ];
  const message = commit.message.endsWith('\n') ? commit.message : `${commit.message}\n`;
  return Buffer.from(`${lines.join('\n')}\n\n${message}`);
}

/** The hash of an object, as git computes it. */
function objectSha(type: ObjectType, content: Buffer): string {
  return createHash('sha1').update(`${type} ${content.byteLength}\0`).update(content).digest('hex');
}

/** Writes an object into a bare repository as git would: a loose file, moved into place. */
export async function writeLooseObject(directory: string, { sha, type, content }: GitObject): Promise<void> {
  if (objectSha(type, content) !== sha)
    throw new Error(`hash mismatch: emulate's ${type} ${sha} differs from the object that git makes of it`);
  const path = join(directory, 'objects', sha.slice(0, 2), sha.slice(2));
  if (await stat(path).catch(() => undefined)) return;
  await mkdir(dirname(path), { recursive: true });
  const draft = `${path}.${process.pid}`;
  await writeFile(draft, deflateSync(Buffer.concat([Buffer.from(`${type} ${content.byteLength}\0`), content])));
  await rename(draft, path);
}

/** Splits the output of `git cat-file --batch`. */
export function* readBatch(output: Buffer): Generator<GitObject> {
  for (let at = 0; at < output.length;) {
    const end = output.indexOf(0x0a, at);
    const [sha = '', type, size] = output.toString('latin1', at, end).split(' ');
    if (size === undefined) throw new Error(`git has no object ${sha}`);
    const start = end + 1;
    yield { sha, type: type as ObjectType, content: output.subarray(start, start + Number(size)) };
    at = start + Number(size) + 1;
  }
}

export function decodeBlob(content: Buffer): Pick<BlobRow, 'content' | 'encoding' | 'size'> {
  const text = content.toString('utf8');
  const isText = !text.includes('\0') && Buffer.from(text, 'utf8').equals(content);
  const size = content.byteLength;
  return isText
    ? { content: text, encoding: 'utf-8', size }
    : { content: content.toString('base64'), encoding: 'base64', size };
}

export function decodeTree(content: Buffer): TreeEntry[] {
  const entries: TreeEntry[] = [];
  for (let at = 0; at < content.length;) {
    const end = content.indexOf(0, at);
    const header = content.toString('utf8', at, end);
    const space = header.indexOf(' ');
    const mode = header.slice(0, space).padStart(6, '0');
    const type = mode === '040000' ? 'tree' : mode === '160000' ? 'commit' : 'blob';
    entries.push({ path: header.slice(space + 1), mode, type, sha: content.toString('hex', end + 1, end + 21) });
    at = end + 21;
  }
  return entries.toSorted((left, right) => left.path.localeCompare(right.path));
}

export function decodeCommit(
  content: Buffer,
): Omit<CommitRow, 'id' | 'created_at' | 'updated_at' | 'repo_id' | 'sha' | 'node_id' | 'user_id'> {
  const { headers, message } = headersOf(content);
  const author = identity(headers.find(([name]) => name === 'author')?.[1]);
  const committer = identity(headers.find(([name]) => name === 'committer')?.[1]);
  return {
    message,
    author_name: author.name,
    author_email: author.email,
    author_date: author.date,
    committer_name: committer.name,
    committer_email: committer.email,
    committer_date: committer.date,
    tree_sha: headers.find(([name]) => name === 'tree')?.[1] ?? '',
    parent_shas: headers.filter(([name]) => name === 'parent').map(([, sha]) => sha),
  };
}

export function decodeTag(
  content: Buffer,
): Omit<TagRow, 'id' | 'created_at' | 'updated_at' | 'repo_id' | 'sha' | 'node_id'> {
  const { headers, message } = headersOf(content);
  const header = (wanted: string): string => headers.find(([name]) => name === wanted)?.[1] ?? '';
  const tagger = identity(header('tagger'));
  const tagged = { tagger_name: tagger.name, tagger_email: tagger.email, tagger_date: tagger.date };
  return { tag: header('tag'), message, ...tagged, object_type: header('type'), object_sha: header('object') };
}

function headersOf(content: Buffer): { headers: [string, string][]; message: string } {
  const text = content.toString('utf8');
  const split = text.indexOf('\n\n');
  const lines = text
    .slice(0, split)
    .split('\n')
    .filter((line) => !line.startsWith(' '));
  const headers = lines.map((line): [string, string] => [
    line.slice(0, line.indexOf(' ')),
    line.slice(line.indexOf(' ') + 1),
  ]);
  return { headers, message: text.slice(split + 2).replace(/\n$/, '') };
}

function identity(line = ''): { name: string; email: string; date: string } {
  const [, name = '', email = '', seconds = '0'] = /^(.*?) ?<(.*)> (\d+) [+-]\d{4}$/.exec(line) ?? [];
  return { name, email, date: new Date(Number(seconds) * 1000).toISOString().replace('.000Z', 'Z') };
}

/** emulate's reading of a date, which its hashes depend on. */
function gitDate(date: string): string {
  const zone = /(Z|([+-])(\d{2}):?(\d{2}))$/i.exec(date);
  const offset = !zone || zone[1]?.toUpperCase() === 'Z' ? '+0000' : `${zone[2]}${zone[3]}${zone[4]}`;
  return `${Math.floor(Date.parse(date) / 1000)} ${offset}`;
}
