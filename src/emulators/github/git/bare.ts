/** Operations on one bare repository. */
import { mkdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { UserRow } from '../rows.ts';
import { git, gitBytes } from './command.ts';
import { readBatch, type GitObject } from './objects.ts';

export const ZERO_SHA = '0'.repeat(40);

/** One ref that moved; `null` where it did not exist. */
export interface RefChange {
  repoId: number;
  ref: string;
  before: string | null;
  after: string | null;
}

/** Refs of pull requests belong to GitHub: nobody may push them and they are not listed. */
const PULL_REFS = 'refs/pull/';

/** The directory of a repository below the emulator's data directory. */
export function bareDirectory(dataDir: string, fullName: string): string {
  return join(dataDir, 'git', `${fullName}.git`);
}

/** Creates a bare repository that `git http-backend` serves, unless it exists. */
export async function initBare(directory: string, defaultBranch: string): Promise<void> {
  if (await stat(join(directory, 'HEAD')).catch(() => undefined)) return;
  await mkdir(directory, { recursive: true });
  await git(directory, ['init', '--quiet', '--bare', `--initial-branch=${defaultBranch}`]);
  const settings = {
    'http.receivepack': 'true',
    'uploadpack.allowFilter': 'true',
    'receive.autogc': 'false',
    'gc.auto': '0',
    'receive.hideRefs': PULL_REFS,
  };
  for (const [name, value] of Object.entries(settings)) await git(directory, ['config', name, value]);
}

export async function moveBare(from: string, to: string): Promise<void> {
  await mkdir(dirname(to), { recursive: true });
  await rename(from, to);
}

export async function removeBare(directory: string): Promise<void> {
  await rm(directory, { recursive: true, force: true });
}

/** All refs except those of pull requests. */
export async function listRefs(directory: string): Promise<Map<string, string>> {
  const { stdout } = await git(directory, ['for-each-ref', '--format=%(refname) %(objectname)']);
  const lines = stdout.split('\n').filter((line) => line !== '' && !line.startsWith(PULL_REFS));
  return new Map(lines.map((line) => line.split(' ') as [string, string]));
}

/** Moves refs in one transaction: all or none. */
export async function updateRefs(
  directory: string,
  changes: readonly { ref: string; after: string | null }[],
): Promise<void> {
  const lines = changes.map(({ ref, after }) => (after === null ? `delete ${ref}` : `update ${ref} ${after}`));
  await git(directory, ['update-ref', '--stdin'], { input: `${lines.join('\n')}\n` });
}

/** Points a repository's HEAD at its default branch. */
export async function setHead(directory: string, branch: string): Promise<void> {
  await git(directory, ['symbolic-ref', 'HEAD', `refs/heads/${branch}`]);
}

/** Keeps a pull request's head in a ref, so that it can be fetched after its branch was deleted. */
export async function keepPullHead(directory: string, number: number, sha: string): Promise<void> {
  await updateRefs(directory, [{ ref: `${PULL_REFS}${number}/head`, after: sha }]);
}

/** Every object of a repository. */
export async function allObjects(directory: string): Promise<GitObject[]> {
  return [...readBatch(await gitBytes(directory, ['cat-file', '--batch', '--batch-all-objects', '--unordered'], ''))];
}

/** The objects reachable from `tips` but not from `known`. */
export async function newObjects(
  directory: string,
  tips: readonly string[],
  known: readonly string[],
): Promise<GitObject[]> {
  const input = [...tips, ...known.map((sha) => `^${sha}`)].join('\n');
  const { stdout } = await git(directory, ['rev-list', '--objects', '--no-object-names', '--stdin', '--'], {
    input: `${input}\n`,
  });
  if (stdout === '') return [];
  return [...readBatch(await gitBytes(directory, ['cat-file', '--batch'], `${stdout}\n`))];
}

/** The tree of a merge of two commits, or `undefined` when they conflict or have unrelated histories. */
export async function mergeTrees(directory: string, base: string, head: string): Promise<string | undefined> {
  const { stdout, exitCode } = await git(directory, ['merge-tree', '--write-tree', '--no-messages', base, head], {
    allow: [1, 128],
  });
  return exitCode === 0 ? stdout.trim() : undefined;
}

export async function isAncestor(directory: string, ancestor: string, descendant: string): Promise<boolean> {
  const { exitCode } = await git(directory, ['merge-base', '--is-ancestor', ancestor, descendant], { allow: [1, 128] });
  return exitCode === 0;
}

/** Creates a commit object with an account as author and returns its hash. */
export async function commitTree(
  directory: string,
  tree: string,
  parents: readonly string[],
  message: string,
  by: UserRow,
): Promise<string> {
  const args = ['commit-tree', tree, ...parents.flatMap((parent) => ['-p', parent])];
  return (await git(directory, args, { input: `${message}\n`, env: identityOf(by) })).stdout;
}

/** Replays `base..head` on top of `base`; `undefined` when a commit does not apply. */
export async function rebaseCommits(
  directory: string,
  base: string,
  head: string,
  by: UserRow,
): Promise<string | undefined> {
  const worktree = join(directory, `rebase-${process.pid}-${head}`);
  await git(directory, ['worktree', 'add', '--quiet', '--detach', worktree, base]);
  try {
    const picked = await git(worktree, ['cherry-pick', `${base}..${head}`], { env: identityOf(by), allow: [1, 128] });
    return picked.exitCode === 0 ? (await git(worktree, ['rev-parse', 'HEAD'])).stdout : undefined;
  } finally {
    await git(directory, ['worktree', 'remove', '--force', worktree]);
  }
}

/** The change that a pull request proposes, as git prints it. */
export async function diffText(directory: string, base: string, head: string): Promise<string> {
  const args = ['diff', '--no-color', '--no-ext-diff', '--find-renames', `${base}...${head}`];
  const { stdout, exitCode } = await git(directory, args, { allow: [128] });
  return exitCode === 0 && stdout !== '' ? `${stdout}\n` : '';
}

export interface DiffSize {
  additions: number;
  deletions: number;
  changed_files: number;
  commits: number;
}

/** The size of a pull request's diff. */
export async function diffSize(directory: string, base: string, head: string): Promise<DiffSize> {
  const args = ['diff', '--numstat', '--no-ext-diff', '--find-renames', `${base}...${head}`];
  const { stdout } = await git(directory, args, { allow: [128] });
  const lines = stdout
    .split('\n')
    .filter(Boolean)
    .map((line) => line.split('\t'));
  const sum = (column: number): number => lines.reduce((total, line) => total + (Number(line[column]) || 0), 0);
  const commits = Number((await git(directory, ['rev-list', '--count', `${base}..${head}`])).stdout);
  return { additions: sum(0), deletions: sum(1), changed_files: lines.length, commits };
}

function identityOf(user: UserRow): Record<string, string> {
  const name = user.name ?? user.login;
  const email = user.email ?? `${user.id}+${user.login}@users.noreply.github.com`;
  return { GIT_AUTHOR_NAME: name, GIT_AUTHOR_EMAIL: email, GIT_COMMITTER_NAME: name, GIT_COMMITTER_EMAIL: email };
}
