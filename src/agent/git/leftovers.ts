/** Commits what an agent left uncommitted, without new files that hardly ever belong into a pull request. */
import { lstat, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { excludeLines, holdBack, type HeldBack } from '../../domain/run/held-back.ts';
import { NOTE_PATH_CHARACTERS } from '../../domain/run/work-notes.ts';
import type { Log } from '../platform/log-line.ts';
import { names } from './conversions.ts';
import type { Git } from './git.ts';

export interface Commit {
  readonly author: { readonly name: string; readonly email: string };
  readonly message: string;
}

/** Paths in one call of git: an argument list has a limit. */
const PATHS_AT_ONCE = 100;

/**
 * Has git ignore these files in the clone, so that an agent that adds everything does not add them either; `git add --force`
 * does. Files that are tracked stay so.
 */
export async function ignoreUnwanted(git: Git, repository: string): Promise<void> {
  const lines = excludeLines(await trackedFolders(git));
  await mkdir(join(repository, '.git', 'info'), { recursive: true });
  await writeFile(join(repository, '.git', 'info', 'exclude'), `${lines.join('\n')}\n`);
}

/** Commits changes of tracked files and the new files that are not held back. Returns those that are. */
export async function commitLeftovers(
  git: Git,
  repository: string,
  commit: Commit,
  log: Log,
): Promise<readonly HeldBack[]> {
  const { kept, held } = await newFiles(git, repository);
  await git('add', '--update');
  for (let from = 0; from < kept.length; from += PATHS_AT_ONCE)
    await git('--literal-pathspecs', 'add', '--force', '--', ...kept.slice(from, from + PATHS_AT_ONCE));
  if (await isStaged(git)) {
    const identity = ['-c', `user.name=${commit.author.name}`, '-c', `user.email=${commit.author.email}`];
    await git(...identity, 'commit', '--quiet', '--no-verify', '--no-gpg-sign', '--message', commit.message);
    log('runner', "Committed the agent's uncommitted changes");
  }
  for (const { path, files, reason } of held)
    log('runner', `Held back: ${path} (${files === 1 ? '1 file' : `${files} files`}, ${reason})`);
  return held.map((place) => ({ ...place, path: place.path.slice(0, NOTE_PATH_CHARACTERS).toWellFormed() }));
}

/** Untracked files that the repository's own .gitignore does not name; what the clone ignores besides is held back here. */
async function newFiles(git: Git, repository: string): Promise<ReturnType<typeof holdBack>> {
  const paths = names(await git('ls-files', '-z', '--others', '--exclude-per-directory=.gitignore'));
  if (paths.length === 0) return { kept: [], held: [] };
  const untracked = await Promise.all(
    paths.map(async (path) => ({
      path,
      bytes: (await lstat(join(repository, path)).catch(() => undefined))?.size ?? 0,
    })),
  );
  return holdBack(untracked, await trackedFolders(git));
}

/** Whether the index differs from HEAD, or a merge waits to be committed. */
async function isStaged(git: Git): Promise<boolean> {
  if ((await git('diff', '--cached', '--name-only', '--no-ext-diff')) !== '') return true;
  return git('rev-parse', '--quiet', '--verify', 'MERGE_HEAD').then(
    () => true,
    () => false,
  );
}

/** All folders with a tracked file. */
async function trackedFolders(git: Git): Promise<ReadonlySet<string>> {
  const folders = new Set<string>();
  for (const path of names(await git('ls-files', '-z'))) {
    for (let slash = path.lastIndexOf('/'); slash > 0; slash = path.lastIndexOf('/', slash - 1)) {
      const folder = path.slice(0, slash);
      if (folders.has(folder)) break;
      folders.add(folder);
    }
  }
  return folders;
}
