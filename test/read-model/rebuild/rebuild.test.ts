import * as fc from 'fast-check';
import { sql } from 'drizzle-orm';
import type postgres from 'postgres';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { mirrorDefinitions } from '../../../src/cli/histories/rebuild.ts';
import { verifyAuditTrail } from '../../../src/read-model/audit/audit.ts';
import { driverOf } from '../../../src/store/connection/database.ts';
import { appendEvents } from '../../../src/store/audit/events.ts';
import { RebuildRefused, rebuildReadModel, type RebuildReport } from '../../../src/read-model/rebuild/rebuild.ts';
import { MIRRORED } from '../../../src/read-model/rebuild/stage.ts';
import { migrateDatabase } from '../../../src/store/connection/migrate.ts';
import { keyOf, useTables } from '../../support/tables.ts';
import { createRecordedWorld, rebuildPool, runIdOf, type Fate, type RecordedWorld } from '../support/recorded-world.ts';

const tables = useTables();
const KEY = keyOf(7);
let world: RecordedWorld;
let pool: postgres.Sql;
let definitions: Awaited<ReturnType<typeof mirrorDefinitions>>;

beforeAll(async () => {
  pool = rebuildPool(tables.url);
  definitions = await mirrorDefinitions();
});
afterAll(async () => pool?.end({ timeout: 1 }));
beforeEach(clear);

async function clear(): Promise<void> {
  await tables.clear();
  await run('delete from issues; delete from runs');
  world = createRecordedWorld(tables.db);
}

const run = async (statement: string): Promise<void> => void (await pool.unsafe(statement));
const rebuild = (): Promise<RebuildReport> => rebuildReadModel(pool, { histories: world.histories, definitions });

/** All rows of the mirror, as text. */
async function mirror(): Promise<string> {
  const rows = await Promise.all(
    MIRRORED.map((table) => pool.unsafe(`select to_jsonb(t)::text as row from ${table} t order by 1`)),
  );
  return JSON.stringify(rows);
}

async function isSound(): Promise<boolean> {
  const { problems } = await verifyAuditTrail(driverOf(tables.db), {
    histories: world.histories,
    onProblem: () => {},
  });
  return problems === 0;
}

/** Two issues with runs, and deliveries of the platform. */
async function tell(): Promise<void> {
  await world.delivery('d1', 7);
  await world.issue(7, 2);
  await world.run(7, 1);
  await world.delivery('d2', 7);
  await world.delivery('d3', null);
  await world.issue(8, 1);
  await world.run(7, 1, 2);
  await world.issue(7, 0);
}

