/**
 * docs/reliability.md T51: the network between the intake and Postgres swallows, resets, delays, and loses the answer to a
 * commit. Each delivery is answered in time, is kept once, and the intake is well again seconds after the network is.
 */
import { randomUUID } from 'node:crypto';
import { eq, sql } from 'drizzle-orm';
import { Hono } from 'hono';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createGitHubWebhook } from '../../ingress/github-webhook/route.ts';
import { deliveryHeaders } from '../../src/github-deliveries/headers.ts';
import { createInboxRelay, type InboxRelay } from '../../ingress/relay/inbox-relay.ts';
import { connect, type Connection } from '../../src/store/connection/database.ts';
import { createIntake, INTAKE_CONNECTION, recordDelivery } from '../../src/store/intake/intake.ts';
import { deliveries, inboxes } from '../../src/store/connection/schema.ts';
import { startProxy, type Proxy } from '../support/proxy.ts';
import {
  bind,
  count,
  deliveryOf,
  factsOf,
  keyOf,
  OLIVIA,
  REPOSITORY,
  useTables,
  verifiedChain,
} from '../support/tables.ts';
import { now } from './support/clock.ts';

const SECRET = 'the secret of the tests';
const LIMIT_MS = 5000;
const tables = useTables();

let proxy: Proxy;
let connection: Connection;
let app: Hono;

beforeEach(async () => {
  await tables.clear();
  await bind(tables.db);
  proxy = await startProxy(tables.url);
  connection = connect(proxy.url, INTAKE_CONNECTION);
  app = webhook();
});
afterEach(async () => {
  proxy.open();
  await connection.close();
  await proxy.close();
});

/** `limitMs`: until a delivery is given up, if not after the usual time. */
function webhook(limitMs?: number): Hono {
  const intake = createIntake(connection.db, limitMs);
  return new Hono().route('/', createGitHubWebhook({ intake, secrets: [SECRET] }));
}

interface Answer {
  readonly status: number;
  readonly runId: unknown;
  readonly milliseconds: number;
}

/** Sends a signed label, as GitHub does. */
async function label(issue: number, id: string = randomUUID()): Promise<Answer> {
  const body = Buffer.from(
    JSON.stringify({
      action: 'labeled',
      repository: { id: REPOSITORY.id, name: REPOSITORY.name, owner: { login: REPOSITORY.owner } },
      sender: { ...OLIVIA, type: 'User' },
      issue: { number: issue, title: `Issue ${issue}`, html_url: 'https://github.com/', labels: [{ name: 'run:dev' }] },
      label: { name: 'run:dev' },
    }),
  );
  const headers = deliveryHeaders({ id, event: 'issues', body, secret: SECRET });
  const began = now();
  const answer = await app.request('/', { method: 'POST', headers, body: new Uint8Array(body) });
  const milliseconds = now() - began;
  const { run_id: runId } = (await answer.json()) as Record<string, unknown>;
  return { status: answer.status, runId, milliseconds };
}

/** Labels issues at once, each with its own delivery. */
async function labels(issues: readonly number[]): Promise<Answer[]> {
  return Promise.all(issues.map((issue) => label(issue, `d${issue}`)));
}

/** Every delivery that is kept has its fact and its event, and there are no others. */
async function expectWhole(): Promise<void> {
  const [kept] = await tables.db.execute<{ deliveries: string; facts: string; events: string }>(sql`
    select (select string_agg(id, ' ' order by id) from deliveries) as deliveries,
      (select string_agg(delivery_id, ' ' order by delivery_id) from issue_facts) as facts,
      (select string_agg(correlation_id, ' ' order by correlation_id) from flow_events) as events`);
  expect([kept?.facts, kept?.events]).toEqual([kept?.deliveries, kept?.deliveries]);
  for (const { key } of await tables.db.select({ key: inboxes.issueKey }).from(inboxes))
    expect(await verifiedChain(tables.db, key)).not.toEqual([]);
}

/** Sends until it is kept, for at most so long after the network is well. */
async function keptWithin(milliseconds: number, issue: number): Promise<void> {
  const began = performance.now();
  await expect.poll(async () => (await label(issue)).status, { timeout: milliseconds, interval: 50 }).toBe(202);
  expect(performance.now() - began).toBeLessThan(milliseconds);
}

