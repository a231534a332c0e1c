/** A run's row in the read model, made from its progress. */
import type { RunRowInput } from '../../activities/records/records.ts';
import { issueKey, type IssueRef } from '../../src/domain/issue/facts.ts';
import type { PlannedRun } from '../../src/domain/issue/state.ts';
import { renderTrigger } from '../../src/domain/run/trigger.ts';
import { isTerminal, type RunStatus } from '../../src/domain/run/runs.ts';
import type { RunProgress } from '../../src/domain/messages/status-comment.ts';

/** The columns that are not in the progress. */
interface Beside {
  readonly revision: number;
  readonly statusCommentUrl: string | null;
  readonly threadId: string | null;
}

export function runRow(issue: IssueRef, plan: PlannedRun, progress: RunProgress, beside: Beside): RunRowInput {
  const at = (step: RunStatus): string | null => progress.timeline.find((entry) => entry.step === step)?.at ?? null;
  return {
    id: plan.runId,
    issueKey: issueKey(issue),
    repositoryId: issue.repositoryId,
    issueNumber: issue.number,
    stage: plan.target.stage,
    kind: plan.target.kind,
    trigger: renderTrigger(plan.trigger),
    triggeredBy: plan.by.login,
    correlationId: plan.delivery,
    status: progress.status,
    failure: progress.failure?.reason ?? null,
    detail:
      progress.failure?.detail ??
      (progress.canceled ? `${progress.canceled.actor}: ${progress.canceled.reason}` : null),
    branch: progress.branch,
    workspace: progress.workspace,
    pullRequest: progress.pullRequest?.number ?? null,
    pullRequestUrl: progress.pullRequest?.url ?? null,
    cli: progress.cli ?? null,
    model: progress.model,
    reasoningEffort: progress.reasoningEffort,
    createdAt: plan.requestedAt,
    wait: progress.status === 'waiting' ? (progress.wait ?? null) : null,
    startedAt: at('working'),
    finishedAt: isTerminal(progress.status) ? at(progress.status) : null,
    ...beside,
  };
}
