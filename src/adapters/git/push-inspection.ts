/**
 * Looks into a push before it reaches GitHub: git unpacks it into a repository of its own, and what it would make of the branch
 * is compared with what GitHub has.
 */
import { join } from 'node:path';
import { refusedChange, refuseChanges } from '../../domain/run/protected-paths.ts';
import { isInert } from '../../domain/messages/inert.ts';
import type { Stage } from '../../domain/stages/stages.ts';
import { GitFailed, makeRepository, runGit, writeSettings, type GitDirectory } from './git-process.ts';
import { openObjects, type ObjectReader } from './object-reader.ts';
import { blobsWithConflicts, refuseNewConflicts, type ConflictLimits } from './push-conflicts.ts';
import { BrokenPush, changedPaths, readCommit, treeOf } from './trees.ts';

/** A push of one branch, received as far as its end but not yet sent on. */
export interface ReceivedPush {
  /** `owner/name`. */
  readonly repository: string;
  readonly branch: string;
  readonly baseBranch: string;
  /** The stage of the run; null if it is unknown. */
  readonly stage: Stage | null;
  /** The commit that the branch has, as the push says; null if the push creates it. GitHub compares it with the real one. */
  readonly oldId: string | null;
  readonly newId: string;
  /** An empty directory for this push alone, which the caller removes. */
  readonly directory: string;
  /** The file of the push's pack. */
  readonly pack: string;
}

/** GitHub cannot be asked now. */
class UpstreamAway extends Error {
  override readonly name = 'UpstreamAway';
}

export interface PushInspection {
  /** Why the push is refused, on one line; undefined if it may pass. Throws if GitHub cannot be asked. */
  refuse(push: ReceivedPush, signal: AbortSignal): Promise<string | undefined>;
}

export interface InspectionLimits extends ConflictLimits {
  /** Commits of a push that are read one by one; beyond that git compares the whole history. */
  readonly commits: number;
}

export const INSPECTION_LIMITS: InspectionLimits = { reads: 50_000, commits: 2000, files: 50_000 };

/** `upstream`: where git is served, without a slash at its end. */
export function createPushInspection(
  { upstream, token }: { readonly upstream: string; readonly token: string },
  limits: InspectionLimits = INSPECTION_LIMITS,
): PushInspection {
  return {
    async refuse(push, signal) {
      try {
        return await inspect(push, { url: `${upstream}/${push.repository}.git`, token, limits, signal });
      } catch (error) {
        if (error instanceof BrokenPush) return error.message;
        if (error instanceof GitFailed && NOT_THERE.test(error.output))
          return 'the push refers to objects that are neither in it nor on GitHub';
        throw error;
      }
    },
  };
}

/** Git says so of an object that the other side does not have. */
const NOT_THERE = /not our ref|unadvertised object|did not send all necessary objects/i;
/** How `git merge-base` says that there is none. */
const NO = 1;
const BASE = 'refs/known/base';
const OLD = 'refs/known/old';
const NO_SUCH_BRANCH = /couldn't find remote ref/i;

interface Setting {
  readonly url: string;
  readonly token: string;
  readonly limits: InspectionLimits;
  readonly signal: AbortSignal;
}

async function inspect(push: ReceivedPush, { url, token, limits, signal }: Setting): Promise<string | undefined> {
  const settingsFile = join(push.directory, 'settings');
  await writeSettings(settingsFile, { url, token });
  const pushed: GitDirectory = { path: join(push.directory, 'received.git'), settingsFile, signal };
  await makeRepository(pushed.path, push.newId);
  await unpack(pushed, push.pack);

  const { reachesOld, edge, loud } = await ancestry(pushed, push, limits);
  const history = createHistory({ ...push, edge }, pushed);
  if (!reachesOld && !(await history.holds(push.oldId))) return removesCommits(push);
  const [speaking] = loud.length === 0 ? [] : await history.newOf(loud);
  if (speaking !== undefined) return speaks(speaking);

  const conflicts = await blobsWithConflicts(pushed, limits);

  // From here on git fetches what is neither in the push nor here.
  const received = { ...pushed, settings: lacking('blob:none') };
  const known = await fetchKnown(received, push);
  if (edge?.includes(push.newId)) await fetchCommit(received, push.newId);
  const refused = await refusalOf(received, push, { known, conflicts }, limits);
  if (refused === undefined || !known.includes(BASE)) return refused;
  // What is new compared with the newest base may be what the base was when the work began.
  const base = await runGit(received, ['rev-parse', BASE]);
  const parted = (await history.partedFrom(base)).filter((id) => id !== base && id !== push.oldId);
  if (parted.length === 0) return refused;
  for (const id of parted) await fetchCommit(received, id);
  return refusalOf(received, push, { known: [...known, ...parted], conflicts }, limits);
}

