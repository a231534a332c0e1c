/** T13: one click, told of twenty times within a second to two servers on one database, with a real Temporal behind. */
import { randomUUID } from 'node:crypto';
import { Client } from '@temporalio/client';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import type { Worker } from '@temporalio/worker';
import { eq } from 'drizzle-orm';
import { Hono } from 'hono';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createGitHubWebhook } from '../../ingress/github-webhook/route.ts';
import { sign } from '../../ingress/github-webhook/signature.ts';
import { createInboxRelay, type InboxRelay } from '../../ingress/relay/inbox-relay.ts';
import { createIssueWorkflows } from '../../ingress/relay/issue-signals.ts';
import { deliveries, inboxes } from '../../src/store/connection/schema.ts';
import { issueStateQuery, runWorkflowId } from '../../workflows/messages.ts';
import { createFakeWorld, type FakeWorld } from '../support/fake-activities.ts';
import { bind, count, keyOf, OLIVIA, patientIntake, REPOSITORY, useTables } from '../support/tables.ts';
import { eventually } from '../support/stack.ts';
import { createTestWorker, dataConverter, openTemporal } from '../support/temporal.ts';

const SECRET = 'the secret of the tests';
const DELIVERIES = 20;
const ISSUE = 7;
const tables = useTables();

let temporal: TestWorkflowEnvironment;
let worker: Worker;
let working: Promise<void>;
let world: FakeWorld;
let relays: InboxRelay[];
let statuses: number[];

beforeAll(async () => {
  await bind(tables.db);
  temporal = await openTemporal();
  const fake = createFakeWorld();
  ({ world } = fake);
  world.events = [{ id: 100, account: OLIVIA.id, clearedByPlatform: false }];
  worker = await createTestWorker(temporal, fake.activities);
  working = worker.run();

  const servers = [tables.another(), tables.another()].map(({ db }) => {
    const workflows = createIssueWorkflows(
      new Client({ connection: temporal.connection, namespace: temporal.namespace ?? 'default', dataConverter }),
    );
    const relay = createInboxRelay({ db, workflows, onError: () => undefined });
    return {
      app: new Hono().route('/', createGitHubWebhook({ intake: patientIntake(db), secrets: [SECRET] })),
      relay,
    };
  });
  relays = servers.map(({ relay }) => relay);
  const body = JSON.stringify({
    action: 'labeled',
    repository: { id: REPOSITORY.id, name: REPOSITORY.name, owner: { login: REPOSITORY.owner } },
    sender: { ...OLIVIA, type: 'User' },
    issue: {
      number: ISSUE,
      title: 'Race',
      html_url: 'https://github.com/acme/demo/issues/7',
      labels: [{ name: 'run:dev' }],
    },
    label: { name: 'run:dev' },
  });
  const headers = {
    'content-type': 'application/json',
    'x-github-event': 'issues',
    'x-hub-signature-256': sign(SECRET, Buffer.from(body)),
  };
  statuses = await Promise.all(
    count(1, DELIVERIES).map(async (n) => {
      const { app, relay } = servers[n % 2]!;
      const answer = await app.request('/', {
        method: 'POST',
        body,
        headers: { ...headers, 'x-github-delivery': randomUUID() },
      });
      relay.wake();
      return answer.status;
    }),
  );
  await eventually('all are judged', () => world.countEvents('trigger.duplicate') === DELIVERIES - 1);
  await eventually('the agent of the run is launched', () => world.names().includes('launchAgent'));
});

afterAll(async () => {
  await Promise.all((relays ?? []).map((relay) => relay.stop()));
  for (const id of [keyOf(ISSUE), ...[...(world?.rows.keys() ?? [])].map(runWorkflowId)])
    await temporal?.client.workflow
      .getHandle(id)
      .terminate()
      .catch(() => undefined);
  worker?.shutdown();
  await working;
  await temporal?.teardown();
});

test('T13: every delivery is accepted and kept', async () => {
  expect(statuses).toEqual(Array<number>(DELIVERIES).fill(202));
  expect(await tables.db.select({ id: deliveries.id }).from(deliveries)).toHaveLength(DELIVERIES);
});

test('T13: exactly one workflow and one run come of them, and nothing waits', async () => {
  const state = await temporal.client.workflow.getHandle(keyOf(ISSUE)).query(issueStateQuery);
  expect(state.active).toMatchObject({ trigger: { kind: 'label', event: 100 } });
  expect(state.queue).toEqual([]);
  expect([...world.rows.keys()]).toEqual([state.active?.runId]);
  expect(world.names().filter((name) => name === 'launchAgent')).toHaveLength(1);
  const started = async (): Promise<number> =>
    (await temporal.client.workflow.count(`WorkflowType = 'issueWorkflow'`)).count;
  await expect.poll(started).toBe(1);
});

test('T13: everything was signaled, in fewer signals than deliveries', async () => {
  const inbox = async (): Promise<unknown> =>
    (
      await tables.db
        .select()
        .from(inboxes)
        .where(eq(inboxes.issueKey, keyOf(ISSUE)))
    )[0];
  await expect.poll(inbox).toMatchObject({ lastSeq: DELIVERIES, signaledSeq: DELIVERIES });
  const { events } = await temporal.client.workflow.getHandle(keyOf(ISSUE)).fetchHistory();
  const signals = events?.filter(({ workflowExecutionSignaledEventAttributes: signal }) => signal) ?? [];
  expect(signals.length).toBeLessThan(DELIVERIES / 2);
});