describe('a rebuild', () => {
  test('changes nothing of a mirror that is right', async () => {
    await tell();
    const before = await mirror();
    const report = await rebuild();
    expect(report).toMatchObject({ changed: false, leftOut: [], unexplained: [] });
    for (const table of MIRRORED) expect(report.tables[table].after).toEqual(report.tables[table].before);
    expect(await mirror()).toBe(before);
  });

  test.each([
    ['emptied', 'truncate flow_events, issues, runs'],
    ['dropped', 'drop table flow_events, issues, runs'],
    ['dropped in part', 'drop table flow_events; delete from runs'],
    [
      'changed',
      `update flow_events set payload = '{"a":1}'; update runs set status = 'failed'; update issues set title = 'x'`,
    ],
    ['cut short', `delete from flow_events where seq > 2`],
    ['mixed up', `update flow_events set seq = 1000 - seq`],
    [
      'put into one chain',
      `update flow_events set chain = '${KEY}', seq = seq + 100 * length(chain) where chain <> '${KEY}'`,
    ],
  ])('makes a mirror again that was %s', async (_how, statement) => {
    await tell();
    const before = await mirror();
    const untouched = (await rebuild()).tables;
    await run(statement);
    const report = await rebuild();
    expect(report.changed).toBe(true);
    for (const table of MIRRORED) expect(report.tables[table].after).toEqual(untouched[table].after);
    expect(await mirror()).toBe(before);
    expect(await isSound()).toBe(true);
  });

  test('makes tables again that are those of the migrations, and leaves nothing else behind', async () => {
    const shape = () =>
      pool.unsafe(`
      select table_name, column_name, data_type, is_nullable, column_default from information_schema.columns
      where table_schema = 'public' union all
      select tablename, indexname, indexdef, '', '' from pg_indexes where schemaname = 'public' union all
      select nspname, '', '', '', '' from pg_namespace where nspname not like 'pg_t%' order by 1, 2`);
    await migrateDatabase(tables.url);
    const before = JSON.stringify(await shape());
    await run('drop table flow_events, issues, runs');
    await rebuild();
    expect(JSON.stringify(await shape())).toBe(before);
  });

  test('is refused, and changes nothing, when an event does not have the hash that is remembered', async () => {
    await tell();
    const [first] = world.writes;
    Object.assign(first!.links![1]!, { hash: 'f'.repeat(64) });
    await run(`update flow_events set payload = '{}'; delete from runs`);
    const before = await mirror();
    const refused = await rebuild().catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(RebuildRefused);
    expect((refused as RebuildRefused).problems).toEqual([expect.objectContaining({ chain: KEY, seq: 3 })]);
    expect(await mirror()).toBe(before);
  });

  test('is refused, and makes no table, when a place is remembered twice', async () => {
    await tell();
    await run('drop table flow_events');
    await run(`update deliveries set event_seq = 2 where id = 'd2'`);
    await expect(rebuild()).rejects.toThrow(RebuildRefused);
    await expect(pool`select from flow_events`).rejects.toThrow('does not exist');
    await run('drop table issues, runs');
    await run(`update deliveries set event_seq = 5 where id = 'd2'`);
    await rebuild();
  });

  test('is refused where a gap is left that nothing can fill', async () => {
    await tell();
    world.forget(`run:${runIdOf(1)}`);
    await run(`delete from flow_events where id like 'run:%'`);
    const refused = (await rebuild().catch((error: unknown) => error)) as RebuildRefused;
    expect(refused.problems).toEqual([
      { chain: KEY, seq: 4, id: null, detail: 'no history, delivery or row has an event for this position' },
    ]);
  });

  test('carries over what Temporal has dropped, and says so', async () => {
    await tell();
    world.forget(`run:${runIdOf(1)}`);
    const before = await mirror();
    expect(await rebuild()).toMatchObject({ changed: false, carriedOver: { flow_events: 3, runs: 1, issues: 0 } });
    expect(await mirror()).toBe(before);
  });

  test('is refused where what it would carry over was changed', async () => {
    await tell();
    world.forget(`run:${runIdOf(1)}`);
    await run(`update flow_events set actor_id = 'mallory' where id like 'run:%'`);
    await expect(rebuild()).rejects.toThrow(RebuildRefused);
  });

  test('leaves out what nothing wrote', async () => {
    await tell();
    const before = await mirror();
    await run(`
      insert into flow_events select 'run:${runIdOf(1)}:99', chain, 99, type, actor_type, actor_id, run_id,
        correlation_id, payload, occurred_at, previous_hash, hash from flow_events where chain = '${KEY}' and seq = 2;
      insert into runs select (jsonb_populate_record(r, '{"id":"${runIdOf(9)}"}')).* from runs r;
      update runs set revision = 99, status = 'succeeded' where id = '${runIdOf(1)}'`);
    const report = await rebuild();
    expect(report.leftOut).toEqual([
      { table: 'flow_events', id: `run:${runIdOf(1)}:99` },
      { table: 'runs', id: `${runIdOf(1)} at 99` },
      { table: 'runs', id: `${runIdOf(9)} at 2` },
    ]);
    expect(await mirror()).toBe(before);
  });

  test('keeps a row that nothing should have written when later events were built upon it, and says so', async () => {
    await tell();
    const [event] = await world.issue(7);
    await appendEvents(tables.db, [{ ...event!, id: 'anything' }]);
    await world.issue(7);
    const before = await mirror();
    expect(await rebuild()).toMatchObject({ changed: false, unexplained: ['anything'], leftOut: [] });
    expect(await mirror()).toBe(before);
    expect(await isSound()).toBe(false);
  });

  test('reads no more than one rebuild at a time', async () => {
    await tell();
    const reads = Promise.withResolvers<void>();
    const refused = Promise.withResolvers<void>();
    const slow = {
      ...world.histories,
      async read(chain: string) {
        reads.resolve();
        await refused.promise;
        return world.histories.read(chain);
      },
    };
    const first = rebuildReadModel(pool, { histories: slow, definitions });
    await Promise.race([reads.promise, first]);
    await expect(rebuild().finally(refused.resolve)).rejects.toThrow('another read-model rebuild is running');
    expect((await first).changed).toBe(false);
  });
});

