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

/** A tenth of what a server gives itself: `createIntake` has it from whoever makes one. */
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

  /** A webhook that gives up in time, as that of a server does. */
  function prompt(db: Database, options: Partial<WebhookOptions> = {}): Hono {
    return webhook({ intake: createIntake(db, COMMIT_MS), ...options });
  }

  /** Sends a delivery as often as it takes until it is kept. */
  async function taken(body: object, id: string): Promise<void> {
    await expect.poll(async () => (await send(app, body, { id })).status, { timeout: 60_000 }).toBeLessThan(300);
  }

  /**
   * Sends a delivery, which fails within its limit and a moment: a tenth of the five seconds that GitHub is promised. Turns of a
   * timer are counted and no time: what holds up this whole process is no fault of the webhook.
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
  ])('%s a delivery is answered with 503 in time, and nothing is half-done', async (_what, fail) => {
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

  test('is held up by somebody else a delivery is answered with 503 in time, and the next one finds what became of it', async () => {
    const { sql } = tables.another();
    await sql.begin(async (tx) => {
      await tx`lock table deliveries in access exclusive mode`;
      await unavailable('d1');
    });
    await taken(labeled(), 'd1');
    expect(await factsOf(tables.db, 7)).toHaveLength(1);
    expect(await tables.db.select().from(deliveries).where(eq(deliveries.id, 'd1'))).toHaveLength(1);
  });

  test('is away the failure is reported', async () => {
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
