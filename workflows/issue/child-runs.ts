/** Runs are child workflows that outlive the issue's continue-as-new; their end is awaited. */
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import {
  type ChildWorkflowHandle,
  getExternalWorkflowHandle,
  isCancellation,
  ParentClosePolicy,
  rootCause,
  startChild,
} from '@temporalio/workflow';
import type { Fact, IssueRef } from '../../src/domain/issue/facts.ts';
import type { Effect, ResultFact } from '../../src/domain/issue/decide.ts';
import { cancelRun, commentAnswers, reportBySignal, runWorkflowId, searchAttributes, TASK_QUEUE } from '../messages.ts';
import { runWorkflow } from '../run/workflow.ts';

/** Facts from within, besides those from people and GitHub. */
export type Learn = (fact: Fact) => void;

type Of<Kind> = Extract<Effect, { kind: Kind }>;

export async function startRun(issue: IssueRef, { label, start }: Of<'start_run'>, learn: Learn): Promise<ResultFact> {
  const { runId, target } = start.plan;
  const repository = `${issue.owner}/${issue.name}`;
  try {
    const child = await startChild(runWorkflow, {
      workflowId: runWorkflowId(runId),
      taskQueue: TASK_QUEUE,
      parentClosePolicy: ParentClosePolicy.ABANDON,
      args: [start],
      staticSummary: `${label} for ${repository}#${issue.number}`,
      staticDetails: start.issueTitle,
      typedSearchAttributes: [
        { key: searchAttributes.repository, value: repository },
        { key: searchAttributes.issue, value: issue.number },
        { key: searchAttributes.stage, value: target.stage },
        { key: searchAttributes.runStatus, value: 'preparing' },
      ],
    });
    watch(child, runId, learn);
    return { kind: 'run_started', runId };
  } catch (error) {
    if (isCancellation(error)) throw error;
    const failed = { kind: 'run_not_started', runId, reason: rootCause(error) ?? String(error) } as const;
    return error instanceof WorkflowExecutionAlreadyStartedError ? { ...failed, exists: true } : failed;
  }
}

/** Learns of a run that was ended from outside; others report their end themselves. */
function watch(child: ChildWorkflowHandle<typeof runWorkflow>, runId: string, learn: Learn): void {
  void child.result().then(
    (outcome) => learn({ kind: 'run_finished', runId, outcome }),
    (error: unknown) => {
      if (isCancellation(error)) return;
      const detail = `the run's workflow was ended from outside: ${String(error)}`;
      learn({ kind: 'run_lost', runId, outcome: { status: 'failed', failure: 'platform_error', detail } });
    },
  );
}

/** A run that cannot be signaled has ended without reporting it. */
export async function signalCancel({ runId, actor, reason, merged }: Of<'cancel_run'>, learn: Learn): Promise<void> {
  await getExternalWorkflowHandle(runWorkflowId(runId))
    .signal(cancelRun, { actor, reason, ...(merged ? { merged } : {}) })
    .catch((error: unknown) => {
      if (isCancellation(error)) throw error;
      learn({ kind: 'run_lost', runId, outcome: { status: 'canceled', actor, reason } });
    });
}

/** A run that cannot be signaled needs no answer. */
export async function signalAnswer({ runId, comment, sha256, actor }: Of<'comment_answers'>): Promise<void> {
  await getExternalWorkflowHandle(runWorkflowId(runId)).signal(commentAnswers, { comment, sha256, actor });
}

/** False when the run cannot be signaled: it has ended. */
export async function askToReportBySignal(runId: string): Promise<boolean> {
  return getExternalWorkflowHandle(runWorkflowId(runId))
    .signal(reportBySignal)
    .then(
      () => true,
      (error: unknown) => {
        if (isCancellation(error)) throw error;
        return false;
      },
    );
}
