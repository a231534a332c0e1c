/** S15: what is stored of strangers' repositories, and what is removed when it is old; the audit trail stays whole. */
import { randomUUID } from 'node:crypto';
import { MockActivityEnvironment } from '@temporalio/testing';
import { sql } from 'drizzle-orm';
import { beforeEach, describe, expect, test } from 'vitest';
import { createRetentionActivities, type RetentionReport } from '../../activities/maintenance/retention.ts';
import { createGitHubWebhook } from '../../ingress/github-webhook/route.ts';
import { deliveryHeaders } from '../../src/github-deliveries/headers.ts';
import { readDeliveredIssue } from '../../src/read-model/queries/deliveries.ts';
import { verifyAuditTrail } from '../../src/read-model/audit/audit.ts';
import { driverOf } from '../../src/store/connection/database.ts';
import {
  agentConversations,
  deliveries,
  runLogLines,
  runs,
  statusComments,
} from '../../src/store/connection/schema.ts';
import { recordDelivery } from '../../src/store/intake/intake.ts';
import { findAssignment, storeAssignment } from '../../src/store/runs/assignments.ts';
import { projectIssue } from '../../src/read-model/projections/projections.ts';
import {
  assignmentOf,
  bind,
  deliveryOf,
  keyOf,
  OLIVIA,
  patientIntake,
  REPOSITORY,
  useTables,
} from '../support/tables.ts';

const SECRET = 'the secret of the tests';
const NEVER = { bodiesDays: 0, logsDays: 0, conversationsDays: 0, statusCommentsDays: 0 };
const ALL = { bodiesDays: 30, logsDays: 30, conversationsDays: 30, statusCommentsDays: 30 };
const LONG_AGO = new Date('2026-01-01T00:00:00Z');
const SNAPSHOT = { title: 'A', body: '', comments: [], reviews: [], leftOut: { outsiders: 0, edited: 0 } };
const tables = useTables();

beforeEach(async () => {
  await tables.clear();
  for (const table of [runs, runLogLines, agentConversations, statusComments]) await tables.db.delete(table);
  await bind(tables.db);
});

async function prune(retention = ALL): Promise<RetentionReport> {
  const activities = createRetentionActivities({ db: tables.db });
  const run = async (): Promise<RetentionReport> => activities.pruneRecords(retention);
  return new MockActivityEnvironment().run(run) as Promise<RetentionReport>;
}

async function told(repositoryId: number): Promise<string> {
  const id = randomUUID();
  const body = JSON.stringify({
    action: 'labeled',
    issue: {
      number: 7,
      title: 'A secret plan',
      body: 'Nobody reads this.',
      html_url: 'https://github.com/a/b/issues/7',
    },
    label: { name: 'run:dev' },
    repository: { id: repositoryId, name: 'demo', owner: { login: 'acme' } },
    sender: { ...OLIVIA, type: 'User' },
  });
  const app = createGitHubWebhook({ intake: patientIntake(tables.db), secrets: [SECRET] });
  const headers = deliveryHeaders({ id, event: 'issues', body, secret: SECRET });
  expect((await app.request('/', { method: 'POST', body, headers })).status).toBeLessThan(300);
  return id;
}

async function bodyOf(): Promise<string> {
  const [row] = await tables.db.select({ body: deliveries.body }).from(deliveries);
  return row?.body.toString('utf8') ?? '';
}

async function problems(): Promise<unknown[]> {
  const found: unknown[] = [];
  await verifyAuditTrail(driverOf(tables.db), { histories: null, onProblem: (problem) => found.push(problem) });
  return found;
}

