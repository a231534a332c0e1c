/** Finds a merge or a rebase that an agent stopped in, and conflict markers in what it would publish. */
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { countConflicts, MARKER_SIZE_ATTRIBUTE, markerSize } from '../../domain/run/conflict-markers.ts';
import { names } from './conversions.ts';
import type { Git } from './git.ts';

/** Files that are named. */
const SHOWN = 10;

/** What of the repository is not finished, in words; undefined if it can be committed. `start`: where the run's work begins. */
export async function unfinishedState(git: Git, repository: string, start: string): Promise<string | undefined> {
  const unmerged = new Set(
    names(await git('ls-files', '--unmerged', '-z')).map((line) => line.slice(line.indexOf('\t') + 1)),
  );
  if (unmerged.size > 0) return `the conflicts of a merge are not resolved in ${listed([...unmerged])}`;
  for (const directory of ['rebase-merge', 'rebase-apply'])
    if (await isThere(join(repository, '.git', directory))) return 'a rebase is not finished';
  const marked = await filesWithMarkers(git, start);
  return marked.length > 0 ? `there are conflict markers in ${listed(marked)}` : undefined;
}

/** Whether conflict markers are committed. */
export async function hasCommittedMarkers(git: Git, start: string): Promise<boolean> {
  return (await filesWithMarkers(git, start, 'HEAD')).length > 0;
}

/** Files to which all three markers of a conflict were added since `start`, in their order; committed or not unless an `end` is given. */
async function filesWithMarkers(git: Git, start: string, ...end: string[]): Promise<readonly string[]> {
  const plain = ['--no-color', '--no-ext-diff', '--no-textconv', '--no-renames'];
  const suspects = names(await git('diff', '--name-only', '-z', ...plain, '-G^<<<<<<<+ ', start, ...end));
  const found: string[] = [];
  for (const path of suspects) {
    const diff = await git('--literal-pathspecs', 'diff', '-U0', ...plain, start, ...end, '--', path);
    const [, , size] = (await git('check-attr', '-z', MARKER_SIZE_ATTRIBUTE, '--', path)).split('\0');
    if (countConflicts(diff, markerSize(size), '+') > 0) found.push(path);
  }
  return found;
}

function listed(paths: readonly string[]): string {
  const rest = paths.length - SHOWN;
  return paths.slice(0, SHOWN).join(', ') + (rest > 0 ? ` and ${rest} more` : '');
}

async function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
