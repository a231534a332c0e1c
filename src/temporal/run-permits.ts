/** Client of the workflow that grants permits, for activities. */
import { WithStartWorkflowOperation, WorkflowNotFoundError, type Client } from '@temporalio/client';
import type { RunPermits } from '../../activities/agents/permits.ts';
import type { PermitAnswer, RunLimits } from '../domain/run/permits.ts';
import type { permitsWorkflow } from '../../workflows/concurrency/workflow.ts';
import { acquirePermits, PERMITS_WORKFLOW_ID, releasePermit, TASK_QUEUE } from '../../workflows/messages.ts';

/** Milliseconds for one call to Temporal. */
const CALL_LIMIT_MS = 8000;

/** Maximum number of runs in one update. */
const BATCH = 200;

type Request = Parameters<RunPermits['acquire']>[0];

/** `limits`: those of this installation (CODEXK8S_RUN_LIMITS). */
export function createRunPermits(client: Client, limits: RunLimits): RunPermits {
  const inTime = <Result>(call: () => Promise<Result>): Promise<Result> =>
    client.withDeadline(Date.now() + CALL_LIMIT_MS, call);

  // Without an update id, so that a retry gets the current answer; the workflow counts a run once.
  async function acquireTogether(runs: readonly Request[]): Promise<PermitAnswer[]> {
    return inTime(() =>
      client.workflow.executeUpdateWithStart(acquirePermits, {
        args: [{ runs, limits }],
        startWorkflowOperation: new WithStartWorkflowOperation<typeof permitsWorkflow>('permitsWorkflow', {
          workflowId: PERMITS_WORKFLOW_ID,
          workflowIdConflictPolicy: 'USE_EXISTING',
          taskQueue: TASK_QUEUE,
          args: [{}],
          staticSummary: 'Permits to work',
          staticDetails: 'Keeps runs within the limits of roles, projects and the installation (CODEXK8S_RUN_LIMITS).',
        }),
      }),
    );
  }

  return {
    limits,
    acquire: batched(acquireTogether),

    async release(runId) {
      try {
        await inTime(() => client.workflow.getHandle(PERMITS_WORKFLOW_ID).signal(releasePermit, { runId }));
      } catch (error) {
        if (!(error instanceof WorkflowNotFoundError)) throw error;
      }
    },
  };
}

/** A run that waits for the update's answer. */
interface PendingRequest {
  readonly request: Request;
  readonly resolve: (answer: PermitAnswer) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * One update at a time; requests that arrive meanwhile are batched into the next. Temporal allows ten concurrent updates of a
 * workflow, and aborts all of them at the eleventh.
 */
function batched(act: (requests: readonly Request[]) => Promise<PermitAnswer[]>): RunPermits['acquire'] {
  const waiting: PendingRequest[] = [];
  let asking = false;

  async function askAll(): Promise<void> {
    asking = true;
    while (waiting.length > 0) {
      const batch = waiting.splice(0, BATCH);
      try {
        const answers = await act(batch.map(({ request }) => request));
        for (const [index, { resolve, reject }] of batch.entries()) {
          const answer = answers[index];
          if (answer) resolve(answer);
          else reject(new Error('the permits workflow returned no answer for a run'));
        }
      } catch (error) {
        for (const { reject } of batch) reject(error);
      }
    }
    asking = false;
  }

  return (request) =>
    new Promise((resolve, reject) => {
      waiting.push({ request, resolve, reject });
      if (!asking) void askAll();
    });
}
