/** Transactions when their connection is lost (src/store/connection/sessions.ts), on a real Postgres behind a proxy. */
import { sql } from 'drizzle-orm';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { connect, type Connection } from '../../../src/store/connection/database.ts';
import { startProxy, type Proxy } from '../../support/proxy.ts';
import { useTables } from '../../support/tables.ts';

const PATIENCE = { timeout: 60_000 };
const tables = useTables();
let proxy: Proxy;
let connection: Connection;
let uncaught: unknown[];
const catchUncaught = (error: unknown): void => void uncaught.push(error);

beforeEach(async () => {
  uncaught = [];
  process.on('uncaughtException', catchUncaught);
  proxy = await startProxy(tables.url);
  connection = open(20_000);
  await endFromServer();
  await tables.db.execute(sql`drop table if exists marks`);
  await tables.db.execute(sql`create table marks (name text)`);
});
afterEach(async () => {
  proxy.open();
  await connection.close();
  await proxy.close();
  process.removeListener('uncaughtException', catchUncaught);
  expect(uncaught).toEqual([]);
});

function open(statementTimeoutMs: number): Connection {
  return connect(proxy.url, { name: 'test of sessions', max: 2, statementTimeoutMs });
}

async function marks(): Promise<string[]> {
  const rows = await tables.db.execute<{ name: string }>(sql`select name from marks order by name`);
  return rows.map(({ name }) => name);
}

/** Ends every connection of the pool on the server's side. */
async function endFromServer(): Promise<void> {
  await tables.db.execute(sql`
    select pg_terminate_backend(pid) from pg_stat_activity
    where application_name = 'codex-k8s test of sessions' and datname = current_database() and pid <> pg_backend_pid()`);
}

/** Whether statements and transactions work, on each connection. */
async function works(): Promise<void> {
  for (let n = 0; n < 6; n += 1) {
    const one = await connection.sql<{ one: number }[]>`select 1 as one`;
    const two = await connection.sql.begin((tx) => tx<{ one: number }[]>`select 1 as one`);
    expect([one[0], two[0]]).toEqual([{ one: 1 }, { one: 1 }]);
  }
}

const LOSSES: [string, () => unknown][] = [
  ['is cut', () => proxy.cut()],
  ['is ended by the server', endFromServer],
];

describe.each(LOSSES)('a connection that %s', (_how, lose) => {
  test('between two statements fails the transaction, and nothing else', async () => {
    const lost = connection.sql.begin(async (tx) => {
      await tx`insert into marks values ('before')`;
      await lose();
      await new Promise((resolve) => {
        setTimeout(resolve, 300);
      });
      await tx`insert into marks values ('after')`;
    });
    await expect(lost).rejects.toBeInstanceOf(Error);
    proxy.open();
    await expect.poll(() => works().then(() => 'works'), PATIENCE).toBe('works');
    expect(await marks()).toEqual([]);
  });

  test('while a statement runs fails the transaction, and nothing else', async () => {
    const lost = connection.db.transaction(async (tx) => {
      await tx.execute(sql`insert into marks values ('before')`);
      setTimeout(() => void lose(), 200);
      await tx.execute(sql`select pg_sleep(15)`);
    });
    await expect(lost).rejects.toBeInstanceOf(Error);
    proxy.open();
    await expect.poll(() => works().then(() => 'works'), PATIENCE).toBe('works');
    expect(await marks()).toEqual([]);
  });

  test('lets no later statement of its transaction into the next one', async () => {
    let goOn = (): void => {};
    const held = new Promise<void>((resolve) => {
      goOn = resolve;
    });
    const stray: unknown[] = [];
    const lost = connection.sql.begin(async (tx) => {
      await tx`insert into marks values ('lost')`;
      await lose();
      await held;
      await tx`insert into marks values ('stray')`.catch((error: unknown) => stray.push(error));
    });
    await expect(lost).rejects.toBeInstanceOf(Error);
    proxy.open();
    await expect.poll(() => connection.sql.begin((tx) => tx`select 1`).then(() => 'works'), PATIENCE).toBe('works');
    await connection.sql.begin(async (tx) => {
      await tx`insert into marks values ('next')`;
      goOn();
      await expect.poll(() => stray, PATIENCE).toHaveLength(1);
    });
    expect(await marks()).toEqual(['next']);
  });
});

describe('a connection that falls silent', () => {
  beforeEach(async () => {
    await connection.close();
    connection = open(1500);
  });

  test('is closed, and its slot in the pool is free again', async () => {
    await works();
    proxy.silence();
    const given = await Promise.allSettled([
      connection.sql`select 1`,
      connection.sql`select 1`,
      connection.sql.begin((tx) => tx`select 1`),
      connection.sql.begin((tx) => tx`select 1`),
    ]);
    expect(given.map(({ status }) => status)).toEqual(Array(4).fill('rejected'));
    proxy.open();
    await expect.poll(() => works().then(() => 'works'), PATIENCE).toBe('works');
  });

  test('in a transaction holds its locks no longer than the statement limit', async () => {
    await tables.db.execute(sql`insert into marks values ('one')`);
    const silent = Promise.withResolvers<void>();
    const lost = connection.sql.begin(async (tx) => {
      await tx`update marks set name = 'two'`;
      proxy.silence();
      silent.resolve();
      await tx`update marks set name = 'three'`;
    });
    await Promise.race([silent.promise, lost]);
    const updated = tables.db.transaction(async (tx) => {
      await tx.execute(sql`set local lock_timeout = 0`);
      expect(await marks()).toEqual(['one']);
      await tx.execute(sql`update marks set name = 'four'`);
    });
    await expect(lost).rejects.toBeInstanceOf(Error);
    await updated;
    expect(await marks()).toEqual(['four']);
  });
});

describe('a transaction', () => {
  test('whose statement fails is rolled back, whatever is done with the error', async () => {
    const failed = connection.sql.begin(async (tx) => {
      await tx`insert into marks values ('one')`;
      await tx`select 1 / 0`.catch(() => undefined);
    });
    await expect(failed).rejects.toThrow('division by zero');
    expect(await marks()).toEqual([]);
    await works();
  });

  test('that throws is rolled back', async () => {
    const failed = connection.sql.begin(async (tx) => {
      await tx`insert into marks values ('one')`;
      throw new Error('on purpose');
    });
    await expect(failed).rejects.toThrow('on purpose');
    expect(await marks()).toEqual([]);
    await works();
  });

  test('takes options', async () => {
    const level = await connection.sql.begin('isolation level serializable', async (tx) => {
      const [row] = await tx<{ transaction_isolation: string }[]>`show transaction_isolation`;
      return row?.transaction_isolation;
    });
    expect(level).toBe('serializable');
  });

  test('runs beside others, as many as there are connections, and the rest wait', async () => {
    let most = 0;
    let running = 0;
    await Promise.all(
      Array.from({ length: 10 }, () =>
        connection.sql.begin(async (tx) => {
          running += 1;
          most = Math.max(most, running);
          await tx`select pg_sleep(0.02)`;
          // One connection may be there long before the other.
          await expect.poll(() => most, PATIENCE).toBeGreaterThan(1);
          running -= 1;
        }),
      ),
    );
    expect(most).toBe(2);
  });
});
