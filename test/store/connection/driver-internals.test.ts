/** postgres.js works inside as src/store/connection/driver-internals.ts takes it to. Each failure names what has changed. */
import { once } from 'node:events';
import { createServer, connect, type AddressInfo, type Server, type Socket } from 'node:net';
import postgres from 'postgres';
import { afterEach, beforeEach, expect, test } from 'vitest';
import {
  abandonQuery,
  arrayTypes,
  poolOptions,
  shareTypes,
  watchQuery,
  type Address,
  type Query,
} from '../../../src/store/connection/driver-internals.ts';

const CHANGED = 'postgres.js has changed inside: see src/store/connection/driver-internals.ts before updating it';

/** AuthenticationOk and ReadyForQuery of Postgres' protocol. */
const READY = Buffer.from([82, 0, 0, 0, 8, 0, 0, 0, 0, 90, 0, 0, 0, 5, 73]);

/** A server that lets clients connect and says nothing. */
let server: Server;
let sql: postgres.Sql;
let asked: Address[];
let closed: PromiseWithResolvers<void>;

beforeEach(async () => {
  server = createServer((socket) => socket.on('error', () => undefined));
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  asked = [];
  closed = Promise.withResolvers();
  sql = postgres(
    `postgres://nobody@127.0.0.1:${port}/nothing`,
    poolOptions(
      { max: 1, connect_timeout: 60, fetch_types: false },
      {
        socket(address) {
          asked.push(address);
          const socket = connect(port, '127.0.0.1');
          return Object.assign(socket, { host: '127.0.0.1', port });
        },
        onclose: closed.resolve,
      },
    ),
  );
});
afterEach(async () => {
  await sql.end({ timeout: 0 });
  server.close();
});

const query = (): Query => sql`select 1` as unknown as Query;

test('a query has the parts by which it is watched', () => {
  const { handler, resolve, reject, cancelled } = query();
  expect([typeof handler, typeof resolve, typeof reject, cancelled], CHANGED).toEqual([
    'function',
    'function',
    'function',
    null,
  ]);
});

test('a query is passed to its watcher before it is sent', async () => {
  const watched = watchQuery(query(), {
    sending: () => abandonQuery(watched, new Error('not sent')),
    answered: () => undefined,
    failed: () => undefined,
  });
  await expect(watched, CHANGED).rejects.toThrow('not sent');
  expect(asked, CHANGED).toEqual([]);
});

test('a query that is sent asks the option for a socket, and gets its failure', async () => {
  const failures: unknown[] = [];
  const watched = watchQuery(query(), {
    sending: (send) => send(),
    answered: () => undefined,
    failed: (error) => failures.push(error),
  });
  const result = watched.execute();
  await expect.poll(() => asked, { message: CHANGED }).toMatchObject([{ host: ['127.0.0.1'], path: false }]);
  abandonQuery(watched, new Error('given up'));
  await expect(result, CHANGED).rejects.toThrow('given up');
  expect(failures.length, CHANGED).toBeGreaterThan(0);
});

test('a connection that was closed calls back', async () => {
  void query()
    .execute()
    .catch(() => undefined);
  const [socket] = (await once(server, 'connection')) as [Socket];
  await once(socket, 'data');
  socket.write(READY);
  await once(socket, 'data');
  socket.destroy();
  await closed.promise;
});

test('a pool keeps the array types that it has learned where another can be given them', () => {
  const other = postgres('postgres://nobody@127.0.0.1:1/nothing');
  Object.assign(arrayTypes(sql), { 25: 1009 });
  shareTypes(sql, other);
  expect(arrayTypes(other), CHANGED).toMatchObject({ 25: 1009 });
});
