/** Where the tools for GitHub may reach: the run's issue and its pull request, in the run's repository. */
import type { IssueRef } from '../../domain/issue/facts.ts';
import type { ToolRun } from '../../domain/tools/tool-run.ts';
import { notDone, type ToolNotDone } from '../performers.ts';

/** The issue or pull request that a call names; the run's issue if it names none. */
export function placeOf(run: ToolRun, number = run.issueNumber): IssueRef | ToolNotDone {
  if (number !== run.issueNumber && number !== run.pullRequest)
    return notDone(
      'refused',
      `#${number} is neither the issue of this run (#${run.issueNumber}) nor its pull request; this run reaches no other`,
    );
  const [owner = '', name = ''] = run.repository.split('/');
  return { repositoryId: run.repositoryId, owner, name, number };
}

/** The pull request that a call names, in the run's repository; that of the run's issue if it names none. */
export function pullRequestOf(run: ToolRun, number = run.pullRequest): IssueRef | ToolNotDone {
  if (number === null) return notDone('not_found', 'this run has no pull request yet');
  return { ...(placeOf(run) as IssueRef), number };
}

export function isNotDone(place: IssueRef | ToolNotDone): place is ToolNotDone {
  return 'status' in place;
}

/** What GitHub does not show is not found; other failures may pass. */
export async function unlessGone<T>(asked: Promise<T>): Promise<T | ToolNotDone> {
  return asked.catch((error: unknown) => {
    const { status } = error as { readonly status?: number };
    if (status !== 404 && status !== 410) throw error;
    return notDone('not_found', 'GitHub does not show this');
  });
}
