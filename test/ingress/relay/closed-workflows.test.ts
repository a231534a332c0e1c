/** The inbox relay and a real Temporal in which the issue's workflow has ended. */
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { eq } from 'drizzle-orm';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createInboxRelay } from '../../../ingress/relay/inbox-relay.ts';
import { createIssueWorkflows } from '../../../ingress/relay/issue-signals.ts';
import { inboxes } from '../../../src/store/connection/schema.ts';
import { recordDelivery } from '../../../src/store/intake/intake.ts';
import { TASK_QUEUE } from '../../../workflows/messages.ts';
import { deliveryOf, issueOf, keyOf, OLIVIA, useTables } from '../../support/tables.ts';
import { openTemporal } from '../../support/temporal.ts';

const tables = useTables();
let temporal: TestWorkflowEnvironment;
beforeAll(async () => {
  temporal = await openTemporal();
});
afterAll(async () => temporal?.teardown());

/** Lets the workflow of an issue begin and end. Nobody works on it. */
async function ended(issue: number): Promise<string> {
  const handle = await temporal.client.workflow.start('issueWorkflow', {
    workflowId: keyOf(issue),
    taskQueue: TASK_QUEUE,
    args: [{ issue: issueOf(issue), title: '', url: '' }],
  });
  await handle.terminate();
  return handle.firstExecutionRunId;
}

/** Relays what is in the inboxes until this issue's is empty. Returns the calls for it, and the errors. */
async function relayed(issue: number): Promise<{ calls: boolean[]; errors: unknown[] }> {
  const calls: boolean[] = [];
  const errors: unknown[] = [];
  const workflows = createIssueWorkflows(temporal.client);
  const relay = createInboxRelay({
    db: tables.db,
    workflows: {
      async signal(...given) {
        const found = await workflows.signal(...given);
        calls.push(found);
        return found;
      },
    },
    onError: (error) => errors.push(error),
  });
  const lastSignaled = async (): Promise<boolean> => {
    const [inbox] = await tables.db
      .select()
      .from(inboxes)
      .where(eq(inboxes.issueKey, keyOf(issue)));
    return inbox !== undefined && inbox.signaledSeq === inbox.lastSeq;
  };
  await expect.poll(lastSignaled, { timeout: 60_000 }).toBe(true);
  await relay.stop();
  return { calls, errors };
}

describe('T36: a delivery for an issue whose workflow has ended', () => {
  test('T36: that starts nothing is told to nobody, once, and is not an error', async () => {
    await ended(7);
    await recordDelivery(tables.db, deliveryOf('closed', 7));
    expect(await relayed(7)).toEqual({ calls: [false], errors: [] });
    expect((await temporal.client.workflow.getHandle(keyOf(7)).describe()).status.name).toBe('TERMINATED');
  });

  test('T36: that asks for a run begins the workflow again', async () => {
    const first = await ended(8);
    await recordDelivery(
      tables.db,
      deliveryOf('labeled', 8, {
        fact: {
          kind: 'trigger_label_added',
          delivery: 'labeled',
          by: OLIVIA,
          at: '2026-11-21T10:00:00.000Z',
          label: 'run:dev',
          target: { stage: 'dev', kind: 'work' },
          runId: '0198d3a0-0000-7000-8000-000000000008',
        },
      }),
    );
    expect(await relayed(8)).toEqual({ calls: [true], errors: [] });
    const now = await temporal.client.workflow.getHandle(keyOf(8)).describe();
    expect([now.status.name, now.runId === first]).toEqual(['RUNNING', false]);
    await temporal.client.workflow.getHandle(keyOf(8)).terminate();
  });
});
