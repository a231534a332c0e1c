/** A run's row in the read model, made from its story. */
import type { RunRowInput } from '../../activities/records/records.ts';
import { issueKey, type IssueRef } from '../../src/domain/issue/facts.ts';
import type { PlannedRun } from '../../src/domain/issue/state.ts';
import { renderTrigger } from '../../src/domain/run/trigger.ts';
import { isTerminal, type RunStatus } from '../../src/domain/run/runs.ts';
import type { RunStory } from '../../src/domain/messages/status-comment.ts';

/** What the row holds beside the story. */
interface Beside {
  readonly revision: number;
  readonly statusCommentUrl: string | null;
  readonly threadId: string | null;
}

export function runRow(issue: IssueRef, plan: PlannedRun, story: RunStory, beside: Beside): RunRowInput {
  const at = (step: RunStatus): string | null => story.timeline.find((entry) => entry.step === step)?.at ?? null;
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
    status: story.status,
    failure: story.failure?.reason ?? null,
    detail: story.failure?.detail ?? (story.canceled ? `${story.canceled.by}: ${story.canceled.reason}` : null),
    branch: story.branch,
    workspace: story.workspace,
    pullRequest: story.pullRequest?.number ?? null,
    pullRequestUrl: story.pullRequest?.url ?? null,
    model: story.model,
    reasoningEffort: story.reasoningEffort,
    createdAt: plan.requestedAt,
    wait: story.status === 'waiting' ? (story.wait ?? null) : null,
    startedAt: at('working'),
    finishedAt: isTerminal(story.status) ? at(story.status) : null,
    ...beside,
  };
}
