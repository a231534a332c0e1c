import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { connect, type Connection } from '../../src/store/connection/database.ts';
import { readCounters } from '../../src/read-model/queries/counters.ts';
import { listDeliveries } from '../../src/read-model/queries/deliveries.ts';
import { listRunEvents, newestIssueEvents } from '../../src/read-model/queries/events.ts';
import { findIssueByName, listIssues } from '../../src/read-model/queries/issues.ts';
import { readLog, readLogEnd } from '../../src/read-model/queries/log.ts';
import { changeMarker } from '../../src/read-model/queries/marker.ts';
import { decodeCursor, type Cursor, type Page } from '../../src/read-model/queries/page.ts';
import { listRuns, queuePosition } from '../../src/read-model/queries/runs.ts';
import { startTestDatabase, type TestDatabase } from '../support/postgres.ts';
import {
  bind,
  clear,
  keyOf,
  minutesAgo,
  putDelivery,
  putEvent,
  putIssue,
  putLines,
  putRun,
  runId,
} from '../ingress/dashboard/support/world.ts';

let database: TestDatabase;
let connection: Connection;

beforeAll(async () => {
  database = await startTestDatabase();
  connection = connect(database.url, { name: 'test' });
});
afterAll(async () => {
  await connection?.close();
  await database?.stop();
});
beforeEach(async () => {
  await clear(connection.db);
  await bind(connection.db);
});

/** Reads a list to its end. */
async function readAll<Row>(read: (cursor: Cursor | undefined) => Promise<Page<Row>>): Promise<Row[][]> {
  const pages: Row[][] = [];
  let cursor: Cursor | undefined;
  do {
    const page = await read(cursor);
    pages.push([...page.items]);
    cursor = page.next === null ? undefined : decodeCursor(page.next);
  } while (cursor);
  return pages;
}

describe('the list of runs', () => {
  test('reads pages without a gap or a repetition, also where instants are equal', async () => {
    const createdAt = minutesAgo(5);
    for (let n = 1; n <= 7; n += 1) await putRun(connection.db, n, { createdAt });
    const pages = await readAll((cursor) => listRuns(connection.db, {}, { limit: 3, cursor }));
    expect(pages.map((page) => page.map(({ id }) => id))).toEqual([
      [runId(7), runId(6), runId(5)],
      [runId(4), runId(3), runId(2)],
      [runId(1)],
    ]);
  });

  test('has no next page when the last one is exactly full', async () => {
    for (const n of [1, 2]) await putRun(connection.db, n);
    expect((await listRuns(connection.db, {}, { limit: 2 })).next).toBeNull();
  });

  test.each([
    ['status', { status: 'failed' }, [2]],
    ['issue', { issueKey: keyOf(9) }, [3]],
    ['repository, without regard to case', { repository: { owner: 'ACME', name: 'Shop' } }, [1, 2, 3]],
    ['another repository', { repository: { owner: 'acme', name: 'other' } }, []],
    ['the beginning of an id', { idPrefix: runId(2) }, [2]],
    ['a beginning that ends within a group', { idPrefix: runId(2).slice(0, 20) }, [1, 2, 3]],
  ] as const)('is filtered by %s', async (_what, filter, expected) => {
    await putRun(connection.db, 1);
    await putRun(connection.db, 2, { status: 'failed', failure: 'no_changes' });
    await putRun(connection.db, 3, { issueNumber: 9 });
    const { items } = await listRuns(connection.db, filter, { limit: 10 });
    expect(items.map(({ id }) => id)).toEqual(expected.map(runId));
  });

  test('never has more rows than the limit of all lists', async () => {
    await putRun(connection.db, 1);
    expect((await listRuns(connection.db, {}, { limit: 1_000_000 })).items).toHaveLength(1);
  });

  test('names the issue and the repository', async () => {
    await putIssue(connection.db, 1, { title: 'Add it' });
    await putRun(connection.db, 1);
    const { items } = await listRuns(connection.db, {}, { limit: 1 });
    expect(items[0]).toMatchObject({ repository: 'acme/shop', issueTitle: 'Add it' });
  });

  test('keeps runs whose issue and repository nobody knows', async () => {
    await putRun(connection.db, 1, { repositoryId: 99 });
    const { items } = await listRuns(connection.db, {}, { limit: 1 });
    expect(items[0]).toMatchObject({ repository: null, issueTitle: null });
  });
});

test('a queued run has its queue position', async () => {
  await putRun(connection.db, 1, { status: 'queued', createdAt: minutesAgo(1) });
  await putRun(connection.db, 2, { status: 'queued', createdAt: minutesAgo(2) });
  await putRun(connection.db, 3, { status: 'queued', createdAt: minutesAgo(3), issueNumber: 9 });
  expect(await queuePosition(connection.db, { id: runId(1), issueKey: keyOf(1) })).toBe(2);
});

test("an issue's active run that waits for its turn in the project is not in the queue of the issue", async () => {
  await putIssue(connection.db, 1, { activeRunId: runId(2) });
  await putRun(connection.db, 1, { status: 'queued', createdAt: minutesAgo(1) });
  await putRun(connection.db, 2, { status: 'queued', createdAt: minutesAgo(2) });
  expect(await queuePosition(connection.db, { id: runId(1), issueKey: keyOf(1) })).toBe(1);
  expect(await queuePosition(connection.db, { id: runId(2), issueKey: keyOf(1) })).toBeUndefined();
});

