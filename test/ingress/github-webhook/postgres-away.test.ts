import { eq } from 'drizzle-orm';
import type { Hono } from 'hono';
import type { WebhookOptions } from '../../../ingress/github-webhook/route.ts';
import { connect, type Connection, type Database } from '../../../src/store/connection/database.ts';
import { COMMIT_LIMIT_MS, createIntake } from '../../../src/store/intake/intake.ts';
import { deliveries } from '../../../src/store/connection/schema.ts';
import { startTestDatabase } from '../../support/postgres.ts';
import { startProxy, type Proxy } from '../../support/proxy.ts';
import { bind, count, factsOf, keyOf, verifiedChain } from '../../support/tables.ts';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { labeled, send, useWebhook } from './support/webhook.ts';

const { tables, webhook, kept } = useWebhook();

/** A tenth of the server's limit, in milliseconds. */
const COMMIT_MS = COMMIT_LIMIT_MS / 10;

describe('while Postgres', () => {
  let proxy: Proxy;
  let connection: Connection;
  let app: Hono;

  beforeEach(async () => {
    await bind(tables.db);
    proxy = await startProxy(tables.url);
    connection = connect(proxy.url, { name: 'test behind a proxy', max: 4, statementTimeoutMs: 1000 });
    app = prompt(connection.db);
    await taken(labeled(6), 'before');
  });
  afterEach(async () => {
    proxy.open();
    await connection.close();
    await proxy.close();
  });

  /** A webhook with a limit for the commit, as the server's. */
  function prompt(db: Database, options: Partial<WebhookOptions> = {}): Hono {
    return webhook({ intake: createIntake(db, COMMIT_MS), ...options });
  }

  /** Sends a delivery until it is stored. */
  async function taken(body: object, id: string): Promise<void> {
    await expect.poll(async () => (await send(app, body, { id })).status, { timeout: 60_000 }).toBeLessThan(300);
  }

  /**
   * Sends a delivery, which must fail within a tenth of the promised five seconds. It counts turns of a timer instead of time, so
   * that a suspended process does not fail the test.
   */
  async function unavailable(id: string): Promise<void> {
    let milliseconds = 0;
    const clock = setInterval(() => (milliseconds += 5), 5);
    const { status, headers, body } = await send(app, labeled(), { id }).finally(() => clearInterval(clock));
    expect(milliseconds).toBeLessThan(500);
    expect({ status, body }).toEqual({
      status: 503,
      body: { code: 'unavailable', message: expect.any(String) as string },
    });
    expect(headers.get('retry-after')).toMatch(/^[1-9]\d*$/);
  }

  test.each<[string, (proxy: Proxy) => void]>([
    ['refuses connections', (to) => to.cut()],
    ['does not answer', (to) => to.silence()],
  ])('%s a delivery is answered with 503 in time, and nothing is stored', async (_what, fail) => {
    fail(proxy);
    await unavailable('d1');
    expect(await kept()).toEqual({ deliveries: 1, events: 1, facts: 1 });

    proxy.open();
    await taken(labeled(), 'd1');
    expect(await factsOf(tables.db, 7)).toHaveLength(1);
    expect(await verifiedChain(tables.db, keyOf(7))).toEqual(['webhook:d1']);
  });

  test('does not answer, several deliveries at once are answered with 503 in time', async () => {
    proxy.silence();
    await Promise.all(count(1, 12).map((n) => unavailable(`d${n}`)));
    expect(await kept()).toEqual({ deliveries: 1, events: 1, facts: 1 });
  });

  test('is blocked by a lock a delivery is answered with 503 in time, and its redelivery is stored once', async () => {
    const { sql } = tables.another();
    await sql.begin(async (tx) => {
      await tx`lock table deliveries in access exclusive mode`;
      await unavailable('d1');
    });
    await taken(labeled(), 'd1');
    expect(await factsOf(tables.db, 7)).toHaveLength(1);
    expect(await tables.db.select().from(deliveries).where(eq(deliveries.id, 'd1'))).toHaveLength(1);
  });

  test('is unreachable the failure is reported', async () => {
    const results: unknown[] = [];
    const errors: unknown[] = [];
    const reporting = prompt(connection.db, {
      onResult: (one) => results.push(one),
      onError: (one) => errors.push(one),
    });
    proxy.cut();
    await send(reporting, labeled());
    expect(results).toEqual([{ event: 'issues', result: 'unavailable' }]);
    expect(errors).toHaveLength(1);
  });

  test('is stopped a delivery is answered with 503 in time', async () => {
    const database = await startTestDatabase();
    const own = connect(database.url, { name: 'test of a database that stops', statementTimeoutMs: 1000 });
    app = prompt(own.db);
    await bind(own.db);
    await taken(labeled(), 'before');
    await database.stop();
    await unavailable('d1');
    await own.close();
  });
});
