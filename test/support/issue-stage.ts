/** One issue's workflow on a real Temporal, over activities that remember what they were asked. */
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { expect } from 'vitest';
import { issueKey, type IssueRef, type ObservedFact } from '../../src/domain/issue/facts.ts';
import type { IssueState } from '../../src/domain/issue/state.ts';
import { issueStateQuery, observed, runWorkflowId, TASK_QUEUE } from '../../workflows/messages.ts';
import { createFakeWorld, FINISHED, ISSUE, labeled, runId } from './fake-activities.ts';
import { sharedWorker } from './shared-worker.ts';
import { eventually } from './stack.ts';

export type IssueStage = Awaited<ReturnType<typeof openIssueStage>>;

/** An issue of its own, by number: one that no other test of the file has. */
export async function openIssueStage(temporal: TestWorkflowEnvironment, number: number) {
  const issue: IssueRef = { ...ISSUE, number };
  const { world, activities } = createFakeWorld();
  const worker = await sharedWorker(temporal, Object.keys(activities));
  worker.activities.set(number, activities);
  const workflows = temporal.client.workflow;
  const handle = workflows.getHandle(issueKey(issue));
  /** Run ids are workflow ids, so each issue has its own. */
  const id = (n: number): string => runId(number * 100 + n);

  const stage = {
    world,
    handle,
    id,
    async tell(...facts: ObservedFact[]): Promise<void> {
      await workflows.signalWithStart('issueWorkflow', {
        workflowId: issueKey(issue),
        taskQueue: TASK_QUEUE,
        args: [{ issue, title: 'Add a flag', url: `http://github/acme/app/issues/${number}` }],
        signal: observed,
        signalArgs: [{ facts }],
      });
    },
    state: (): Promise<IssueState> => handle.query(issueStateQuery),
    until: (condition: () => unknown): Promise<void> =>
      expect.poll(condition, { timeout: 60_000, interval: 20 }).toBeTruthy(),
    called: (name: string): number => world.calls.filter((call) => call.name === name).length,
    /** A run of the first label works. */
    async working(): Promise<void> {
      await stage.tell(labeled(1, id(1)));
      await stage.until(() => stage.called('awaitAgent') === 1);
    },
    /** The first run has left its pull request. */
    async delivered(): Promise<void> {
      await stage.tell(labeled(1, id(1)));
      world.endAgent(id(1), FINISHED);
      await stage.until(async () => {
        const { pullRequest, active } = await stage.state();
        return pullRequest && !active;
      });
    },
    async close(): Promise<void> {
      await endIssue(temporal, issueKey(issue), world.rows.keys());
      worker.activities.delete(number);
    },
  };
  return stage;
}

/**
 * Ends an issue's workflow and its runs, so that nothing of it is left for the next test's worker. `runs`: the ids of those
 * that the test knows of.
 */
export async function endIssue(temporal: TestWorkflowEnvironment, key: string, runs: Iterable<string>): Promise<void> {
  const workflows = temporal.client.workflow;
  const handle = workflows.getHandle(key);
  const begun = await eventually(`the runs of ${key} have begun`, async () => {
    const isOpen = await handle.describe().then(
      ({ status }) => status.name === 'RUNNING',
      () => false,
    );
    const { events } = await handle.fetchHistory().catch(() => ({ events: [] }));
    const asked = (events ?? []).filter((event) => event.startChildWorkflowExecutionInitiatedEventAttributes);
    const answered = new Set(
      (events ?? []).map(
        ({
          childWorkflowExecutionStartedEventAttributes: started,
          startChildWorkflowExecutionFailedEventAttributes: failed,
        }) => String((started ?? failed)?.initiatedEventId),
      ),
    );
    // One that was asked for and has not begun may begin in a moment; when nobody is there any more who asked, it never does.
    if (isOpen && asked.some(({ eventId }) => !answered.has(String(eventId)))) return undefined;
    return asked.map((event) => event.startChildWorkflowExecutionInitiatedEventAttributes?.workflowId ?? '');
  });
  for (const id of new Set([key, ...begun, ...[...runs].map(runWorkflowId)]))
    await workflows
      .getHandle(id)
      .terminate('end of test')
      .catch(() => undefined);
}
