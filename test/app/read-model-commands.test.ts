/** `audit verify` and `read-model rebuild` over a real Temporal, real workflows and a real Postgres. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createRecordActivities } from '../../activities/records/records.ts';
import { createRunActivities } from '../../activities/records/runs.ts';
import { issueKey, type ObservedFact } from '../../src/domain/issue/facts.ts';
import { observed, TASK_QUEUE } from '../../workflows/messages.ts';
import {
  createFakeWorld,
  delivered,
  FINISHED,
  ISSUE,
  labeled,
  runId,
  type FakeWorld,
} from '../support/fake-activities.ts';
import { eventually } from '../support/stack.ts';
import { createTestWorker, startTemporal } from '../support/temporal.ts';
import { UNCHANGED, useTables } from '../support/tables.ts';

const CLI = fileURLToPath(new URL('../../src/cli/cli.ts', import.meta.url));
const tables = useTables();
const KEY = issueKey(ISSUE);

let temporal: TestWorkflowEnvironment;
let world: FakeWorld;
/** Called after a run's row and events are written, before the worker may report it. */
let afterRecord: (status: string) => Promise<void> = async () => {};

beforeAll(async () => {
  temporal = await startTemporal({ 'limit.historyCount.suggestContinueAsNew': 60 });
});
afterAll(async () => temporal?.teardown());

/** The fake world with the real writes to the read model. */
async function startWorker() {
  const fake = createFakeWorld();
  ({ world } = fake);
  const records = createRecordActivities({
    db: tables.db,
    github: UNCHANGED,
    defaults: {
      model: 'm',
      reasoningEffort: 'high',
      dashboardUrl: 'http://dashboard',
      workspaceHours: 24,
      waitHours: { question: 168, paused: 168 },
    },
  });
  const joined = createRunActivities({
    ...records,
    ...fake.activities,
    recordRun: (input) => records.recordRun(input),
    comments: { showNow: async () => ({ comment: { id: 1, url: 'http://github/comment' }, stands: true }) },
    readPrior: async () => null,
    readCandidates: async () => undefined,
    readRefused: async () => ({}),
  });
  return createTestWorker(temporal, {
    ...fake.activities,
    recordIssue: (input) => records.recordIssue(input),
    async recordRun(input) {
      const links = await records.recordRun(input);
      await afterRecord(input.row.status);
      return links;
    },
    async showRun(input) {
      const shown = await joined.showRun(input);
      await afterRecord(input.row.status);
      return shown;
    },
  });
}

async function tell(...facts: ObservedFact[]) {
  return temporal.client.workflow.signalWithStart('issueWorkflow', {
    workflowId: KEY,
    taskQueue: TASK_QUEUE,
    args: [{ issue: ISSUE, title: 'Add a flag', url: 'http://github/acme/app/issues/12' }],
    signal: observed,
    signalArgs: [{ facts }],
  });
}

async function isShown(run: string, status: string): Promise<void> {
  const { sql } = tables.another();
  await eventually(
    `${run} ${status}`,
    async () => (await sql`select from runs where id = ${run} and status = ${status}`).length === 1,
  );
}

/** Runs the program as a person would; answers with its exit code and what it printed. */
async function command(...args: string[]): Promise<{ code: number; out: string; error: string }> {
  const env = {
    ...process.env,
    DATABASE_URL: tables.url,
    CODEXK8S_TEMPORAL_ADDRESS: temporal.address,
    CODEXK8S_TEMPORAL_NAMESPACE: temporal.namespace ?? 'default',
  };
  return promisify(execFile)(process.execPath, [CLI, ...args], { env }).then(
    ({ stdout, stderr }) => ({ code: 0, out: stdout, error: stderr }),
    ({ code, stdout, stderr }: { code: number; stdout: string; stderr: string }) => ({
      code,
      out: stdout,
      error: stderr,
    }),
  );
}

interface Rebuilt {
  readonly changed: boolean;
  readonly executions: number;
  readonly tables: Record<
    string,
    { before: { rows: number; hash: string } | null; after: { rows: number; hash: string } }
  >;
}

async function rebuild(): Promise<Rebuilt> {
  const { code, out, error } = await command('read-model', 'rebuild', '--json');
  expect([code, error]).toEqual([0, '']);
  return JSON.parse(out) as Rebuilt;
}

async function executionsOf(workflowId: string): Promise<number> {
  let executions = 0;
  for await (const _ of temporal.client.workflow.list({ query: `WorkflowId = '${workflowId}'` })) executions += 1;
  return executions;
}

