/** A run is begun as a child of its own that outlives the issue's continue-as-new, and its end is watched for. */
import {
  type ChildWorkflowHandle,
  isCancellation,
  ParentClosePolicy,
  rootCause,
  startChild,
} from '@temporalio/workflow';
import { isWholeWork } from '../../src/domain/issue/gates.ts';
import type { PlannedRun } from '../../src/domain/issue/issue-life.ts';
import { branchName } from '../../src/domain/issue/names.ts';
import type { RunOutcome } from '../../src/domain/run/runs.ts';
import type { RunSettings } from '../../src/domain/stages/settings.ts';
import { triggerLabel } from '../../src/domain/stages/stages.ts';
import { readSettings } from '../activities.ts';
import { workspaceFor } from './workspace.ts';
import type { IssueInHand } from './context.ts';
import { answered } from './refusals.ts';
import { runWorkflowId, searchAttributes, TASK_QUEUE } from '../messages.ts';
import { runWorkflow } from '../run/workflow.ts';

/** A run that cannot even be started must not keep the issue busy for ever. */
export async function start(
  here: IssueInHand,
  planned: PlannedRun,
  settings: RunSettings | null = null,
): Promise<void> {
  const { issue, state, show } = here;
  state.active = planned;
  try {
    await startRun(here, planned, settings ?? (await readSettings({ repositoryId: issue.repositoryId })));
  } catch (error) {
    if (isCancellation(error)) throw error;
    state.active = null;
    const reason = rootCause(error) ?? String(error);
    await show([
      {
        type: 'run.failed',
        payload: { failure: 'launch_failed', reason },
        runId: planned.runId,
        correlationId: planned.delivery,
      },
    ]);
  }
}

async function startRun(here: IssueInHand, planned: PlannedRun, settings: RunSettings): Promise<void> {
  const { issue, state, show } = here;
  const workspace = await workspaceFor(here, planned, settings);
  state.workspace = workspace;
  const label = triggerLabel(planned.target);
  answered(here);
  const child = await startChild(runWorkflow, {
    workflowId: runWorkflowId(planned.runId),
    taskQueue: TASK_QUEUE,
    parentClosePolicy: ParentClosePolicy.ABANDON,
    args: [
      {
        issue,
        issueTitle: state.title,
        plan: planned,
        settings,
        workspace,
        resume: planned.target.kind === 'discussion' ? (state.discussion?.last ?? null) : state.last,
        ...(state.discussion?.answeredUntil ? { answeredUntil: state.discussion.answeredUntil } : {}),
        pullRequest: state.pullRequest,
        branch: branchName(issue.number, state.branch ?? 1),
        since: state.pullRequest ? (state.last?.headSha ?? null) : null,
        closes: isWholeWork(planned.target, state.done ?? {}),
      },
    ],
    staticSummary: `${label} for ${issue.owner}/${issue.name}#${issue.number}`,
    staticDetails: state.title,
    typedSearchAttributes: [
      { key: searchAttributes.repository, value: `${issue.owner}/${issue.name}` },
      { key: searchAttributes.issue, value: issue.number },
      { key: searchAttributes.stage, value: planned.target.stage },
      { key: searchAttributes.runStatus, value: 'preparing' },
    ],
  });
  watch(here, planned.runId, child);
  await show([
    {
      type: 'run.started',
      payload: { label, trigger: planned.trigger },
      by: planned.by.login,
      runId: planned.runId,
      correlationId: planned.delivery,
    },
  ]);
}

/** A run reports its end by itself; this is for one that was ended from outside and could not. */
function watch({ state }: IssueInHand, runId: string, child: ChildWorkflowHandle<typeof runWorkflow>): void {
  const reported = (outcome: RunOutcome): void => {
    if (state.active?.runId === runId) state.unread.push({ seq: null, fact: { kind: 'run_finished', runId, outcome } });
  };
  void child.result().then(reported, (error: unknown) => {
    if (isCancellation(error) || state.active?.runId !== runId) return;
    const detail = `the run's workflow was ended from outside: ${String(error)}`;
    state.unread.push({
      seq: null,
      fact: { kind: 'run_lost', runId, outcome: { status: 'failed', failure: 'platform_error', detail } },
    });
  });
}