/** Settings with which git may lack these objects of `origin`, and fetches them when it needs them. */
function lacking(filter: 'blob:none' | 'tree:0'): string[] {
  return ['remote.origin.promisor=true', `remote.origin.partialCloneFilter=${filter}`];
}

async function unpack(directory: GitDirectory, pack: string): Promise<void> {
  try {
    await runGit(directory, ['index-pack', '--stdin', '--fsck-objects'], pack);
  } catch (error) {
    if (!(error instanceof GitFailed)) throw error;
    throw new BrokenPush(`git cannot unpack the push (${error.output.replaceAll(/\s+/g, ' ').slice(0, 300)})`);
  }
}

/**
 * Whether the pushed history reaches the old commit as far as it is in the push, and the commits where it leaves the push;
 * these are undefined if the push has too many commits to read them one by one. `loud`: commits whose messages GitHub would act on.
 */
async function ancestry(
  received: GitDirectory,
  { oldId, newId }: ReceivedPush,
  { commits }: InspectionLimits,
): Promise<{ reachesOld: boolean; edge: readonly string[] | undefined; loud: readonly string[] }> {
  const objects = openObjects(received);
  try {
    const edge: string[] = [];
    const loud: string[] = [];
    const seen = new Set([newId]);
    for (const id of seen) {
      if (seen.size > commits) return { reachesOld: oldId === null, edge: undefined, loud };
      const commit = await readCommit(objects, id);
      if (commit) for (const parent of commit.parents) seen.add(parent);
      else edge.push(id);
      if (commit && !isInert(commit.message)) loud.push(id);
    }
    return { reachesOld: oldId === null || seen.has(oldId), edge, loud };
  } finally {
    objects.close();
  }
}

/** The commits of the repository, without trees and files; fetched only when it is needed. */
function createHistory(
  { baseBranch, oldId, newId, edge, directory }: ReceivedPush & { readonly edge: readonly string[] | undefined },
  received: GitDirectory,
) {
  // Without the pushed objects while it fetches: git takes a history for complete whose last commit it has.
  const own: GitDirectory = { ...received, path: join(directory, 'history.git'), settings: lacking('tree:0') };
  const git: GitDirectory = { ...own, alternate: join(received.path, 'objects') };
  let fetched: Promise<void> | undefined;

  async function fetchHistory(): Promise<void> {
    await makeRepository(own.path, newId);
    const wants = new Set([...(oldId === null ? [] : [oldId]), ...(edge ?? [])]);
    await fetch(own, ['--filter=tree:0', 'origin', `+refs/heads/${baseBranch}:refs/known/base`, ...wants]).catch(
      (error: unknown) => {
        if (!(error instanceof GitFailed && NO_SUCH_BRANCH.test(error.output))) throw error;
        return fetch(own, ['--filter=tree:0', 'origin', ...wants]);
      },
    );
  }

  return {
    /** Whether the pushed history holds the commit. */
    async holds(commit: string | null): Promise<boolean> {
      if (commit === null || edge?.length === 0) return commit === null;
      await (fetched ??= fetchHistory());
      return runGit(git, ['merge-base', '--is-ancestor', commit, newId]).then(
        () => true,
        (error: unknown) => {
          if (error instanceof GitFailed && error.exitCode === NO) return false;
          throw error;
        },
      );
    },
    /** Those of these commits that neither the base branch nor the run's branch has on GitHub. */
    async newOf(commits: readonly string[]): Promise<string[]> {
      await (fetched ??= fetchHistory());
      const heads = await runGit(git, ['for-each-ref', '--format=%(objectname)', 'refs/known']);
      const known = [...heads.split('\n'), ...(oldId === null ? [] : [oldId])].filter(Boolean);
      const found = await runGit(git, ['rev-list', ...commits, '--not', ...known]);
      const unknown = new Set(found.split('\n'));
      return commits.filter((id) => unknown.has(id));
    },
    /** The commits where the pushed history and the base branch part. */
    async partedFrom(base: string): Promise<string[]> {
      // A push that leaves itself nowhere holds all of its history: git did not know what GitHub has.
      if (edge && edge.length > 0 && edge.every((id) => id === base || id === oldId)) return [];
      await (fetched ??= fetchHistory());
      const found = await runGit(git, ['merge-base', '--all', base, newId]).catch((error: unknown) => {
        if (error instanceof GitFailed && error.exitCode === NO) return '';
        throw error;
      });
      return found.split('\n').filter(Boolean);
    },
  };
}

