/** Signals and updates that the server sends to workflows. */
import { WorkflowNotFoundError, type Client } from '@temporalio/client';
import { issueKey, startsWorkflow, type IssueRef, type ObservedFact } from '../../src/domain/issue/facts.ts';
import { fullName } from '../../src/domain/issue/names.ts';
import type { issueWorkflow } from '../../workflows/issue/workflow.ts';
import { cancelRun, observed, runWorkflowId, searchAttributes, TASK_QUEUE } from '../../workflows/messages.ts';

/** An issue as its first webhook names it. */
export type NamedIssue = IssueRef & { readonly title: string; readonly url: string };

/** Milliseconds for one call to Temporal. */
const CALL_LIMIT_MS = 8000;

export interface IssueWorkflows {
  /** Signals facts to an issue's workflow, and starts it if a fact requires that. False if there is no workflow to signal. */
  signal(issue: NamedIssue, facts: readonly ObservedFact[]): Promise<boolean>;
  /** Asks an issue's workflow to cancel a run. False if the workflow is not running. */
  cancelRun(input: { issueKey: string; runId: string; actor: string; reason: string }): Promise<boolean>;
}

export function createIssueWorkflows(client: Client): IssueWorkflows {
  async function signal(key: string, facts: readonly ObservedFact[]): Promise<boolean> {
    try {
      await client.withDeadline(Date.now() + CALL_LIMIT_MS, () =>
        client.workflow.getHandle(key).signal(observed, { facts }),
      );
      return true;
    } catch (error) {
      if (error instanceof WorkflowNotFoundError) return false;
      throw error;
    }
  }

  return {
    async signal({ title, url, ...issue }, facts) {
      const key = issueKey(issue);
      if (!facts.some(({ fact }) => startsWorkflow(fact))) return signal(key, facts);
      await client.withDeadline(Date.now() + CALL_LIMIT_MS, () =>
        client.workflow.signalWithStart<typeof issueWorkflow, [{ facts: readonly ObservedFact[] }]>('issueWorkflow', {
          workflowId: key,
          taskQueue: TASK_QUEUE,
          args: [{ issue, title, url }],
          signal: observed,
          signalArgs: [{ facts }],
          staticSummary: `${fullName(issue)}#${issue.number}`,
          staticDetails: title,
          typedSearchAttributes: [
            { key: searchAttributes.repository, value: fullName(issue) },
            { key: searchAttributes.issue, value: issue.number },
          ],
        }),
      );
      return true;
    },

    /** The run is told itself, so that an issue busy with a GitHub that does not answer holds up no cancel. */
    async cancelRun({ issueKey: key, runId, actor, reason }) {
      try {
        await client.withDeadline(Date.now() + CALL_LIMIT_MS, () =>
          client.workflow.getHandle(runWorkflowId(runId)).signal(cancelRun, { actor, reason }),
        );
        return true;
      } catch (error) {
        if (!(error instanceof WorkflowNotFoundError)) throw error;
      }
      return signal(key, [{ seq: null, fact: { kind: 'cancel_requested', runId, actor, reason } }]);
    },
  };
}
