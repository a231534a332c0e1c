import { afterAll, beforeAll, expect, test } from 'vitest';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { issueKey, type ObservedFact } from '../../src/domain/issue/facts.ts';
import { issueStateQuery, observed, TASK_QUEUE } from '../../workflows/messages.ts';
import { createFakeWorld, delivered, FINISHED, ISSUE, labeled, runId } from '../support/fake-activities.ts';
import { createTestWorker, startTemporal } from '../support/temporal.ts';

let temporal: TestWorkflowEnvironment;
beforeAll(async () => {
  temporal = await startTemporal({ 'limit.historyCount.suggestContinueAsNew': 40 });
});
afterAll(async () => temporal?.teardown());

test('everything unread crosses continue-as-new, with a run under way', async () => {
  const { world, activities } = createFakeWorld();
  const worker = await createTestWorker(temporal, activities);
  await worker.runUntil(async () => {
    const tell = (facts: ObservedFact[]) =>
      temporal.client.workflow.signalWithStart('issueWorkflow', {
        workflowId: issueKey(ISSUE),
        taskQueue: TASK_QUEUE,
        args: [{ issue: ISSUE, title: 'Add a flag', url: 'http://github/acme/app/issues/12' }],
        signal: observed,
        signalArgs: [{ facts }],
      });
    const handle = await tell([labeled(1)]);
    const first = (await handle.describe()).runId;
    const refusals = 20;
    for (let n = 1; n < refusals; n += 1) world.events.push({ id: 100 + n, account: 7, clearedByPlatform: false });
    for (let batch = 0; batch < refusals / 10; batch += 1) {
      const facts = Array.from({ length: 10 }, (_, index) =>
        delivered(2 + batch * 10 + index, {
          kind: 'trigger_refused',
          label: 'run:qa',
          reason: 'sender_not_project_member',
          labels: [],
        }),
      );
      await tell(facts);
      await tell(facts);
    }
    await expect.poll(() => world.countEvents('run.not_started'), { timeout: 60_000 }).toBe(refusals);
    await expect
      .poll(async () => (await temporal.client.workflow.getHandle(issueKey(ISSUE)).describe()).runId, {
        timeout: 60_000,
      })
      .not.toBe(first);
    world.endAgent(runId(1), FINISHED);
    await expect
      .poll(async () => (await handle.query(issueStateQuery)).pullRequest?.number, { timeout: 60_000 })
      .toBe(13);
    expect(world.names().filter((name) => name === 'writeRefusal')).toHaveLength(refusals);
    world.open = false;
    await tell([delivered(2 + refusals, { kind: 'issue_closed' })]);
    await handle.result();
    expect(world.names().filter((name) => name === 'launchAgent')).toHaveLength(1);
  });
});