/** Fetches the newest commit of the base branch, and the one that the run's branch has, with their trees. Returns their names. */
async function fetchKnown(received: GitDirectory, { baseBranch, oldId }: ReceivedPush): Promise<string[]> {
  const old = oldId === null ? [] : [`+${oldId}:${OLD}`];
  try {
    await fetch(received, ['--depth=1', '--filter=blob:none', 'origin', `+refs/heads/${baseBranch}:${BASE}`, ...old]);
    return [BASE, ...(oldId === null ? [] : [OLD])];
  } catch (error) {
    if (!(error instanceof GitFailed && NO_SUCH_BRANCH.test(error.output))) throw error;
    if (oldId === null) return [];
    await fetchCommit(received, oldId);
    return [oldId];
  }
}

async function fetchCommit(received: GitDirectory, id: string): Promise<void> {
  await fetch(received, ['--depth=1', '--filter=blob:none', 'origin', `+${id}:refs/known/${id}`]);
}

async function fetch(git: GitDirectory, args: readonly string[]): Promise<void> {
  try {
    await runGit(git, ['fetch', '--quiet', '--no-tags', '--no-write-fetch-head', ...args]);
  } catch (error) {
    if (!(error instanceof GitFailed) || NOT_THERE.test(error.output) || NO_SUCH_BRANCH.test(error.output)) throw error;
    throw new UpstreamAway(error.output, { cause: error });
  }
}

async function refusalOf(
  received: GitDirectory,
  { newId, stage }: ReceivedPush,
  { known, conflicts }: { readonly known: readonly string[]; readonly conflicts: ReadonlySet<string> },
  limits: InspectionLimits,
): Promise<string | undefined> {
  const objects: ObjectReader = openObjects(received);
  try {
    const trees: string[] = [];
    for (const commit of known) trees.push(await treeOf(objects, commit));
    const tree = await treeOf(objects, newId);
    const matters = (change: Parameters<typeof refusedChange>[0]): boolean =>
      refusedChange(change, stage) !== undefined;
    return (
      refuseChanges(await changedPaths(objects, tree, trees, matters, limits), stage) ??
      (await refuseNewConflicts(received, objects, { tree, known: trees, blobs: conflicts }, limits))
    );
  } finally {
    objects.close();
  }
}

function speaks(commit: string): string {
  return `the message of ${commit.slice(0, 12)} mentions people or closes issues on GitHub; write it without @names and without “fixes #1”, and push again`;
}

function removesCommits({ branch, oldId, newId }: ReceivedPush): string {
  const [before, now] = [oldId ?? '', newId].map((id) => id.slice(0, 12));
  return `this run may not remove commits from ${branch}: ${before} is not part of ${now}; fetch and merge it, then push without --force`;
}
