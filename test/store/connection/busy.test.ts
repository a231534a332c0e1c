/** Webhook and pages of one server, each with its own pool, on a Postgres that is busy or refuses. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { createIntake, INTAKE_CONNECTION } from '../../../src/store/intake/intake.ts';
import { connect, PAGES_CONNECTION, type Connection } from '../../../src/store/connection/database.ts';
import { startTestDatabase, type TestDatabase } from '../../support/postgres.ts';
import { bind } from '../../support/tables.ts';
import { BEARER, createSite, type Site } from '../../ingress/dashboard/support/site.ts';
import { labeled, send } from '../../ingress/github-webhook/support/webhook.ts';
import { createGitHubWebhook } from '../../../ingress/github-webhook/route.ts';
import { SECRET, PATH } from '../../ingress/github-webhook/support/webhook.ts';
import { Hono } from 'hono';

let database: TestDatabase;
let intake: Connection;
let pages: Connection;
let operator: Connection;
let site: Site;
let webhook: Hono;
const results: { event: string; result: string }[] = [];

beforeAll(async () => {
  database = await startTestDatabase();
  intake = connect(database.url, INTAKE_CONNECTION);
  pages = connect(database.url, PAGES_CONNECTION);
  operator = connect(database.url, { name: 'operator', statementTimeoutMs: 60_000 });
  site = createSite(pages);
  webhook = new Hono().route(
    PATH,
    createGitHubWebhook({
      intake: createIntake(intake.db),
      secrets: [SECRET],
      onResult: (result) => results.push(result),
    }),
  );
  await bind(intake.db);
});
afterAll(async () => {
  await site?.live.close();
  for (const connection of [intake, pages, operator]) await connection?.close();
  await database?.stop();
});

/** Sends a delivery, again with the same id until it is stored: GitHub's redeliveries. */
async function stored(id: string, issue: number): Promise<void> {
  await expect
    .poll(async () => (await send(webhook, labeled(issue), { id })).status, { timeout: 60_000 })
    .toBeLessThan(300);
}

const rowsOf = async (id: string): Promise<number> =>
  (await operator.sql`select 1 from deliveries where id = ${id}`).length;

describe('T52: while a table that pages read is altered', () => {
  test('T52: a page is answered with 503, and a delivery is stored', async () => {
    await operator.sql.begin(async (tx) => {
      await tx`lock table runs in access exclusive mode`;
      const page = await site.ask('/api/v1/runs');
      expect([page.status, page.headers.get('retry-after')]).toEqual([503, expect.stringMatching(/^\d+$/)]);
      expect((await send(webhook, labeled(1))).status).toBe(202);
    });
    expect((await site.ask('/api/v1/runs')).status).toBe(200);
  });
});

describe('T52: while slow queries of pages hold all of their connections', () => {
  test('T52: a delivery is stored before they end, and each is ended by its limit', async () => {
    let over = 0;
    const slow = Array.from({ length: PAGES_CONNECTION.max }, async () =>
      pages.sql`select pg_sleep(300)`.catch((error: unknown) => error).finally(() => (over += 1)),
    );
    const page = site.ask('/api/v1/runs');
    expect((await send(webhook, labeled(2))).status).toBe(202);
    expect(over).toBe(0);
    expect(await Promise.all(slow)).toEqual(slow.map(() => expect.objectContaining({ code: '57014' }) as unknown));
    expect((await page).status).toBe(200);
  });
});

describe('T54: a Postgres that only reads, as after a failover', () => {
  afterEach(async () => readOnly(false));

  /** New connections are read-only or not; those that are there are ended. */
  async function readOnly(on: boolean): Promise<void> {
    const [row] = await operator.sql`select current_database() as name`;
    const alter = `alter database "${String(row?.['name'])}" set default_transaction_read_only = ${on ? 'on' : 'off'}`;
    await operator.sql.begin('read write', async (tx) => tx.unsafe(alter));
    await operator.sql`select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()`;
  }

  test('T54: a delivery is answered with 503 and stored when it comes again later; pages can be read', async () => {
    await readOnly(true);
    results.length = 0;
    await expect.poll(async () => (await site.ask('/api/v1/runs')).status, { timeout: 60_000 }).toBe(200);
    const { status, headers } = await send(webhook, labeled(3), { id: 'read-only' });
    expect([status, headers.get('retry-after')]).toEqual([503, expect.stringMatching(/^\d+$/)]);
    expect(results).toEqual([{ event: 'issues', result: 'unavailable' }]);
    const change = await site.ask('/api/v1/projects/demo', {
      method: 'POST',
      headers: { ...BEARER, 'content-type': 'application/json' },
      body: JSON.stringify({ locale: 'ru' }),
    });
    expect([change.status, await change.json()]).toMatchObject([503, { code: 'unavailable' }]);
    expect(await rowsOf('read-only')).toBe(0);
    await readOnly(false);
    await stored('read-only', 3);
    expect(await rowsOf('read-only')).toBe(1);
  });
});

describe('T54: a disk that is full', () => {
  test('T54: a delivery is answered with 503 and stored when it comes again later', async () => {
    await operator.sql.unsafe(`
      create function full_disk() returns trigger language plpgsql as $$
        begin raise exception 'could not extend file: No space left on device' using errcode = '53100'; end $$;
      create trigger full_disk before insert on deliveries for each statement execute function full_disk();`);
    results.length = 0;
    const { status, body } = await send(webhook, labeled(4), { id: 'full' });
    expect([status, body['code']]).toEqual([503, 'unavailable']);
    expect(results).toEqual([{ event: 'issues', result: 'unavailable' }]);
    await operator.sql.unsafe('drop trigger full_disk on deliveries; drop function full_disk()');
    await stored('full', 4);
    expect(await rowsOf('full')).toBe(1);
  });
});

describe('T54: a schema that is newer than this build', () => {
  test('T54: with a table and a column more, deliveries are stored and pages shown', async () => {
    await operator.sql.unsafe('create table of_a_later_build (id int); alter table deliveries add column later text');
    await stored('later', 5);
    const page = await site.ask('/api/v1/deliveries');
    expect([page.status, await page.text()]).toEqual([200, expect.stringContaining('later')]);
  });
});
