import { once } from 'node:events';
import type { Server } from 'node:http';
import { connect as connectSocket, type AddressInfo } from 'node:net';
import { createAdaptorServer } from '@hono/node-server';
import { Hono } from 'hono';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { createLive, type Feed, type Live, type LiveOptions } from '../../../ingress/live/live.ts';
import { announce } from '../../../src/store/connection/changes.ts';
import { connect, type Connection } from '../../../src/store/connection/database.ts';
import { startTestDatabase, type TestDatabase } from '../../support/postgres.ts';
import { readEvents } from '../dashboard/support/events.ts';

const PATIENCE = { timeout: 60_000 };
let database: TestDatabase;
let connection: Connection;
let live: Live | undefined;
const errors: unknown[] = [];

beforeAll(async () => {
  database = await startTestDatabase();
  connection = connect(database.url, { name: 'test' });
});
afterAll(async () => {
  await connection?.close();
  await database?.stop();
});
afterEach(async () => {
  await live?.close();
  errors.length = 0;
});

function start(options: Partial<LiveOptions> = {}): Live {
  live = createLive({ sql: connection.sql, onError: (error) => errors.push(error), ...options });
  return live;
}

/** Says how often it was asked. */
function counting(overrides: Partial<Feed> = {}): Feed {
  let count = 0;
  return {
    concerns: () => true,
    async write(stream) {
      count += 1;
      stream.send({ event: 'asked', data: String(count) });
      return 'open';
    },
    ...overrides,
  };
}

function answer(of: Live, feed: Feed): Promise<Response> {
  const app = new Hono();
  app.get('/', (c) => of.stream(c, feed));
  return Promise.resolve(app.request('/'));
}

/** Announces a change until the listener, which starts by itself, has told of it. */
async function announceUntil(told: () => Promise<unknown>): Promise<void> {
  const again = setInterval(() => void announce(connection.db, { kind: 'issue', key: 'i' }).catch(() => undefined), 50);
  try {
    await told();
  } finally {
    clearInterval(again);
  }
}

describe('a stream', () => {
  test('is written to at its start', async () => {
    const events = readEvents(await answer(start(), counting()));
    expect(await events.next()).toEqual({ event: 'asked', data: '1', id: undefined });
  });

  test('is written to again when something changes', async () => {
    const events = readEvents(await answer(start(), counting()));
    await events.next();
    await announceUntil(async () => expect(await events.next()).toMatchObject({ data: '2' }));
  });

  test('receives only what concerns it', async () => {
    const seen: string[] = [];
    const feed = counting({
      concerns: ({ key }) => {
        seen.push(key);
        return false;
      },
    });
    const events = readEvents(await answer(start(), feed));
    await events.next();
    await announceUntil(() => expect.poll(() => seen, PATIENCE).toContain('i'));
    await live?.close();
    expect(await events.next()).toBeUndefined();
  });

  test('beats, and looks again by itself at each beat, should a hint be lost', async () => {
    const events = readEvents(await answer(start({ heartbeatMs: 20 }), counting({ concerns: () => false })));
    await events.next();
    await events.next();
    expect(events.raw()).toContain(': still here\n\n');
  });

  test('tells the browser when to come back', async () => {
    const events = readEvents(await answer(start(), counting()));
    await events.next();
    expect(events.raw()).toMatch(/^retry: \d+\n\n/);
  });

  test('ends when its feed is over', async () => {
    const feed = counting({ write: async () => 'over' });
    expect(await readEvents(await answer(start(), feed)).next()).toBeUndefined();
  });

  test('ends when the tables cannot be read, so that the browser comes back', async () => {
    const feed = counting({ write: async () => Promise.reject(new Error('database away')) });
    expect(await readEvents(await answer(start(), feed)).next()).toBeUndefined();
    expect(errors).toMatchObject([{ message: 'database away' }]);
  });

  test('gives its place back when the browser leaves', async () => {
    const of = start();
    const events = readEvents(await answer(of, counting()));
    await events.next();
    await events.leave();
    await expect.poll(() => of.open(), PATIENCE).toBe(0);
  });

  test('is refused when there are too many', async () => {
    const of = start({ maxStreams: 1 });
    await answer(of, counting());
    const refused = await answer(of, counting());
    expect([refused.status, refused.headers.get('retry-after'), await refused.json()]).toMatchObject([
      429,
      '10',
      { code: 'resource_exhausted' },
    ]);
  });

  test('goes on after the connection that listens was cut', async () => {
    const events = readEvents(await answer(start(), counting()));
    await events.next();
    await announceUntil(() => events.next());
    const cut = await connection.sql`
      select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and query ilike 'listen%'`;
    expect(cut).not.toHaveLength(0);
    await announceUntil(() => events.next());
  });
});

describe('a reader who does not read', () => {
  const servers: Server[] = [];
  afterEach(() => {
    for (const server of servers.splice(0)) server.closeAllConnections();
  });

  test('is given up when too much waits', async () => {
    const of = start({ maxBufferedBytes: 64 * 1024, heartbeatMs: 60_000 });
    const began = Promise.withResolvers<void>();
    const chatty = counting({
      async write(stream) {
        began.resolve();
        while (!stream.isClosed()) {
          stream.send({ event: 'more', data: 'x'.repeat(8192) });
          await new Promise((resolve) => setImmediate(resolve));
        }
        return 'open';
      },
    });
    const app = new Hono();
    app.get('/', (c) => of.stream(c, chatty));
    const server = createAdaptorServer({ fetch: app.fetch }) as Server;
    server.listen(0, '127.0.0.1');
    servers.push(server);
    await once(server, 'listening');
    const socket = connectSocket((server.address() as AddressInfo).port, '127.0.0.1');
    socket.on('error', () => undefined);
    socket.pause();
    socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    await began.promise;
    await expect.poll(() => of.open(), PATIENCE).toBe(0);
    socket.resume();
    await once(socket, 'close');
  });

  test('is waited for by a feed that has much to say', async () => {
    const order: string[] = [];
    const patient = counting({
      async write(stream) {
        stream.send({ event: 'much', data: 'x'.repeat(60_000) });
        order.push('said');
        await stream.room();
        order.push('went on');
        return 'over';
      },
    });
    const response = await answer(start({ maxBufferedBytes: 64 * 1024 }), patient);
    await expect.poll(() => order, PATIENCE).toEqual(['said']);
    await readEvents(response).until('much');
    await expect.poll(() => order, PATIENCE).toEqual(['said', 'went on']);
  });
});
