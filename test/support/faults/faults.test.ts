import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { sql } from 'drizzle-orm';
import { connect, type Connection } from '../../../src/store/connection/database.ts';
import { startTestDatabase, type TestDatabase } from '../postgres.ts';
import { FAULT_KINDS, faultPlan, faultsAround, withFaults, type FaultKind, type FaultyPort } from './faults.ts';
import { withStatementFaults } from './postgres.ts';

const fail = (kind: FaultKind): Error => new Error(kind);

/** A port with one kind of fault, at every call. */
const always = (kind: FaultKind, more: Partial<FaultyPort> = {}): FaultyPort => ({
  name: 'port',
  seed: 1,
  rates: { [kind]: 1 },
  fail,
  ...more,
});

describe('a plan', () => {
  test('has a seed and a rate, and all kinds or one', () => {
    expect(faultPlan('seed=42,rate=0.01')).toEqual({ seed: 42, rate: 0.01, kinds: FAULT_KINDS });
    expect(faultPlan('seed=1,rate=0.2,kind=slow').kinds).toEqual(['slow']);
  });

  test.each([
    '',
    '1',
    'seed=42',
    'rate=0.01',
    'seed=42,rate=1',
    'seed=42,rate=0.5',
    'seed=-1,rate=0.01',
    'seed=1,rate=0.1,kind=none',
  ])('“%s” is none', (text) => {
    expect(() => faultPlan(text)).toThrow(/is not like seed=42/);
  });
});

describe('a port with faults', () => {
  const work = async (calls: string[], what: string): Promise<string> => {
    calls.push(what);
    return `did ${what}`;
  };

  test.each<[FaultKind, string[], string]>([
    ['error_before', [], 'error_before'],
    ['timeout_before', [], 'timeout_before'],
    ['execute_and_timeout', ['it'], 'execute_and_timeout'],
    ['429_with_retry_after', [], '429_with_retry_after'],
    ['5xx', [], '5xx'],
    ['slow', ['it'], 'did it'],
  ])('%s: the work is done or not, and the caller told so or not', async (kind, done, told) => {
    const calls: string[] = [];
    const port = withFaults({ work: (what: string) => work(calls, what) }, always(kind));
    expect(await port.work('it').catch((error: Error) => error.message)).toBe(told);
    expect(calls).toEqual(done);
  });

  async function faultsOf(seed: number, name = 'port', times = 300): Promise<string[]> {
    const faults: string[] = [];
    const rates = { error_before: 0.05, execute_and_timeout: 0.05, '5xx': 0.05 };
    const onFault = (kind: FaultKind, call: string): number => faults.push(`${kind} ${call}`);
    const port = withFaults(
      { one: () => Promise.resolve(1), other: () => Promise.resolve(2) },
      { name, seed, rates, fail, onFault },
    );
    for (let time = 0; time < times; time += 1)
      await (time % 3 === 0 ? port.other() : port.one()).catch(() => undefined);
    return faults.map((fault) => fault.replace(`${name}.`, ''));
  }

  test('has the same faults at the same calls for the same seed', async () => {
    const faults = await faultsOf(42);
    expect(faults.length).toBeGreaterThan(20);
    expect(await faultsOf(42)).toEqual(faults);
  });

  test('has others for another seed, and for another name', async () => {
    const faults = await faultsOf(42);
    expect(await faultsOf(43)).not.toEqual(faults);
    expect(await faultsOf(42, 'other')).not.toEqual(faults);
  });

  test('has the faults of one method wherever the calls of another come between', async () => {
    const rates = { '5xx': 0.2 };
    const hits = async (between: () => Promise<unknown>): Promise<string[]> => {
      const faults: string[] = [];
      const around = faultsAround({ name: 'port', seed: 7, rates, fail, onFault: (_, call) => faults.push(call) });
      for (let time = 0; time < 50; time += 1) {
        await around('one', () => Promise.resolve()).catch(() => undefined);
        await around('other', between).catch(() => undefined);
      }
      return faults.filter((call) => call.startsWith('port.one#'));
    };
    expect(await hits(() => Promise.resolve())).toEqual(await hits(() => Promise.reject(new Error('no'))));
  });

  test('has each kind as often as it should', async () => {
    const counts = new Map<FaultKind, number>();
    const around = faultsAround({
      name: 'port',
      seed: 3,
      rates: Object.fromEntries(
        FAULT_KINDS.filter((kind) => !/slow|timeout_before/.test(kind)).map((kind) => [kind, 0.05]),
      ),
      fail,
      onFault: (kind) => counts.set(kind, (counts.get(kind) ?? 0) + 1),
    });
    for (let time = 0; time < 4000; time += 1) await around('work', () => Promise.resolve()).catch(() => undefined);
    for (const count of counts.values()) expect(count / 4000).toBeCloseTo(0.05, 1);
    expect(counts.size).toBe(4);
  });

  test('leaves what is no method alone', () => {
    expect(withFaults({ limit: 3 }, always('5xx'))).toEqual({ limit: 3 });
  });
});