describe('an issue that was continued as new, closed, and opened again', () => {
  beforeAll(async () => {
    const worker = await startWorker();
    await worker.runUntil(async () => {
      const refusals = Array.from({ length: 12 }, (_, index) =>
        delivered(2 + index, {
          kind: 'trigger_refused',
          label: 'run:qa',
          reason: 'sender_not_project_member',
          labels: [],
        }),
      );
      for (let n = 1; n <= 12; n += 1) world.events.push({ id: 100 + n, account: 7, clearedByPlatform: false });
      await tell(labeled(1));
      for (const [index, refusal] of refusals.entries()) {
        await tell(refusal);
        await eventually('a refusal', () => world.names().filter((name) => name === 'writeRefusal').length > index);
      }
      world.endAgent(runId(1), FINISHED);
      await isShown(runId(1), 'succeeded');
      world.open = false;
      const closed = await tell(delivered(21, { kind: 'issue_closed' }));
      await closed.result();
      world.open = true;
      world.events = [{ id: 200, account: 7, clearedByPlatform: false }];
      world.labels = ['run:dev'];
      await tell(labeled(22, runId(3)));
      world.endAgent(runId(3), {
        kind: 'reported',
        report: { outcome: 'failed', failure: 'no_changes', detail: 'none' },
      });
      await isShown(runId(3), 'failed');
      // Its workflow has drawn its conclusions: nothing is left to write.
      await eventually(
        'an issue at rest',
        async () => (await tables.another().sql`select from issues where state = 'waiting'`).length === 1,
      );
      // The run began after all of them.
      await eventually(
        'all executions in the list',
        async () => (await executionsOf(KEY)) > 2 && (await executionsOf(`run:${runId(3)}`)) === 1,
      );
    });
  });

  test('is verified against all of its executions', async () => {
    const { code, out } = await command('audit', 'verify', '--json');
    const verified = JSON.parse(out) as Record<string, unknown>;
    expect(code).toBe(0);
    expect(verified).toMatchObject({ sound: true, found: [], unanchored: 0 });
    expect(verified['byHistories']).toBe(verified['events']);
  });

  test('is made again from all of its executions', async () => {
    const before = await rebuild();
    expect(before).toMatchObject({ changed: false, executions: 2 + (await executionsOf(KEY)) });
    await tables.another().sql.unsafe('drop table flow_events, issues, runs');
    expect((await command('audit', 'verify')).code).toBe(1);
    const after = await rebuild();
    for (const [table, { before: gone, after: made }] of Object.entries(after.tables))
      expect([gone, made]).toEqual([null, before.tables[table]?.after]);
    expect((await command('audit', 'verify')).code).toBe(0);
  });

  test('is not made again when it would not be what Temporal remembers', async () => {
    const { sql } = tables.another();
    await sql.unsafe(`create table kept as select * from flow_events; truncate flow_events`);
    await sql.unsafe(`
      insert into deliveries (id, event, body, status, reason, issue_key, event_payload, event_seq, event_hash)
      values ('forged', 'issues', '', 'accepted', '', '${KEY}', '{}', 2, repeat('a', 64))`);
    const { code, error } = await command('read-model', 'rebuild');
    expect([code, error]).toEqual([1, expect.stringMatching(/issue:1#12 at 2 .*\nNothing was changed/) as string]);
    expect(await sql`select from flow_events`).toHaveLength(0);
    await sql.unsafe(`delete from deliveries; insert into flow_events select * from kept; drop table kept`);
  });

  test('is found broken by its issue, with exit code 1', async () => {
    const { sql } = tables.another();
    await sql`insert into projects (slug, name) values ('p', 'p')`;
    await sql`insert into repositories (id, project_id, owner, name) select 1, id, 'acme', 'app' from projects`;
    const sound = await command('audit', 'verify', '--issue', 'Acme/app#12');
    expect([sound.code, sound.out]).toEqual([
      0,
      expect.stringMatching(/^No problems: \d+ events in 1 chains/) as string,
    ]);
    await sql`update flow_events set actor_id = 'mallory' where chain = ${KEY} and seq = 3`;
    const { code, out } = await command('audit', 'verify', '--issue', 'acme/app#12');
    expect([code, out]).toEqual([1, expect.stringMatching(/^changed +issue:1#12 at 3 \(.+\): its content/) as string]);
    expect(await rebuild()).toMatchObject({ changed: true });
    expect((await command('audit', 'verify', '--issue', 'acme/app#12', '--without-temporal')).code).toBe(0);
  });

  test.each<[string[], number]>([
    [['audit', 'verify', '--issue', 'twelve'], 2],
    [['audit', 'verify', '--issue', 'acme/other#1'], 1],
    [['audit', 'verify', '--nonsense'], 2],
  ])('is not verified by %j', async (args, expected) => {
    expect((await command(...args)).code).toBe(expected);
  });
});

test('a worker that is in the middle loses nothing when the tables are made again under it', async () => {
  const reached = Promise.withResolvers<void>();
  const released = Promise.withResolvers<void>();
  afterRecord = async (status) => {
    if (status !== 'succeeded') return;
    reached.resolve();
    await released.promise;
  };
  const worker = await startWorker();
  await worker.runUntil(async () => {
    world.events = [{ id: 300, account: 7, clearedByPlatform: false }];
    await tell(labeled(30, runId(4)));
    world.endAgent(runId(4), FINISHED);
    await reached.promise;
    await eventually('the run in the list', async () => (await executionsOf(`run:${runId(4)}`)) === 1);
    await tables.another().sql.unsafe('drop table flow_events, issues, runs');
    await rebuild();
    released.resolve();
    await temporal.client.workflow.getHandle(`run:${runId(4)}`).result();
    await isShown(runId(4), 'succeeded');
  });
  const { code, out } = await command('audit', 'verify');
  expect([code, out]).toEqual([0, expect.stringMatching(/^No problems/) as string]);
}, 240_000);
