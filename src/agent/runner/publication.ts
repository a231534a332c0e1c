/** Commits, checks and pushes the agent's work after its turn. */
import { RunFailure } from './failure.ts';
import type { HeldBack } from '../../domain/run/held-back.ts';
import { neutralizeMessages } from '../git/commit-messages.ts';
import { GitFailure, type GitOptions } from '../git/git.ts';
import { commitLeftovers } from '../git/leftovers.ts';
import { hasCommittedMarkers, unfinishedState } from '../git/unfinished.ts';
import type { Log } from '../platform/log-line.ts';
import type { Answer, Assignment } from '../platform/protocol.ts';
import { remotely, type Repository } from '../git/repository.ts';

type Pushed = Pick<Assignment, 'branch' | 'cloneUrl' | 'author' | 'kind'>;

/**
 * Commits uncommitted changes and pushes the branch; returns the commit at the branch's head, and what was not committed. Runs
 * that only read (reviews and discussions) publish nothing: their changes stay in the workspace. Throws {@link RunFailure}.
 */
export async function publish(
  repository: Repository,
  assignment: Pushed,
  answer: Answer,
  options: GitOptions,
  log: Log,
): Promise<{ readonly headSha: string; readonly heldBack: readonly HeldBack[] }> {
  const { git, start, directory } = repository;
  if (readsOnly(assignment)) return { headSha: start, heldBack: [] };
  await refuseUnfinished(repository);
  const heldBack = await commitLeftovers(git, directory, { author: assignment.author, message: answer.title }, log);
  const commits = Number(await git('rev-list', '--count', `${start}..HEAD`));
  if (commits === 0) {
    if (assignment.kind === 'revise' && answer.answers.length > 0) {
      log('runner', 'The review is answered without a commit');
      return { headSha: start, heldBack };
    }
    const withheld = heldBack.map(({ path }) => path).join(', ');
    throw new RunFailure(
      'no_changes',
      `the branch ${assignment.branch} has no new commit${withheld === '' ? '' : ` (held back: ${withheld})`}: ${answer.summary}`,
    );
  }
  return { headSha: await push(repository, assignment, commits, options, log), heldBack };
}

/**
 * Pushes the agent's commits before it asks a question, so that they are not lost with the pod. Returns the commit at the
 * branch's head; null if there is nothing new. Uncommitted changes stay: the local runtime's workspace keeps them, a pod does not.
 */
export async function pushCommitted(
  repository: Repository,
  assignment: Pick<Assignment, 'branch' | 'cloneUrl' | 'kind'>,
  options: GitOptions,
  log: Log,
): Promise<string | null> {
  const { git } = repository;
  if (readsOnly(assignment)) return null;
  const changes = (await git('status', '--porcelain')).split('\n').filter(Boolean).length;
  if (changes > 0)
    log(
      'runner',
      changes === 1
        ? '1 path is not committed: it stays in this workspace and is lost with it'
        : `${changes} paths are not committed: they stay in this workspace and are lost with it`,
    );
  const commits = await unpushed(repository);
  return commits === 0 ? null : push(repository, assignment, commits, options, log);
}

/**
 * Pushes what an agent made whose run fails for another reason than its work; returns the number of commits. `message`: set if its
 * uncommitted changes count too. Throws {@link RunFailure}.
 */
export async function keepWorkOf(
  repository: Repository,
  assignment: Pushed,
  message: string | undefined,
  options: GitOptions,
  log: Log,
): Promise<number> {
  if (readsOnly(assignment)) return 0;
  const { git, directory } = repository;
  if (message !== undefined && (await unfinishedOf(repository)) === undefined)
    await commitLeftovers(git, directory, { author: assignment.author, message }, log);
  if (await hasCommittedMarkers(git, repository.start)) return 0;
  const commits = await unpushed(repository);
  if (commits > 0) await push(repository, assignment, commits, options, log);
  return commits;
}

/** What an agent has not finished in its repository, in words: a merge, a rebase. Undefined if all can be published. */
export async function unfinishedOf({ git, directory, start }: Repository): Promise<string | undefined> {
  return unfinishedState(git, directory, start);
}

async function refuseUnfinished(repository: Repository): Promise<void> {
  const unfinished = await unfinishedOf(repository);
  if (unfinished !== undefined) throw new RunFailure('unmerged', unfinished);
}

async function unpushed({ git, remote, start }: Repository): Promise<number> {
  return Number(await git('rev-list', '--count', `${remote ?? start}..HEAD`));
}

/** Whether a run leaves no commits: reviews and discussions. */
export function readsOnly({ kind }: Pick<Assignment, 'kind'>): boolean {
  return kind === 'review' || kind === 'discussion';
}

async function push(
  repository: Repository,
  assignment: Pick<Assignment, 'branch' | 'cloneUrl'>,
  commits: number,
  options: GitOptions,
  log: Log,
): Promise<string> {
  const { git, remote } = repository;
  await neutralizeMessages(git, options.paths.workspace, log);
  const head = await git('rev-parse', 'HEAD');
  const branch = `refs/heads/${assignment.branch}`;
  // Together these two only fast-forward, and only from where the work began: what people did to the branch meanwhile stays,
  // also if they removed commits or deleted the branch (docs/reliability.md T19).
  await refuseRewritten(repository, assignment.branch);
  const lease = `--force-with-lease=${branch}:${remote ?? ''}`;
  try {
    await remotely(
      () => git('push', '--quiet', '--no-verify', lease, assignment.cloneUrl, `HEAD:${branch}`),
      options,
      log,
    );
  } catch (error) {
    throw error instanceof GitFailure ? pushFailure(error) : error;
  }
  log(
    'runner',
    `Pushed ${commits === 1 ? '1 commit' : `${commits} commits`} to ${assignment.branch}: ${head.slice(0, 12)}`,
  );
  return head;
}

/** Refuses a history without the remote branch's commits, which could only be pushed with force. */
async function refuseRewritten({ git, remote }: Repository, branch: string): Promise<void> {
  if (remote === null) return;
  const missing = Number(await git('rev-list', '--count', `HEAD..${remote}`));
  if (missing > 0)
    throw new RunFailure(
      'push_rejected',
      `the agent rewrote the branch: ${missing} of the commits that ${branch} had are missing`,
    );
}

/** What the remote says, without git's own marks. */
function wordsOf(output: string): string {
  const lines = output.split('\n').map((line) => line.replace(/^remote: ?/, '').trimEnd());
  return lines
    .filter((line, index) => line !== '' || lines[index - 1] !== '')
    .join('\n')
    .trim();
}

function pushFailure(error: GitFailure): RunFailure {
  if (error.trouble === 'moved') return new RunFailure('push_rejected', error.output);
  return new RunFailure(error.trouble === 'away' ? 'platform_error' : 'push_refused', wordsOf(error.output));
}
