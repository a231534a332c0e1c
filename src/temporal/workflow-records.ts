/** Statuses and results of workflows in Temporal, for the sweeps. */
import { WorkflowFailedError, WorkflowNotFoundError, type Client } from '@temporalio/client';
import type { WorkflowRecords } from '../../activities/maintenance/sweeps.ts';
import type { runWorkflow } from '../../workflows/run/workflow.ts';
import { runWorkflowId } from '../../workflows/messages.ts';

/** Milliseconds for one call to Temporal. */
const CALL_LIMIT_MS = 8000;

export function createWorkflowRecords(client: Client): Omit<WorkflowRecords, 'signal'> {
  const inTime = <Result>(call: () => Promise<Result>): Promise<Result> =>
    client.withDeadline(Date.now() + CALL_LIMIT_MS, call);

  return {
    async statusOf(workflowId) {
      try {
        const { status, closeTime } = await inTime(() => client.workflow.getHandle(workflowId).describe());
        if (status.name === 'RUNNING' || closeTime === undefined) return { status: 'open' };
        return { status: 'closed', closedAt: closeTime.toISOString() };
      } catch (error) {
        if (error instanceof WorkflowNotFoundError) return { status: 'absent' };
        throw error;
      }
    },

    async outcomeOf(runId) {
      try {
        return await inTime(() => client.workflow.getHandle<typeof runWorkflow>(runWorkflowId(runId)).result());
      } catch (error) {
        if (error instanceof WorkflowFailedError || error instanceof WorkflowNotFoundError) return undefined;
        throw error;
      }
    },

    async openIssues() {
      const open = new Set<string>();
      const query = "WorkflowType = 'issueWorkflow' and ExecutionStatus = 'Running'";
      for await (const { workflowId } of client.workflow.list({ query, pageSize: 1000 })) open.add(workflowId);
      return open;
    },
  };
}
