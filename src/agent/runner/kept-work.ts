/** Keeps what an agent has committed when its run fails: on its branch, or with the platform where it cannot be pushed. */
import type { Failure } from '../../domain/run/runs.ts';
import { createGit, type GitOptions } from '../git/git.ts';
import { bundleCommits } from '../git/kept-commits.ts';
import type { Repository } from '../git/repository.ts';
import type { Log } from '../platform/log-line.ts';
import type { Platform } from '../platform/platform.ts';
import { KEPT_COMMITS_BYTES, type Assignment } from '../platform/protocol.ts';
import { keepWorkOf, readsOnly } from './publication.ts';

/** The agent's turn is at fault, not what it made: that is pushed, so that the next run goes on from there. */
const PUSHED: ReadonlySet<Failure> = new Set([
  'answer_invalid',
  'unmerged',
  'agent_failed',
  'agent_stalled',
  'agent_oom',
  'deadline_exceeded',
]);

/** The push is at fault. */
const NOT_PUSHED: ReadonlySet<Failure> = new Set(['push_refused', 'push_rejected']);

export interface WorkToKeep {
  readonly assignment: Assignment;
  readonly repository: Repository;
  readonly options: GitOptions;
  readonly platform: Pick<Platform, 'keepCommits'>;
  readonly log: Log;
}

/** Says in words what was kept of a run that failed so; an empty text if there was nothing to keep. Never throws. */
export async function keepWork(failure: Failure, work: WorkToKeep): Promise<string> {
  const { assignment, options, log } = work;
  if (readsOnly(assignment) || !(PUSHED.has(failure) || NOT_PUSHED.has(failure))) return '';
  // The repository's own git ends with the run's time.
  const git = createGit(work.repository.directory, options);
  const repository: Repository = { ...work.repository, git };
  try {
    if (PUSHED.has(failure)) {
      if (failure === 'unmerged')
        for (const command of ['merge', 'rebase', 'cherry-pick', 'revert', 'am'])
          await git(command, '--abort').catch(() => undefined);
      // Uncommitted changes count where the agent has finished, and only its answer is not one.
      const message = failure === 'answer_invalid' ? `Work on ${assignment.branch}` : undefined;
      const commits = await keepWorkOf(repository, assignment, message, options, log);
      if (commits > 0)
        return `What it had committed is on the branch ${assignment.branch} (${counted(commits)}); the next run goes on from there.`;
    }
    return await keepWithPlatform({ ...work, repository });
  } catch (trouble) {
    log('error', `What the agent had committed was not pushed: ${String(trouble)}`);
    return keepWithPlatform({ ...work, repository }).catch(notKept(log));
  }
}

async function keepWithPlatform({ repository, platform, log }: WorkToKeep): Promise<string> {
  const kept = await bundleCommits(repository.git, repository.directory);
  if (!kept) return '';
  const { headSha, commits, bundle } = kept;
  if (bundle.length > KEPT_COMMITS_BYTES)
    return `Its commits (${counted(commits)}) are lost with this workspace: the platform keeps ${KEPT_COMMITS_BYTES / 1024 / 1024} MiB at most, and they are larger.`;
  await platform.keepCommits(headSha, bundle);
  log('runner', `The platform keeps ${counted(commits)} for the next run: ${headSha.slice(0, 12)}`);
  return `The platform keeps its commits (${counted(commits)}), and the next run on this branch begins with them.`;
}

function notKept(log: Log): (error: unknown) => string {
  return (error) => {
    log('error', `What the agent had committed was not kept: ${String(error)}`);
    return 'Its commits could not be kept, and are lost with this workspace.';
  };
}

function counted(commits: number): string {
  return commits === 1 ? '1 commit' : `${commits} commits`;
}