describe('when the answer to a commit is lost', () => {
  test.each(['reset', 'silence'] as const)('by %s, the delivery is kept once', async (how) => {
    await label(1);
    proxy.loseAnswerTo('commit', how);
    const first = await label(7, 'd1');
    expect(first.milliseconds).toBeLessThan(LIMIT_MS);
    expect([202, 503]).toContain(first.status);
    expect(proxy.lost()).toBeGreaterThan(0);
    await expect.poll(() => factsOf(tables.db, 7)).toHaveLength(1);

    proxy.open();
    const again = await label(7, 'd1');
    expect(again.status).toBe(200);
    expect(again.milliseconds).toBeLessThan(LIMIT_MS);
    const [row] = await tables.db.select().from(deliveries).where(eq(deliveries.id, 'd1'));
    expect(row).toMatchObject({ runId: again.runId, repeats: 1 });
    expect(await factsOf(tables.db, 7)).toHaveLength(1);
    await expectWhole();
  });

  test('once, the delivery is looked for, and accepted with its run', async () => {
    await label(1);
    proxy.loseAnswerTo('commit', 'reset');
    const answered = label(7, 'd1');
    await expect.poll(() => proxy.lost()).toBeGreaterThan(0);
    proxy.open();
    const answer = await answered;
    const [row] = await tables.db.select().from(deliveries).where(eq(deliveries.id, 'd1'));
    expect(answer).toMatchObject({ status: 202, runId: row?.runId });
    expect(row?.repeats).toBe(0);
  });
});

describe('while the network', () => {
  test.each<[string, () => void]>([
    ['swallows everything', () => proxy.silence()],
    ['resets every connection', () => proxy.cut()],
    ['is too slow', () => proxy.slow(3000)],
  ])('%s, each delivery is answered in time, and seconds later all is well', async (_how, fail) => {
    await labels(count(1, 20));
    fail();
    const answers = await labels(count(101, 140));
    for (const { status, milliseconds } of answers) {
      expect(status).toBe(503);
      expect(milliseconds).toBeLessThan(LIMIT_MS);
    }
    proxy.open();
    await keptWithin(15_000, 200);
    for (const { status } of await labels(count(101, 140))) expect([200, 202]).toContain(status);
    for (const issue of count(101, 140)) expect(await factsOf(tables.db, issue)).toHaveLength(1);
    await expectWhole();
  });

  test('swallows everything for longer than anything waits, the intake is well seconds after it', async () => {
    await labels(count(1, 20));
    proxy.silence();
    for (const round of [1, 2, 3, 4]) {
      const answers = await labels(count(round * 100, round * 100 + 20));
      for (const { status, milliseconds } of answers) {
        expect(status).toBe(503);
        expect(milliseconds).toBeLessThan(LIMIT_MS);
      }
    }
    proxy.open();
    await keptWithin(15_000, 7);
    await expectWhole();
  });

  test('has forgotten the connections, deliveries that need one of them are accepted on another', async () => {
    // A process that is held up would give them up in the meantime; how long they take is asked below.
    app = webhook(30_000);
    await labels(count(1, 20));
    proxy.forget();
    for (const { status, milliseconds } of await labels(count(101, 140))) {
      expect(status).toBe(202);
      expect(milliseconds).toBeLessThan(LIMIT_MS);
    }
    await expectWhole();
  });

  test('is slow but not too slow, deliveries are accepted', async () => {
    await label(1);
    proxy.slow(100);
    for (const { status } of await labels(count(101, 120))) expect(status).toBe(202);
    await expectWhole();
  });
});

describe('the relay', () => {
  let relay: InboxRelay;
  const told: string[] = [];

  beforeEach(() => {
    told.length = 0;
    const tell = async (issue: { number: number }): Promise<boolean> => {
      told.push(keyOf(issue.number));
      return true;
    };
    relay = createInboxRelay({ db: connection.db, workflows: { signal: tell }, onError: () => {} });
  });
  afterEach(async () => {
    proxy.open();
    await relay.stop();
  });

  test.each<[string, () => void]>([
    ['swallows', () => proxy.silence()],
    ['cuts', () => proxy.cut()],
  ])('goes on after a network that %s everything', async (_how, fail) => {
    await recordDelivery(tables.db, deliveryOf('d1', 7));
    await expect.poll(() => told, { timeout: 10_000 }).toContain(keyOf(7));
    fail();
    await recordDelivery(tables.db, deliveryOf('d2', 8));
    // Long enough for whatever was asked for meanwhile to be given up.
    await new Promise((resolve) => {
      setTimeout(resolve, 8000);
    });
    expect(told).not.toContain(keyOf(8));
    proxy.open();
    await expect.poll(() => told, { timeout: 15_000 }).toContain(keyOf(8));
  });
});
