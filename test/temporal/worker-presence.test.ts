import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isAbsent, watchWorkers } from '../../src/temporal/worker-presence.ts';
import { TASK_QUEUE } from '../../workflows/messages.ts';
import { createFakeWorld, ISSUE } from '../support/fake-activities.ts';
import { createTestWorker, openTemporal } from '../support/temporal.ts';

describe('T37: no worker is known', () => {
  const now = 1_800_000_000_000;
  const ago = (seconds: number): number => now - seconds * 1000;

  test.each<[string, boolean, readonly number[], number]>([
    ['when none has ever asked for a task', true, [], 0],
    ['when none has asked for longer than a worker waits', true, [ago(91), ago(300)], 0],
    ['not while one waits for a task', false, [ago(65)], 0],
    ['when a task waits that nobody has asked for since', true, [ago(40)], 25],
    ['not when a task waits for a worker that is busy', false, [ago(1)], 25],
    ['not when a task has just been put there', false, [ago(40)], 2],
  ])('T37: %s', (_what, absent, polledAt, backlogSeconds) => {
    expect(isAbsent({ polledAt, backlogAgeMs: backlogSeconds * 1000 }, now)).toBe(absent);
  });
});

describe('T37: a task queue of a real Temporal', () => {
  let temporal: TestWorkflowEnvironment;
  beforeAll(async () => {
    temporal = await openTemporal();
  });
  afterAll(async () => temporal?.teardown());

  test('T37: has no worker, is said to have none, and the workflow goes on when there is one', async () => {
    const said: string[] = [];
    const note = (_: object, message: string): void => void said.push(message);
    const watch = watchWorkers({ client: temporal.client, log: { warn: note, info: note }, lookMs: 50 });
    try {
      await expect.poll(() => watch.absentSince(), { timeout: 60_000 }).toBeInstanceOf(Date);
      const handle = await temporal.client.workflow.start('issueWorkflow', {
        workflowId: 'issue of nobody',
        taskQueue: TASK_QUEUE,
        args: [{ issue: ISSUE, title: 'Add a flag', url: '' }],
      });
      const worker = await createTestWorker(temporal, createFakeWorld().activities);
      await worker.runUntil(async () => {
        await expect.poll(() => watch.absentSince(), { timeout: 60_000 }).toBeUndefined();
        await expect.poll(async () => (await handle.describe()).historyLength, { timeout: 60_000 }).toBeGreaterThan(3);
      });
      expect(said).toEqual(['worker.absent', 'worker.back']);
      await handle.terminate();
    } finally {
      watch.stop();
    }
  });
});