describe('a delivery', () => {
  test('for a repository that is not bound is stored without what people wrote', async () => {
    await told(999);
    const body = await bodyOf();
    expect(JSON.parse(body)).toMatchObject({ repository: { id: 999 }, sender: { id: OLIVIA.id } });
    expect(body).not.toMatch(/secret plan|Nobody reads/);
    expect(await problems()).toEqual([]);
  });

  test('for a bound one is stored whole, until it is old', async () => {
    const id = await told(REPOSITORY.id);
    await prune();
    expect(await readDeliveredIssue(tables.db, id)).toMatchObject({ title: 'A secret plan' });
    await tables.db.update(deliveries).set({ receivedAt: LONG_AGO });
    await prune(NEVER);
    expect(await bodyOf()).toContain('secret plan');
    expect(await prune()).toMatchObject({ bodies: 1, more: false });
    expect(await bodyOf()).not.toContain('secret plan');
    expect(await readDeliveredIssue(tables.db, id)).toBeUndefined();
    expect(await prune()).toMatchObject({ bodies: 0 });
  });

  test('that is old leaves the audit trail as it was', async () => {
    await recordDelivery(tables.db, deliveryOf('d1', 7, { receivedAt: LONG_AGO.toISOString() }));
    expect(await prune()).toMatchObject({ bodies: 1 });
    expect(await problems()).toEqual([]);
  });
});

/** A run of issue 7 that ended long ago, with its log, conversation and status comment. */
async function oldRun(state: 'waiting' | 'closed'): Promise<string> {
  const id = randomUUID();
  await projectIssue(
    tables.db,
    {
      key: keyOf(7),
      repositoryId: REPOSITORY.id,
      number: 7,
      title: 'A',
      url: '',
      state,
      waitingFor: null,
      stage: 'dev',
      activeRunId: null,
      queued: 0,
      pullRequest: null,
      workspace: null,
      past: null,
      revision: 1,
      updatedAt: LONG_AGO.toISOString(),
    },
    [],
  );
  await tables.db.execute(sql`
    insert into runs (id, issue_key, repository_id, issue_number, stage, kind, trigger, triggered_by, correlation_id,
      status, branch, revision, created_at, finished_at)
    values (${id}, ${keyOf(7)}, ${REPOSITORY.id}, 7, 'dev', 'work', 'label:1', 'olivia', 'd1', 'succeeded', 'b', 1,
      ${LONG_AGO.toISOString()}, ${LONG_AGO.toISOString()})`);
  await tables.db.insert(runLogLines).values({ runId: id, n: 0, at: LONG_AGO, kind: 'agent', text: 'hello' });
  await tables.db.insert(agentConversations).values({ runId: id, threadId: 't', version: 'v', parts: 0 });
  await tables.db.insert(statusComments).values({
    runId: id,
    repositoryId: REPOSITORY.id,
    number: 7,
    body: 'Done.',
    revision: 1,
  });
  return id;
}

describe('of a run that ended long ago', () => {
  test('log, conversation and status comment go when its issue is closed', async () => {
    await oldRun('closed');
    expect(await prune()).toMatchObject({ logs: 1, conversations: 1, statusComments: 1 });
    expect(await tables.db.select().from(agentConversations)).toEqual([]);
    expect(await prune()).toMatchObject({ logs: 0, conversations: 0, statusComments: 0 });
  });

  test('its prompt and snapshot go too, and their hashes stay', async () => {
    const id = await oldRun('closed');
    await storeAssignment(
      tables.db,
      assignmentOf(id, { promptSha256: 'p'.repeat(64), snapshot: SNAPSHOT, snapshotSha256: 's'.repeat(64) }),
    );
    expect(await prune()).toMatchObject({ conversations: 1 });
    expect(await findAssignment(tables.db, id)).toMatchObject({
      prompt: '',
      snapshot: null,
      promptSha256: 'p'.repeat(64),
      snapshotSha256: 's'.repeat(64),
    });
    expect(await prune()).toMatchObject({ conversations: 0 });
  });

  test('only the log goes while its issue is open, which may go on with the conversation', async () => {
    await oldRun('waiting');
    expect(await prune()).toMatchObject({ logs: 1, conversations: 0, statusComments: 0 });
  });

  test('nothing goes where the installation keeps it for ever', async () => {
    await oldRun('closed');
    expect(await prune(NEVER)).toMatchObject({ logs: 0, conversations: 0, statusComments: 0 });
  });
});
