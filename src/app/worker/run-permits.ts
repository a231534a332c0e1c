/** The workflow that says whose turn it is, as activities ask it. */
import { WithStartWorkflowOperation, WorkflowNotFoundError, type Client } from '@temporalio/client';
import type { RunCapacity } from '../../../activities/agents/permits.ts';
import type { CapacityAnswer, RunLimits } from '../../domain/run/permits.ts';
import type { capacityWorkflow } from '../../../workflows/concurrency/workflow.ts';
import { askForCapacity, CAPACITY_WORKFLOW_ID, leaveCapacity, TASK_QUEUE } from '../../../workflows/messages.ts';

/** Milliseconds for one call to Temporal. */
const CALL_LIMIT_MS = 8000;

/** Runs that ask together. */
const ASK_TOGETHER = 200;

type Request = Parameters<RunCapacity['ask']>[0];

/** Asks through `client`; `limits` are those of this installation. */
export function createRunCapacity(client: Client, limits: RunLimits): RunCapacity {
  const inTime = <Result>(call: () => Promise<Result>): Promise<Result> =>
    client.withDeadline(Date.now() + CALL_LIMIT_MS, call);

  // Without an update id: who asks again is told what holds now, and the workflow counts a run once.
  async function askTogether(runs: readonly Request[]): Promise<CapacityAnswer[]> {
    return inTime(() =>
      client.workflow.executeUpdateWithStart(askForCapacity, {
        args: [{ runs, limits }],
        startWorkflowOperation: new WithStartWorkflowOperation<typeof capacityWorkflow>('capacityWorkflow', {
          workflowId: CAPACITY_WORKFLOW_ID,
          workflowIdConflictPolicy: 'USE_EXISTING',
          taskQueue: TASK_QUEUE,
          args: [{}],
          staticSummary: 'Whose turn it is',
          staticDetails: 'Keeps runs within the limits of roles, projects and the installation (CODEXK8S_RUN_LIMITS).',
        }),
      }),
    );
  }

  return {
    limits,
    ask: together(askTogether),

    async leave(runId) {
      try {
        await inTime(() => client.workflow.getHandle(CAPACITY_WORKFLOW_ID).signal(leaveCapacity, { runId }));
      } catch (error) {
        if (!(error instanceof WorkflowNotFoundError)) throw error;
      }
    },
  };
}

/** A run that waits for its answer. */
interface Asking {
  readonly request: Request;
  readonly resolve: (answer: CapacityAnswer) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * One question at a time; those who come meanwhile ask together in the next. Temporal takes ten updates at once of a workflow, and
 * one more aborts them all.
 */
function together(act: (requests: readonly Request[]) => Promise<CapacityAnswer[]>): RunCapacity['ask'] {
  const waiting: Asking[] = [];
  let asking = false;

  async function askAll(): Promise<void> {
    asking = true;
    while (waiting.length > 0) {
      const batch = waiting.splice(0, ASK_TOGETHER);
      try {
        const answers = await act(batch.map(({ request }) => request));
        for (const [index, { resolve, reject }] of batch.entries()) {
          const answer = answers[index];
          if (answer) resolve(answer);
          else reject(new Error('a run that asked for its turn was not answered'));
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
