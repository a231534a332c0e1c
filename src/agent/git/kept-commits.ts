/**
 * Commits that could not be pushed, as a git bundle: the platform keeps it, and the next run on the branch begins with it
 * (docs/decisions.md, 12).
 */
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Git } from './git.ts';

/** Where a clone has commits of an earlier run that were not pushed. */
const KEPT_REF = 'refs/codex-k8s/kept';

/** The commits of HEAD that no branch of the remote has; undefined if there are none. */
export async function bundleCommits(
  git: Git,
  directory: string,
): Promise<{ readonly headSha: string; readonly commits: number; readonly bundle: Buffer } | undefined> {
  const headSha = await git('rev-parse', 'HEAD');
  const commits = Number(await git('rev-list', '--count', 'HEAD', '--not', '--remotes=origin'));
  if (commits === 0) return undefined;
  const file = join(directory, '.git', 'codex-k8s-commits.bundle');
  try {
    await git('bundle', 'create', '--quiet', file, 'HEAD', '--not', '--remotes=origin');
    return { headSha, commits, bundle: await readFile(file) };
  } finally {
    await rm(file, { force: true });
  }
}

/** Commits of an earlier run in a clone. */
export interface KeptInClone {
  readonly commits: number;
  /** Whether the branch goes on from them; otherwise they are at {@link KEPT_REF}, since the branch has moved. */
  readonly continued: boolean;
}

/**
 * Puts the commits of a bundle into the clone. `existing`: the remote branch's commit, if there is one. Undefined if the remote has
 * them already. Throws GitFailure if the bundle does not fit the repository any more.
 */
export async function unbundleCommits(
  git: Git,
  directory: string,
  { headSha, bundle }: { readonly headSha: string; readonly bundle: Buffer },
  existing: string | undefined,
): Promise<KeptInClone | undefined> {
  const file = join(directory, '.git', 'codex-k8s-commits.bundle');
  try {
    await writeFile(file, bundle);
    await git('bundle', 'unbundle', file);
  } finally {
    await rm(file, { force: true });
  }
  // All objects are read, so that an incomplete bundle is found here.
  await git('rev-list', '--objects', '--quiet', headSha, '--not', '--remotes=origin');
  const commits = Number(await git('rev-list', '--count', headSha, '--not', '--remotes=origin'));
  if (commits === 0) return undefined;
  await git('update-ref', KEPT_REF, headSha);
  const continued = existing === undefined || (await isAncestor(git, existing, headSha));
  return { commits, continued };
}

/** What an agent has to know of them. `reason`: why they were not pushed. */
export function keptNotice({ commits, continued }: KeptInClone, reason: string): string {
  const some = commits === 1 ? '1 commit' : `${commits} commits`;
  const where = continued
    ? `The branch begins with ${some} of an earlier run that could not be pushed, so GitHub does not have them.`
    : `${some} of an earlier run could not be pushed, and the branch has moved since. They are at ${KEPT_REF}: take over what is still needed.`;
  return [
    `${where} The reason, as data:`,
    '',
    ...reason.split('\n').map((line) => `> ${line}`.trimEnd()),
    '',
    'If the reason lies in these commits (a large file, a secret), rewrite them without it: nobody else has them.',
  ].join('\n');
}

/** Whether one commit is the other, or comes before it. */
async function isAncestor(git: Git, ancestor: string, descendant: string): Promise<boolean> {
  return git('merge-base', '--is-ancestor', ancestor, descendant).then(
    () => true,
    () => false,
  );
}
