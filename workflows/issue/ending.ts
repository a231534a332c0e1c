/** An issue is over, lives again, or loses its repository: what works and waits ends with it (reliability.md T17, T21). */
import type { Fact, GoneReason } from '../../src/domain/issue/facts.ts';
import type { IssueState } from '../../src/domain/issue/issue-life.ts';
import { readRepository } from '../activities.ts';
import { cancelById } from './canceling.ts';
import type { Happening } from './projection.ts';
import { cleanUp, whyOver } from './workspace.ts';
import { asTold, type IssueInHand } from './context.ts';
import { mergedPullRequest } from './pull-request.ts';
import { startNext } from './queue.ts';
import { readOpenness } from './github-state.ts';

/** Why a run was canceled whose issue GitHub does not show any more (reliability.md T17). */
const ISSUE_GONE = {
  deleted: 'the issue was deleted',
  transferred: 'the issue was transferred to another repository',
  not_shown: 'GitHub does not show the issue any more',
} as const;

/** Why a run was canceled in whose repository nothing can be done any more (reliability.md T21). */
const REPOSITORY_GONE: Readonly<Record<GoneReason, string>> = {
  archived: 'the repository was archived',
  deleted: 'the repository was deleted',
  app_removed: 'codex-k8s was taken out of the repository',
  app_suspended: 'codex-k8s was suspended in the repository',
  not_shown: 'GitHub does not show the repository any more',
};

/** A close that is told late, or once more, ends nothing on an issue that is open (reliability.md, finding 1). */
export async function issueClosed(here: IssueInHand, fact: Extract<Fact, { kind: 'issue_closed' }>): Promise<void> {
  const { state, show } = here;
  const { open, gone } = await readOpenness(here);
  const how = gone ? (fact.gone ?? 'not_shown') : null;
  const payload = gone ? { gone, ...(fact.gone === undefined ? {} : { how: fact.gone }) } : {};
  const about = { payload, by: fact.by.login, correlationId: fact.delivery };
  if (open) return show([{ type: 'issue.close_stale', ...about }]);
  state.closed = true;
  await show([{ type: 'issue.closed', ...about }, ...(how === null ? [] : orphaned(state, `issue_${how}`))]);
  await endRuns(here, fact.by.login, how === null ? 'the issue was closed' : ISSUE_GONE[how]);
}

/** What waits goes on, once GitHub says that the issue is open. */
export async function issueReopened(here: IssueInHand, fact: Extract<Fact, { kind: 'issue_reopened' }>): Promise<void> {
  const { state, show } = here;
  const about = { payload: {}, by: fact.by.login, correlationId: fact.delivery };
  if (state.closed) {
    const { open } = await readOpenness(here);
    if (!open) return show([{ type: 'issue.reopen_stale', ...about }]);
  }
  state.closed = false;
  state.gone = null;
  await show([{ type: 'issue.reopened', ...about }]);
  await startNext(here);
}

/** GitHub is asked whether it is so, since anybody may send an old delivery again (reliability.md T21, finding 1). */
export async function repositoryGone(
  here: IssueInHand,
  fact: Extract<Fact, { kind: 'repository_gone' }>,
): Promise<void> {
  const { state, show } = here;
  const reason = await whyRepositoryIsGone(here, fact.reason);
  const by = fact.by.login || 'GitHub';
  const about = { payload: { reason: reason ?? fact.reason }, by, correlationId: fact.delivery };
  if (reason === undefined) return show([{ type: 'repository.gone_stale', ...about }]);
  state.closed = true;
  state.gone = reason;
  await show([{ type: 'repository.gone', ...about }, ...orphaned(state, reason)]);
  await endRuns(here, by, REPOSITORY_GONE[reason]);
}

/** Undefined when runs can go on: GitHub shows the repository, and it may be written to. Else as told. */
async function whyRepositoryIsGone({ issue }: IssueInHand, told: GoneReason): Promise<GoneReason | undefined> {
  const truth = await readRepository({ issue }).catch((error) => asTold(error, null));
  if (truth === null) return told;
  return truth.archived ? 'archived' : undefined;
}

/** That runs have lost what they were for, each by itself. */
function orphaned(state: IssueState, reason: string): Happening[] {
  const lost = [...(state.active ? [state.active] : []), ...state.queue];
  return lost.map(({ runId, delivery }) => ({
    type: 'run.orphaned',
    payload: { reason },
    runId,
    correlationId: delivery,
  }));
}

/** Nothing more can be done for the issue: whoever waits or works is canceled, and the workspace goes with the last. */
async function endRuns(here: IssueInHand, by: string, reason: string): Promise<void> {
  const { state } = here;
  state.discussion = null;
  for (const planned of state.queue) await cancelById(here, planned.runId, by, reason);
  if (state.active)
    return cancelById(here, state.active.runId, by, reason, state.gone === null ? await mergedPullRequest(here) : null);
  await cleanUp(here, whyOver(state));
}
