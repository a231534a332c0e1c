/** Ends a run that works or waits, whoever wants it: a person, a label taken off, or GitHub's own word. */
import { getExternalWorkflowHandle, isCancellation } from '@temporalio/workflow';
import { showEnded, showQueue } from './projection.ts';
import type { IssueInHand } from './context.ts';
import { cancelRun, type PullRequestRef, runWorkflowId } from '../messages.ts';

/** `merged`: the pull request that was merged meanwhile, so that the run has what it was for. */
export async function cancelById(
  { issue, state, show }: IssueInHand,
  runId: string,
  by: string,
  reason: string,
  merged: PullRequestRef | null = null,
): Promise<void> {
  const queued = state.queue.find((planned) => planned.runId === runId);
  if (queued) {
    state.queue = state.queue.filter((planned) => planned !== queued);
    await showEnded(issue, state, queued, { status: 'canceled', by, reason });
    await showQueue(issue, state);
    return show([{ type: 'run.canceled', payload: { by, reason }, by, runId, correlationId: queued.delivery }]);
  }
  if (state.active?.runId !== runId) return;
  await getExternalWorkflowHandle(runWorkflowId(runId))
    .signal(cancelRun, { by, reason, ...(merged ? { merged } : {}) })
    .catch((error: unknown) => {
      if (isCancellation(error)) throw error;
      state.unread.push({
        seq: null,
        fact: { kind: 'run_lost', runId, outcome: { status: 'canceled', by, reason } },
      });
    });
}
