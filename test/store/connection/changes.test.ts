import { sql } from 'drizzle-orm';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { announce, listenForChanges, type Change } from '../../../src/store/connection/changes.ts';
import { connect, type Connection } from '../../../src/store/connection/database.ts';
import { startProxy, type Proxy } from '../../support/proxy.ts';
import { useTables } from '../../support/tables.ts';

const PATIENCE = { timeout: 60_000, interval: 50 };
/** A connection is given up after a little more than this: long enough for a busy machine to answer. */
const STATEMENT_TIMEOUT_MS = 10_000;
const tables = useTables();
let proxy: Proxy;
let connection: Connection;
let heard: string[];
let listenedAgain: number;
let unlisten: () => Promise<void>;

beforeEach(async () => {
  heard = [];
  listenedAgain = 0;
  proxy = await startProxy(tables.url);
  connection = connect(proxy.url, { name: 'test of changes', max: 1, statementTimeoutMs: STATEMENT_TIMEOUT_MS });
  unlisten = await listenForChanges(
    connection.sql,
    ({ key }) => heard.push(key),
    () => (listenedAgain += 1),
  );
});
afterEach(async () => {
  proxy.open();
  await unlisten();
  await connection.close();
  await proxy.close();
});

/** Announces until it is heard: a hint that goes out while nobody listens is lost. */
async function hears(key: string): Promise<void> {
  await expect
    .poll(async () => {
      await announce(tables.db, { kind: 'facts', key } satisfies Change);
      return heard.includes(key);
    }, PATIENCE)
    .toBe(true);
}

async function listeners(): Promise<number> {
  const [row] = await tables.db.execute<{ n: number }>(sql`
    select count(*)::int as n from pg_stat_activity
    where application_name = 'codex-k8s test of changes' and query ilike 'listen%'`);
  return row?.n ?? 0;
}

test('a change is heard', async () => {
  await announce(tables.db, { kind: 'facts', key: 'one' });
  await expect.poll(() => heard, PATIENCE).toEqual(['one']);
  expect(listenedAgain).toBe(0);
});

test.each<[string, () => unknown]>([
  ['was cut', () => proxy.cut()],
  ['fell silent', () => proxy.silence()],
  [
    'was ended by the server',
    () =>
      tables.db.execute(sql`
        select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'codex-k8s test of changes'`),
  ],
])('a connection that %s is made again, and its listener is notified', async (_how, lose) => {
  await hears('before');
  await lose();
  await new Promise((resolve) => {
    setTimeout(resolve, 1000);
  });
  proxy.open();
  await expect.poll(() => listenedAgain, PATIENCE).toBe(1);
  await hears('after');
});

test('a quiet connection is kept', async () => {
  await new Promise((resolve) => {
    setTimeout(resolve, STATEMENT_TIMEOUT_MS + 5000);
  });
  await hears('one');
  expect(listenedAgain).toBe(0);
});

test('nobody listens once it is over', async () => {
  await hears('one');
  await unlisten();
  await expect.poll(listeners, PATIENCE).toBe(0);
});