describe('Postgres with faults', () => {
  let database: TestDatabase;
  let plain: Connection;

  beforeAll(async () => {
    database = await startTestDatabase();
    plain = connect(database.url, { name: 'test' });
    await plain.sql`create table things (name text)`;
  });
  afterAll(async () => {
    await plain?.close();
    await database?.stop();
  });
  beforeEach(async () => {
    await plain.sql`delete from things`;
  });

  const none = faultsAround({ name: 'none', seed: 1, rates: {}, fail });
  const names = async (): Promise<unknown[]> =>
    (await plain.sql`select name from things order by name`).map((row) => row['name']);

  async function withDatabase(
    kinds: { alone?: FaultKind; within?: FaultKind },
    act: (connection: Connection) => Promise<unknown>,
  ): Promise<unknown> {
    const alone = kinds.alone ? faultsAround(always(kinds.alone)) : none;
    const within = kinds.within ? faultsAround(always(kinds.within)) : none;
    const connection = connect(database.url, {
      name: 'faulty',
      around: (driver) => withStatementFaults(driver, { alone, within }),
    });
    try {
      return await act(connection).then(
        () => 'done',
        (error: Error) => (error.cause as Error | undefined)?.message ?? error.message,
      );
    } finally {
      await connection.close();
    }
  }

  const insert = ({ db }: Connection): Promise<unknown> => db.execute(sql`insert into things values ('one')`);
  const insertTwo = ({ db }: Connection): Promise<unknown> =>
    db.transaction(async (tx) => {
      await tx.execute(sql`insert into things values ('one')`);
      await tx.execute(sql`insert into things values ('two')`);
    });

  test('without a fault does what it is asked, in all ways of the driver', async () => {
    const did = await withDatabase({}, async ({ db, sql: driver }) => {
      await db.transaction(async (tx) => {
        await tx.execute(sql`insert into things values ('one')`);
        await tx.execute(sql`insert into things values ('two')`);
      });
      await driver.begin(async (tx) => tx`insert into ${tx('things')} ${tx([{ name: 'three' }])}`);
      const condition = driver`where name like ${'t%'}`;
      expect(await driver`select name from things ${condition} order by name`).toHaveLength(2);
      expect(await driver`select name from things order by name`.values()).toEqual([['one'], ['three'], ['two']]);
      expect(await driver.unsafe('select count(*)::int as n from things').values()).toEqual([[3]]);
    });
    expect(did).toBe('done');
  });

  test('an error before a statement leaves nothing', async () => {
    expect(await withDatabase({ alone: 'error_before' }, insert)).toBe('error_before');
    expect(await names()).toEqual([]);
  });

  test('a statement whose answer is lost is done, once', async () => {
    expect(await withDatabase({ alone: 'execute_and_timeout' }, insert)).toBe('execute_and_timeout');
    expect(await names()).toEqual(['one']);
  });

  test('a commit whose answer is lost is a commit', async () => {
    expect(await withDatabase({ alone: 'execute_and_timeout' }, insertTwo)).toBe('execute_and_timeout');
    expect(await names()).toEqual(['one', 'two']);
  });

  test('a statement that fails in a transaction takes the whole back', async () => {
    expect(await withDatabase({ within: 'execute_and_timeout' }, insertTwo)).toBe('execute_and_timeout');
    expect(await names()).toEqual([]);
  });

  test('a statement written with the driver itself fails too', async () => {
    const did = await withDatabase(
      { alone: 'error_before' },
      async ({ sql: driver }) => driver`insert into things values ('one')`,
    );
    expect(did).toBe('error_before');
    expect(await names()).toEqual([]);
  });
});
