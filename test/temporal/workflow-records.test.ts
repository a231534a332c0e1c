import type { Client } from '@temporalio/client';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import type { Worker } from '@temporalio/worker';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { WorkflowRecords } from '../../activities/maintenance/sweeps.ts';
import { createIssueWorkflows } from '../../ingress/relay/issue-signals.ts';
import { createWorkflowRecords } from '../../src/temporal/workflow-records.ts';
import { issueKey, type ObservedFact } from '../../src/domain/issue/facts.ts';
import { issueStateQuery, runWorkflowId } from '../../workflows/messages.ts';
import {
  createFakeWorld,
  delivered,
  FINISHED,
  ISSUE,
  labeled,
  runId,
  type FakeWorld,
} from '../support/fake-activities.ts';
import { createTestWorker, startTemporal } from '../support/temporal.ts';

const NAMED = { ...ISSUE, title: 'Add a flag', url: 'http://github/acme/app/issues/12' };

let temporal: TestWorkflowEnvironment;
let client: Client;
let records: WorkflowRecords;
let world: FakeWorld;
let worker: Worker;
let working: Promise<void>;

beforeAll(async () => {
  temporal = await startTemporal({ 'limit.historyCount.suggestContinueAsNew': 40 });
  ({ client } = temporal);
  records = { ...createIssueWorkflows(client), ...createWorkflowRecords(client) };
  const fake = createFakeWorld();
  ({ world } = fake);
  worker = await createTestWorker(temporal, fake.activities);
  working = worker.run();
});
afterAll(async () => {
  worker?.shutdown();
  await working;
  await temporal?.teardown();
});

const signal = (...facts: ObservedFact[]): Promise<boolean> => records.signal(NAMED, facts);
const until = (condition: () => unknown): Promise<void> =>
  expect.poll(condition, { timeout: 60_000, interval: 50 }).toBeTruthy();

test('a workflow that was never started is absent, and a fact that starts nothing is not signaled', async () => {
  expect(await records.statusOf('issue:1#999')).toEqual({ status: 'absent' });
  expect(await records.outcomeOf(runId(999))).toBeUndefined();
  expect(await signal(delivered(1, { kind: 'issue_reopened' }))).toBe(false);
});

test('a run terminated after its issue has continued as new is lost until the issue gets the fact', async () => {
  expect(await signal(labeled(1))).toBe(true);
  const issue = client.workflow.getHandle(issueKey(ISSUE));
  const first = (await issue.describe()).runId;
  await until(() => world.names().includes('launchAgent'));
  expect(await records.statusOf(runWorkflowId(runId(1)))).toEqual({ status: 'open' });
  await until(async () => (await records.openIssues()).has(issueKey(ISSUE)));
  let seq = 1;
  await until(async () => {
    const refusal = {
      kind: 'trigger_refused',
      label: 'run:qa',
      reason: 'sender_not_project_member',
      labels: [],
    } as const;
    await signal(delivered((seq += 1), refusal));
    return (await issue.describe()).runId !== first;
  });

  await client.workflow.getHandle(runWorkflowId(runId(1))).terminate('by an operator');
  expect(await records.statusOf(runWorkflowId(runId(1)))).toEqual({ status: 'closed', closedAt: expect.any(String) });
  expect(await records.outcomeOf(runId(1))).toBeUndefined();
  await signal(delivered((seq += 1), { kind: 'issue_reopened' }));
  expect((await issue.query(issueStateQuery)) as { active: unknown }).toMatchObject({ active: { runId: runId(1) } });

  const outcome = { status: 'failed', failure: 'platform_error', detail: 'lost' } as const;
  await signal({ seq: null, fact: { kind: 'run_lost', runId: runId(1), outcome } });
  await until(() => world.rows.get(runId(1))?.status === 'failed');
  expect(world.rows.get(runId(1))).toMatchObject({ failure: 'platform_error' });
  expect((await issue.query(issueStateQuery)) as { active: unknown }).toMatchObject({ active: null });
});

test('a completed run has an outcome', async () => {
  const run = runId(2);
  // The run before has given its label back by then.
  await until(() => world.names().includes('moveLabels'));
  world.events.push({ id: 200, account: 7, clearedByPlatform: false });
  world.labels = ['run:dev'];
  world.endAgent(run, FINISHED);
  await signal(labeled(1_000_000, run));
  await until(async () => (await records.statusOf(runWorkflowId(run))).status === 'closed');
  expect(await records.outcomeOf(run)).toMatchObject({ status: 'succeeded', pullRequest: { number: 13 } });
});
