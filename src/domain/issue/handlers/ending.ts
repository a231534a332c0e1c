/** An issue is closed or reopened, or its repository is gone: active and queued runs end with it. */
import type { FlowEvent } from '../effects.ts';
import type { Fact, GoneReason } from '../facts.ts';
import type { IssueState } from '../state.ts';
import { cancel } from './cancels.ts';
import { ask, record, type Deciding, type Draft } from './draft.ts';
import { askOpenness } from './github-state.ts';
import { askMerged } from './pull-requests.ts';
import { goOn } from './queue.ts';
import { removeWorkspace, whyOver } from './workspace.ts';

/** The reason of the cancel of a run whose issue GitHub does not show any more. */
const ISSUE_GONE = {
  deleted: 'the issue was deleted',
  transferred: 'the issue was transferred to another repository',
  not_shown: 'GitHub does not show the issue any more',
} as const;

/** The reason of the cancel of a run in whose repository nothing can be done any more. */
const REPOSITORY_GONE: Readonly<Record<GoneReason, string>> = {
  archived: 'the repository was archived',
  deleted: 'the repository was deleted',
  app_removed: 'codex-k8s was taken out of the repository',
  app_suspended: 'codex-k8s was suspended in the repository',
  not_shown: 'GitHub does not show the repository any more',
};

/** Closes the issue if GitHub confirms it: the delivery may be late or replayed. */
export function* issueClosed(draft: Draft, fact: Extract<Fact, { kind: 'issue_closed' }>): Deciding {
  const { state } = draft;
  const { open, gone } = yield* askOpenness(draft);
  const how = gone ? (fact.gone ?? 'not_shown') : null;
  const payload = gone ? { gone, ...(fact.gone === undefined ? {} : { how: fact.gone }) } : {};
  const about = { payload, actor: fact.by.login, correlationId: fact.delivery };
  if (open) return record(draft, [{ type: 'issue.close_stale', ...about }]);
  state.closed = true;
  record(draft, [{ type: 'issue.closed', ...about }, ...(how === null ? [] : orphaned(state, `issue_${how}`))]);
  if (how === null) endReview(draft);
  yield* endRuns(draft, fact.by.login, how === null ? 'the issue was closed' : ISSUE_GONE[how]);
}

/** The pull request may be merged or closed after the issue, when nobody is there to learn of it. */
function endReview({ state, effects }: Draft): void {
  if (state.pullRequest)
    effects.push({ kind: 'end_review', issue: state.issue, pullRequest: state.pullRequest.number, evenIfOpen: true });
}

/** Continues the issue if GitHub confirms that it is open. */
export function* issueReopened(draft: Draft, fact: Extract<Fact, { kind: 'issue_reopened' }>): Deciding {
  const { state } = draft;
  const about = { payload: {}, actor: fact.by.login, correlationId: fact.delivery };
  if (state.closed && !(yield* askOpenness(draft)).open)
    return record(draft, [{ type: 'issue.reopen_stale', ...about }]);
  state.closed = false;
  state.gone = null;
  record(draft, [{ type: 'issue.reopened', ...about }]);
  goOn(draft);
}

/** Ends the issue's work if GitHub confirms that the repository is gone: anybody may send an old delivery again. */
export function* repositoryGone(draft: Draft, fact: Extract<Fact, { kind: 'repository_gone' }>): Deciding {
  const { state } = draft;
  const reason = yield* whyRepositoryIsGone(draft, fact.reason);
  const actor = fact.by.login || 'GitHub';
  const about = { payload: { reason: reason ?? fact.reason }, actor, correlationId: fact.delivery };
  if (reason === undefined) return record(draft, [{ type: 'repository.gone_stale', ...about }]);
  state.closed = true;
  state.gone = reason;
  record(draft, [{ type: 'repository.gone', ...about }, ...orphaned(state, reason)]);
  yield* endRuns(draft, actor, REPOSITORY_GONE[reason]);
}

/**
 * Undefined when runs can continue, because GitHub shows the repository and it is not archived; else the reason in the webhook.
 */
function* whyRepositoryIsGone({ state }: Draft, reported: GoneReason): Deciding<GoneReason | undefined> {
  const answer = yield* ask({ kind: 'repository', issue: state.issue });
  if ('failed' in answer) return reported;
  return answer.value.archived ? 'archived' : undefined;
}

/** One event for each run that has lost its issue or repository. */
function orphaned(state: IssueState, reason: string): FlowEvent[] {
  const lost = [...(state.active ? [state.active] : []), ...state.queue];
  return lost.map(({ runId, delivery }) => ({
    type: 'run.orphaned',
    payload: { reason },
    runId,
    correlationId: delivery,
  }));
}

/** Cancels every run, and removes the workspace with the last. */
function* endRuns(draft: Draft, actor: string, reason: string): Deciding {
  const { state } = draft;
  state.discussion = null;
  for (const { runId } of state.queue) yield* cancel(draft, runId, actor, reason);
  if (!state.active) return removeWorkspace(draft, whyOver(state));
  const merged = state.gone === null ? yield* askMerged(draft) : null;
  yield* cancel(draft, state.active.runId, actor, reason, merged);
}