describe('the list of issues', () => {
  test('reads page by page, the one that changed last first', async () => {
    for (const number of [3, 1, 2]) await putIssue(connection.db, number, { updatedAt: minutesAgo(number) });
    const pages = await readAll((cursor) => listIssues(connection.db, {}, { limit: 2, cursor }));
    expect(pages.map((page) => page.map(({ number }) => number))).toEqual([[1, 2], [3]]);
  });

  test('is filtered by state', async () => {
    await putIssue(connection.db, 1, { state: 'closed' });
    await putIssue(connection.db, 2, { state: 'working' });
    const { items } = await listIssues(connection.db, { state: 'working' }, { limit: 10 });
    expect(items.map(({ number }) => number)).toEqual([2]);
  });
});

test('an issue is found by the name that people use', async () => {
  await putIssue(connection.db, 1);
  expect(await findIssueByName(connection.db, { owner: 'Acme', name: 'shop' }, 1)).toMatchObject({ key: keyOf(1) });
});

test("a run's events come oldest first, after a place in the chain", async () => {
  for (const n of [1, 2, 3]) await putEvent(connection.db, { id: `e${n}`, type: 'run.requested', runId: runId(1) });
  await putEvent(connection.db, { id: 'other', type: 'run.requested', runId: runId(2) });
  const events = await listRunEvents(connection.db, runId(1), { afterSeq: 1, limit: 10 });
  expect(events.map(({ id }) => id)).toEqual(['e2', 'e3']);
});

test("the newest of an issue's events come oldest first", async () => {
  for (const n of [1, 2, 3]) await putEvent(connection.db, { id: `e${n}`, type: 'run.requested' });
  const events = await newestIssueEvents(connection.db, keyOf(1), 2);
  expect(events.map(({ id }) => id)).toEqual(['e2', 'e3']);
});

describe('the log', () => {
  beforeEach(async () => {
    await putLines(
      connection.db,
      runId(1),
      [0, 1, 2, 3, 4].map((n) => ({ n })),
    );
  });

  test('goes on after a line', async () => {
    const lines = await readLog(connection.db, runId(1), { after: 1, limit: 2 });
    expect(lines.map(({ n }) => n)).toEqual([2, 3]);
  });

  test('has an end', async () => {
    const lines = await readLogEnd(connection.db, runId(1), 2);
    expect(lines.map(({ n }) => n)).toEqual([3, 4]);
  });
});

describe('deliveries', () => {
  test('are listed without their bodies', async () => {
    await putDelivery(connection.db, 'one');
    const { items } = await listDeliveries(connection.db, {}, { limit: 10 });
    expect(items[0]).not.toHaveProperty('body');
  });

  test('go through pages whatever their ids look like', async () => {
    const receivedAt = new Date();
    for (const id of ['a%b"|', '42', '~x']) await putDelivery(connection.db, id, { receivedAt });
    const pages = await readAll((cursor) => listDeliveries(connection.db, {}, { limit: 1, cursor }));
    expect(pages.flat().map(({ id }) => id)).toEqual(['~x', 'a%b"|', '42']);
  });

  test('are filtered by decision', async () => {
    await putDelivery(connection.db, 'one');
    await putDelivery(connection.db, 'two', { status: 'ignored', reason: 'sender_not_allowed' });
    const { items } = await listDeliveries(connection.db, { status: 'ignored' }, { limit: 10 });
    expect(items.map(({ id }) => id)).toEqual(['two']);
  });
});

test('the counters count what is going on', async () => {
  await putRun(connection.db, 1, { status: 'preparing' });
  await putRun(connection.db, 2, { status: 'working' });
  await putRun(connection.db, 3, { status: 'queued' });
  await putRun(connection.db, 4, { status: 'failed', finishedAt: minutesAgo(60) });
  await putRun(connection.db, 5, { status: 'failed', finishedAt: minutesAgo(60 * 25) });
  await putRun(connection.db, 6, { status: 'waiting' });
  await putIssue(connection.db, 1, { state: 'waiting', waitingFor: 'review' });
  await putIssue(connection.db, 2, { state: 'waiting', waitingFor: 'label' });
  expect(await readCounters(connection.db)).toEqual({
    working: 2,
    queued: 1,
    waiting: 1,
    inReview: 1,
    failed: 1,
    unsignaledIssues: 0,
  });
});

describe('the marker of changes', () => {
  test('stays while nothing happens', async () => {
    await putIssue(connection.db, 1);
    expect(await changeMarker(connection.db)).toBe(await changeMarker(connection.db));
  });

  test('changes with an event of any issue', async () => {
    const before = await changeMarker(connection.db);
    await putEvent(connection.db, { id: 'e1', type: 'run.requested', chain: keyOf(5) });
    expect(await changeMarker(connection.db)).not.toBe(before);
  });

  test("of an issue does not change with another's event", async () => {
    const before = await changeMarker(connection.db, keyOf(1));
    await putEvent(connection.db, { id: 'e1', type: 'run.requested', chain: keyOf(5) });
    expect(await changeMarker(connection.db, keyOf(1))).toBe(before);
  });
});

test.each([
  '',
  'x',
  Buffer.from('now abc').toString('base64url'),
  Buffer.from('2026-01-01 a\nb').toString('base64url'),
])('a cursor of somebody else is none: %j', (text) => {
  expect(decodeCursor(text)).toBeUndefined();
});
