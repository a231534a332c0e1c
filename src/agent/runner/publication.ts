/** What happens to the work when the agent has ended its turn: committed and checked when it has finished, and pushed. */
import { RunFailure } from './failure.ts';
import { GitFailure, type GitOptions } from '../git/git.ts';
import type { Log } from '../platform/log-line.ts';
import type { Answer, Assignment } from '../platform/protocol.ts';
import { remotely, type Repository } from '../git/repository.ts';

/**
 * Commits what the agent left uncommitted and pushes its branch; answers the commit at the branch's head. A reviewer and a
 * conversation leave nothing: what they have changed stays where it is, and is not looked at.
 */
export async function publish(
  repository: Repository,
  assignment: Pick<Assignment, 'branch' | 'cloneUrl' | 'author' | 'kind'>,
  answer: Answer,
  options: GitOptions,
  log: Log,
): Promise<string> {
  const { git, start } = repository;
  if (readsOnly(assignment)) return start;
  await commitLeftovers(repository, assignment.author, answer.title, log);
  const commits = Number(await git('rev-list', '--count', `${start}..HEAD`));
  if (commits === 0) {
    if (assignment.kind === 'revise' && answer.answers.length > 0) {
      log('runner', 'The review is answered without a change of the code');
      return start;
    }
    throw new RunFailure('no_changes', `the branch ${assignment.branch} holds nothing new: ${answer.summary}`);
  }
  return push(repository, assignment, commits, options, log);
}

/**
 * Pushes what the agent has committed before it asks a question, so that nothing of it is lost with the pod. Answers the commit at
 * the branch's head, or null when there is nothing new. What is not committed is left as it is: a workspace on this machine
 * keeps it, a pod does not.
 */
export async function pushCommitted(
  repository: Repository,
  assignment: Pick<Assignment, 'branch' | 'cloneUrl' | 'kind'>,
  options: GitOptions,
  log: Log,
): Promise<string | null> {
  const { git, start, remote } = repository;
  if (readsOnly(assignment)) return null;
  const changes = (await git('status', '--porcelain')).split('\n').filter(Boolean).length;
  if (changes > 0)
    log(
      'runner',
      changes === 1
        ? '1 path is not committed: it stays in this workspace, and goes with it'
        : `${changes} paths are not committed: they stay in this workspace, and go with it`,
    );
  const commits = Number(await git('rev-list', '--count', `${remote ?? start}..HEAD`));
  return commits === 0 ? null : push(repository, assignment, commits, options, log);
}

function readsOnly({ kind }: Pick<Assignment, 'kind'>): boolean {
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
  const head = await git('rev-parse', 'HEAD');
  const branch = `refs/heads/${assignment.branch}`;
  // Together these two push forward only, and only from where the work began: what people did to the branch meanwhile stands,
  // also when they took commits off it or deleted it (docs/reliability.md T19).
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

/** A history that lacks what the branch had could only be forced on it. */
async function refuseRewritten({ git, remote }: Repository, branch: string): Promise<void> {
  if (remote === null) return;
  const missing = Number(await git('rev-list', '--count', `HEAD..${remote}`));
  if (missing > 0)
    throw new RunFailure(
      'push_rejected',
      `the work lacks ${missing} of the commits that ${branch} had: it was rewritten`,
    );
}

async function commitLeftovers(
  { git }: Repository,
  author: { name: string; email: string },
  title: string,
  log: Log,
): Promise<void> {
  if ((await git('status', '--porcelain')) === '') return;
  await git('add', '--all');
  const identity = ['-c', `user.name=${author.name}`, '-c', `user.email=${author.email}`];
  await git(...identity, 'commit', '--quiet', '--no-verify', '--no-gpg-sign', '--message', title);
  log('runner', 'Committed what the agent had left uncommitted');
}

function pushFailure(error: GitFailure): RunFailure {
  if (error.trouble === 'moved') return new RunFailure('push_rejected', error.words);
  return new RunFailure(error.trouble === 'away' ? 'platform_error' : 'publish_failed', error.words);
}