describe('what a worker was in the middle of', () => {
  test.each<[string, string]>([
    ['with the tables there', 'select'],
    ['with the tables gone', 'drop table flow_events, issues, runs'],
  ])('is kept when it was written and not reported, %s', async (_how, statement) => {
    await tell();
    await world.run(7, 1, 2, 'unreported');
    const before = await mirror();
    await run(statement);
    await rebuild();
    expect(await mirror()).toBe(before);
  });

  test('is left to the worker when it was not done', async () => {
    await tell();
    await world.run(7, 1, 2, 'not_done');
    const before = await mirror();
    expect((await rebuild()).changed).toBe(false);
    await world.again();
    expect(await mirror()).not.toBe(before);
    expect(await isSound()).toBe(true);
  });

  test('stands where it stood, between events that were reported, whatever the order', async () => {
    await world.issue(7);
    await world.run(7, 1, 2, 'unreported');
    await world.issue(7, 1, 'unreported');
    await world.run(7, 2, 1, 'given_up');
    await world.issue(7);
    world.writes.reverse();
    const before = await mirror();
    await run('drop table flow_events, issues; delete from runs where id = $$00000000-0000-4000-8000-000000000001$$');
    await rebuild();
    expect(await mirror()).toBe(before);
  });

  test('is made again when the table changed it', async () => {
    await tell();
    await world.run(7, 1, 1, 'unreported');
    const before = await mirror();
    await run(`update flow_events set payload = '{"a":1}' where id like 'run:%'`);
    await rebuild();
    expect(await mirror()).toBe(before);
  });
});

describe('a rebuild while others write', () => {
  test('loses nothing', async () => {
    await tell();
    let writing = true;
    let n = 0;
    const write = async (): Promise<void> => {
      for (; writing; n += 1) {
        await world.issue(7 + (n % 5));
        await world.run(7 + (n % 5), 20 + (n % 5));
        await world.delivery(`more ${n}`, n % 2 ? 7 : null);
      }
    };
    const written = write();
    for (let times = 0; times < 5; times += 1) {
      const report = await rebuild();
      expect(report).toMatchObject({ leftOut: [], unexplained: [] });
      await expect.poll(() => n).toBeGreaterThan(3 * times);
    }
    writing = false;
    await written;
    expect(await isSound()).toBe(true);
    expect((await rebuild()).changed).toBe(false);
  }, 300_000);

  test('waits for a writer that is about to write behind the end of a chain', async () => {
    await tell();
    await run(
      `delete from flow_events where chain = '${KEY}' and seq = (select max(seq) from flow_events where chain = '${KEY}')`,
    );
    let rebuilding: Promise<RebuildReport> | undefined;
    await pool.begin(async (tx) => {
      await tx`select seq from flow_events where chain = ${KEY} order by seq desc limit 1`;
      rebuilding = rebuild();
      await expect
        .poll(
          () =>
            tables.db.execute(sql`
              select from pg_locks join pg_database d on d.oid = database
              where datname = current_database() and mode = 'AccessExclusiveLock' and not granted`),
          { timeout: 60_000 },
        )
        .not.toHaveLength(0);
    });
    expect((await rebuilding)?.changed).toBe(true);
  });
});

/** docs/reliability.md T53: whatever is written in whatever order, and however it is lost, it is made again the same. */
test('a mirror is a function of the histories and the deliveries', async () => {
  const issue = fc.constantFrom(7, 8, 9);
  const fate = fc.constantFrom<Fate>('written', 'written', 'written', 'unreported');
  const step = fc.oneof(
    fc.record({ kind: fc.constant('issue' as const), issue, events: fc.nat(3), fate, twice: fc.boolean() }),
    fc.record({ kind: fc.constant('run' as const), issue, events: fc.nat(3), fate, twice: fc.boolean() }),
    fc.record({ kind: fc.constant('delivery' as const), issue: fc.option(issue) }),
  );
  const loss = fc.constantFrom(
    'drop table flow_events, issues, runs',
    'truncate flow_events',
    'truncate issues, runs',
    'delete from flow_events where seq % 2 = 0',
    `update flow_events set seq = 500 - seq`,
    `update flow_events set payload = '{}'; update runs set revision = revision + 5; update issues set updated_at = now()`,
    'select',
  );
  let n = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 25 }), loss, async (steps, statement) => {
      await clear();
      for (const one of steps) {
        if (one.kind === 'delivery') await world.delivery(`d${(n += 1)}`, one.issue);
        // Where nothing but the removed row says that it was written, the worker writes it again.
        const fates: Fate = one.kind !== 'delivery' && !statement.startsWith('delete') ? one.fate : 'written';
        if (one.kind === 'issue') await world.issue(one.issue, one.events, fates);
        if (one.kind === 'run') await world.run(one.issue, one.issue, one.events, fates);
        if (one.kind !== 'delivery' && one.twice) await world.again();
      }
      const before = await mirror();
      await run(statement);
      await rebuild();
      expect(await mirror()).toBe(before);
      expect((await rebuild()).changed).toBe(false);
      expect(await isSound()).toBe(true);
    }),
    {
      numRuns: 25,
      examples: [
        // A row that says of itself where it stands, after its place was found already.
        [
          [
            { kind: 'issue', issue: 7, events: 1, fate: 'unreported', twice: false },
            { kind: 'issue', issue: 7, events: 1, fate: 'written', twice: false },
          ],
          'update flow_events set seq = 500 - seq',
        ],
      ],
    },
  );
}, 300_000);
