/** The repository in the workspace: cloned or fetched, with the run's branch checked out. */
import { access, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { leaveUnconverted } from './conversions.ts';
import { createGit, GitFailure, type Git, type GitOptions } from './git.ts';
import { unbundleCommits, type KeptInClone } from './kept-commits.ts';
import { ignoreUnwanted } from './leftovers.ts';
import type { Log } from '../platform/log-line.ts';
import { RunOver } from '../platform/platform.ts';
import type { Assignment } from '../platform/protocol.ts';
import { persist } from '../retry.ts';

export interface Repository {
  /** The commit after which the run's own work begins. */
  readonly start: string;
  /** The remote branch's commit when the work began; null if there was no such branch. */
  readonly remote: string | null;
  readonly git: Git;
  /** Where it is. */
  readonly directory: string;
  /** Commits of an earlier run that could not be pushed, if the clone was given any. */
  readonly kept?: KeptInClone;
}

type Target = Pick<Assignment, 'cloneUrl' | 'branch' | 'baseBranch' | 'kind' | 'interrupted' | 'since'> & {
  /** Commits of an earlier run that could not be pushed. */
  readonly earlier?: { readonly headSha: string; readonly bundle: Buffer } | null;
};

const EVERY_BRANCH = '+refs/heads/*:refs/remotes/origin/*';

/** Clones, or fetches into an earlier run's clone, and checks out the branch. Throws GitFailure. */
export async function prepareRepository(target: Target, options: GitOptions, log: Log): Promise<Repository> {
  const { repository } = options.paths;
  const git = createGit(repository, options);
  if (await isThere(join(repository, '.git'))) {
    try {
      await refresh(git, target, options, log);
      const ready =
        (target.interrupted && (await keepWork(git, target, options, log))) ||
        (await checkOut(git, target, options, log));
      log('runner', 'The clone of the earlier run is used again');
      return ready;
    } catch (error) {
      if (!(error instanceof GitFailure) || error.trouble !== 'other') throw error;
      log('runner', `The clone of the earlier run cannot be used (${error.output}); cloning again`);
    }
  }
  await clone(target, options, log);
  return checkOut(git, target, options, log);
}

async function refresh(git: Git, target: Target, options: GitOptions, log: Log): Promise<void> {
  await dropLocks(join(options.paths.repository, '.git'));
  await git('remote', 'set-url', 'origin', target.cloneUrl);
  await remotely(() => git('fetch', '--quiet', '--prune', '--no-tags', target.cloneUrl, EVERY_BRANCH), options, log);
}

/** Removes locks of a killed git; no other git runs here. */
async function dropLocks(gitDirectory: string): Promise<void> {
  const locks = (await readdir(gitDirectory)).filter((name) => name.endsWith('.lock'));
  for (const lock of locks) await rm(join(gitDirectory, lock), { force: true });
}

/** Clones into another path first, so that an incomplete clone is never used. */
async function clone(target: Target, options: GitOptions, log: Log): Promise<void> {
  const { workspace, repository } = options.paths;
  const partial = `${repository}.partial`;
  const git = createGit(workspace, options);
  await remotely(
    async () => {
      await rm(partial, { recursive: true, force: true });
      await git('clone', '--quiet', '--no-checkout', '--no-tags', target.cloneUrl, partial);
    },
    options,
    log,
  );
  await rm(repository, { recursive: true, force: true });
  await rename(partial, repository);
}

/** Keeps the work of an interrupted run; undefined if its branch is not checked out. */
async function keepWork(git: Git, target: Target, { paths }: GitOptions, log: Log): Promise<Repository | undefined> {
  const head = await git('symbolic-ref', '--quiet', 'HEAD').catch(() => '');
  const start =
    (await startOf(git, target, await commitOf(git, target.baseBranch), await commitOf(git, target.branch))) ?? '';
  if (head.trim() !== `refs/heads/${target.branch}` || start === '') return undefined;
  log('runner', `On branch ${target.branch}, with the work of the interrupted agent`);
  return { git, directory: paths.repository, start, remote: (await commitOf(git, target.branch)) ?? null };
}

async function checkOut(git: Git, target: Target, { paths }: GitOptions, log: Log): Promise<Repository> {
  const { repository: directory } = paths;
  const base = await commitOf(git, target.baseBranch);
  const existing = await commitOf(git, target.branch);
  const kept = target.earlier ? await putKept(git, directory, target.earlier, existing, log) : undefined;
  const from = kept?.continued ? target.earlier?.headSha : (existing ?? base);
  if (from === undefined) throw new GitFailure('checkout', `there is no branch ${target.baseBranch}`);
  for (const file of ['attributes', 'exclude']) await rm(join(directory, '.git', 'info', file), { force: true });
  await git('checkout', '--quiet', '--force', '--no-track', '-B', target.branch, from);
  await git('reset', '--quiet', '--hard', from);
  await git('clean', '-ffdq');
  const unconverted = await leaveUnconverted(git, directory);
  if (unconverted.length > 0)
    log(
      'runner',
      `Kept as stored, whatever their attributes say: ${unconverted.length === 1 ? '1 file' : `${unconverted.length} files`}`,
    );
  await ignoreUnwanted(git, directory);
  const origin = kept?.continued
    ? 'with the commits of an earlier run that could not be pushed'
    : existing === undefined
      ? `from ${target.baseBranch}`
      : 'as it is on the remote';
  log('runner', `On branch ${target.branch}, ${origin}, at ${from.slice(0, 12)}`);
  return {
    git,
    directory,
    start: (await startOf(git, target, base, existing)) ?? from,
    remote: existing ?? null,
    ...(kept && { kept }),
  };
}

/** Undefined also when the commits do not fit the repository any more; the log says so. */
async function putKept(
  git: Git,
  directory: string,
  kept: { readonly headSha: string; readonly bundle: Buffer },
  existing: string | undefined,
  log: Log,
): Promise<KeptInClone | undefined> {
  return unbundleCommits(git, directory, kept, existing).catch((error: unknown) => {
    if (!(error instanceof GitFailure)) throw error;
    log('runner', `The commits of an earlier run do not fit the repository any more: ${error.output}`);
    return undefined;
  });
}

/**
 * The commit after which this run's work begins. If the branch holds no work of an earlier stage, an earlier run's pushes at the
 * same stage count too; if somebody has rewritten the branch, all its commits do.
 */
async function startOf(
  git: Git,
  { kind, since }: Target,
  base: string | undefined,
  existing: string | undefined,
): Promise<string | undefined> {
  const otherwise = kind === 'work' ? base : (existing ?? base);
  if (existing === undefined || since === null) return otherwise;
  const holds = await git('merge-base', '--is-ancestor', since, existing).then(
    () => true,
    () => false,
  );
  return holds ? since : otherwise;
}

async function commitOf(git: Git, branch: string): Promise<string | undefined> {
  const reference = `refs/remotes/origin/${branch}`;
  const found = await git('for-each-ref', '--format=%(refname) %(objectname)', reference);
  const line = found.split('\n').find((candidate) => candidate.startsWith(`${reference} `));
  return line?.slice(reference.length + 1);
}

/** Retries a command while the git gateway is unavailable. Throws {@link RunOver} if the gateway refuses the token. */
export async function remotely<T>(command: () => Promise<T>, options: GitOptions, log: Log): Promise<T> {
  try {
    return await persist(command, {
      isTransient: (error) => error instanceof GitFailure && error.trouble === 'away',
      signal: options.signal,
      onTrouble: (error) => log('runner', `The git gateway is unavailable, retrying: ${String(error)}`),
    });
  } catch (error) {
    if (error instanceof GitFailure && error.trouble === 'over') throw new RunOver(error.output, { cause: error });
    throw error;
  }
}

async function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
