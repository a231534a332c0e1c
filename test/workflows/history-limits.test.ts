/** docs/reliability.md T33, with limits of a history that Temporal enforces after hundreds of events, not after 51,200. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { issueKey } from '../../src/domain/issue/facts.ts';
import { issueStateQuery, observed, TASK_QUEUE } from '../../workflows/messages.ts';
import { createFakeWorld, delivered, ISSUE, labeled, runId } from '../support/fake-activities.ts';
import { eventually } from '../support/stack.ts';
import { createTestWorker, startTemporal } from '../support/temporal.ts';

/** Events after which Temporal suggests to continue as new, and after which it ends the workflow. */
const SUGGESTED = 100;
const ENFORCED = 500;
const FACTS = 5000;
/** Facts in a signal, and signals that are sent before it is looked whether they have arrived. */
const BATCH = 25;
const AT_ONCE = 10;

let temporal: TestWorkflowEnvironment;
beforeAll(async () => {
  temporal = await startTemporal({
    'limit.historyCount.suggestContinueAsNew': SUGGESTED,
    'limit.historyCount.error': ENFORCED,
    'limit.historySize.error': 1024 * 1024,
  });
});
afterAll(async () => temporal?.teardown());

describe('T33: five thousand facts, more than a history may hold', () => {
  test('T33: are learned in many executions, none of which Temporal ends, with a run under way', async () => {
    const { world, activities } = createFakeWorld();
    const worker = await createTestWorker(temporal, activities);
    await worker.runUntil(async () => {
      const tell = async (facts: Parameters<typeof delivered>[1][], from: number) =>
        temporal.client.workflow.signalWithStart('issueWorkflow', {
          workflowId: issueKey(ISSUE),
          taskQueue: TASK_QUEUE,
          args: [{ issue: ISSUE, title: 'Add a flag', url: 'http://github/acme/app/issues/12' }],
          signal: observed,
          signalArgs: [{ facts: facts.map((fact, index) => delivered(from + index, fact)) }],
        });
      const handle = await temporal.client.workflow.signalWithStart('issueWorkflow', {
        workflowId: issueKey(ISSUE),
        taskQueue: TASK_QUEUE,
        args: [{ issue: ISSUE, title: 'Add a flag', url: 'http://github/acme/app/issues/12' }],
        signal: observed,
        signalArgs: [{ facts: [labeled(1)] }],
      });
      const cursor = async (): Promise<number> => (await handle.query(issueStateQuery)).cursor;
      await eventually('the run is under way', async () => (await handle.query(issueStateQuery)).active !== null);

      for (let from = 2; from < FACTS; from += BATCH) {
        const more = Array.from({ length: Math.min(BATCH, FACTS + 1 - from) }, (_, index) => ({
          kind: 'status_comment_changed' as const,
          runId: runId(1 + ((from + index) % 5)),
        }));
        await tell(more, from);
        // The relay has one signal under way for an issue, and sends two a second.
        if (Math.floor(from / BATCH) % AT_ONCE === 0)
          await eventually('they have arrived', async () => (await cursor()) >= from - BATCH);
      }
      await eventually('all are learned', async () => {
        const { cursor: learned, unread } = await handle.query(issueStateQuery);
        return learned === FACTS && unread.length === 0;
      });

      const executions: { status: string; events: number }[] = [];
      for await (const { status, historyLength } of temporal.client.workflow.list({
        query: `WorkflowId = "${issueKey(ISSUE)}"`,
      }))
        executions.push({ status: status.name, events: historyLength });
      expect(executions.length).toBeGreaterThan(2);
      expect(executions.filter(({ status }) => status !== 'CONTINUED_AS_NEW')).toMatchObject([{ status: 'RUNNING' }]);
      expect(Math.max(...executions.map(({ events }) => events))).toBeLessThan(ENFORCED);
      expect(await handle.query(issueStateQuery)).toMatchObject({ active: { runId: runId(1) }, queue: [] });
      expect(world.names().filter((name) => name === 'launchAgent')).toHaveLength(1);
      await handle.terminate();
    });
  });
});
