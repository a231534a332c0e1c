import { sql } from 'drizzle-orm';
import { beforeEach, describe, expect, test } from 'vitest';
import { verifyAuditTrail, type AuditCounts, type AuditProblem } from '../../../src/read-model/audit/audit.ts';
import { driverOf } from '../../../src/store/connection/database.ts';
import { eventHash, type FlowEvent } from '../../../src/store/audit/events.ts';
import { flowEvents, issues, runs } from '../../../src/store/connection/schema.ts';
import { keyOf, useTables } from '../../support/tables.ts';
import { createRecordedWorld, runIdOf, type RecordedWorld } from '../support/recorded-world.ts';

const tables = useTables();
const KEY = keyOf(7);
let world: RecordedWorld;

/** Seven events of an issue: 1 delivery, 2 and 3 issue, 4 run, 5 delivery, 6 issue, 7 run; two of the platform. */
beforeEach(async () => {
  await tables.clear();
  await tables.db.delete(issues);
  await tables.db.delete(runs);
  world = createRecordedWorld(tables.db);
  await world.delivery('d1', 7);
  await world.issue(7, 2);
  await world.run(7, 1);
  await world.delivery('d2', 7);
  await world.issue(7);
  await world.run(7, 1);
  await world.delivery('d3', null);
  await world.delivery('d4', null);
  await world.issue(8);
});

async function verify(
  options: { chain?: string; withoutTemporal?: boolean } = {},
): Promise<{ counts: AuditCounts; found: string[]; problems: AuditProblem[] }> {
  const problems: AuditProblem[] = [];
  const counts = await verifyAuditTrail(driverOf(tables.db), {
    chain: options.chain,
    histories: options.withoutTemporal ? null : world.histories,
    onProblem: (problem) => problems.push(problem),
  });
  const found = problems.map(({ kind, chain, seq, id }) => `${kind} ${chain} ${seq} ${id}`).toSorted();
  return { counts, found, problems };
}

function idAt(seq: number, chain = KEY): string {
  const id = ids.get(`${chain} ${seq}`);
  if (id === undefined) throw new Error(`nothing at ${seq}`);
  return id;
}
let ids = new Map<string, string>();
beforeEach(async () => {
  const rows = await tables.db
    .select({ id: flowEvents.id, chain: flowEvents.chain, seq: flowEvents.seq })
    .from(flowEvents);
  ids = new Map(rows.map(({ id, chain, seq }) => [`${chain} ${seq}`, id]));
});

/** Writes rows anew from a place on, so that the chain is whole in itself again. */
async function rehash(from: number): Promise<void> {
  const rows = await tables.db
    .select()
    .from(flowEvents)
    .where(sql`chain = ${KEY}`)
    .orderBy(flowEvents.seq);
  let previousHash = rows.find(({ seq }) => seq === from - 1)?.hash ?? '0'.repeat(64);
  for (const { occurredAt, ...row } of rows.filter(({ seq }) => seq >= from)) {
    const event: FlowEvent = { ...row, occurredAt: occurredAt.toISOString() };
    const hash = eventHash(previousHash, row.seq, event);
    await tables.db
      .update(flowEvents)
      .set({ previousHash, hash })
      .where(sql`id = ${row.id}`);
    previousHash = hash;
  }
}

const run = (statement: ReturnType<typeof sql>): Promise<unknown> => tables.db.execute(statement);

describe('an audit trail', () => {
  test('that nobody touched is sound', async () => {
    const { counts, found } = await verify();
    expect(found).toEqual([]);
    expect(counts).toEqual({ chains: 3, events: 10, byHistories: 6, byDeliveries: 4, unanchored: 0, problems: 0 });
  });

  test('is sound without Temporal as well, and says what was not compared', async () => {
    const { counts, found } = await verify({ withoutTemporal: true });
    expect(found).toEqual([]);
    expect(counts).toMatchObject({ byHistories: 0, byDeliveries: 4, unanchored: 3 });
  });

  test('is sound while a worker is in the middle', async () => {
    await world.issue(7, 2, 'unreported');
    await world.run(7, 1, 1, 'not_done');
    expect((await verify()).found).toEqual([]);
  });

  test('is sound where Temporal has dropped histories, and says for how many events nothing vouches', async () => {
    world.forget(`run:${runIdOf(1)}`);
    const { counts, found } = await verify();
    expect(found).toEqual([]);
    expect(counts.unanchored).toBe(1);
  });

  test('can be verified for one issue', async () => {
    await run(sql`update flow_events set actor_id = 'mallory' where chain = ${keyOf(8)}`);
    expect((await verify({ chain: KEY })).counts).toMatchObject({ chains: 1, events: 7, problems: 0 });
  });

  test('is verified while events are appended to it', async () => {
    const histories = { ...world.histories };
    world.histories.read = async (chain) => {
      await world.issue(7);
      return histories.read(chain);
    };
    expect((await verify({ chain: KEY })).found).toEqual([]);
  });
});

describe('a row that was changed', () => {
  test.each<[string, ReturnType<typeof sql>]>([
    ['who did it', sql`update flow_events set actor_id = 'mallory' where chain = ${KEY} and seq = 3`],
    ['what it carries', sql`update flow_events set payload = payload || '{"a":1}' where chain = ${KEY} and seq = 3`],
    [
      'when it was',
      sql`update flow_events set occurred_at = occurred_at + interval '1 day' where chain = ${KEY} and seq = 3`,
    ],
    [
      'when it was, by a microsecond',
      sql`update flow_events set occurred_at = occurred_at + interval '1 microsecond' where chain = ${KEY} and seq = 3`,
    ],
    ['its hash', sql`update flow_events set hash = previous_hash where chain = ${KEY} and seq = 3`],
    ['what it follows', sql`update flow_events set previous_hash = hash where chain = ${KEY} and seq = 3`],
  ])('in %s is named', async (_what, statement) => {
    await run(statement);
    expect((await verify()).found).toEqual([`changed ${KEY} 3 ${idAt(3)}`]);
    expect((await verify({ withoutTemporal: true })).found).toEqual([`changed ${KEY} 3 ${idAt(3)}`]);
  });

  test('and hashed anew, with all after it, is named by Temporal and by the deliveries', async () => {
    await run(sql`update flow_events set actor_id = 'mallory' where chain = ${KEY} and seq = 2`);
    await rehash(2);
    const changed = [2, 3, 4, 5, 6, 7].map((seq) => `changed ${KEY} ${seq} ${idAt(seq)}`);
    expect((await verify()).found).toEqual(changed.toSorted());
    expect((await verify({ withoutTemporal: true })).found).toEqual([`changed ${KEY} 5 ${idAt(5)}`]);
  });

  test('and hashed anew, at the end of a chain whose activity was never reported, is named', async () => {
    const [event] = await world.issue(7, 1, 'unreported');
    await run(sql`update flow_events set actor_id = 'mallory' where chain = ${KEY} and seq = 8`);
    await rehash(8);
    expect((await verify()).found).toEqual([`changed ${KEY} 8 ${event?.id}`]);
  });

  test('and hashed anew alone, is named by the chain', async () => {
    await run(sql`update flow_events set actor_id = 'mallory' where chain = ${KEY} and seq = 3`);
    const [third] = await tables.db
      .select()
      .from(flowEvents)
      .where(sql`chain = ${KEY} and seq = 3`);
    const event = { ...third!, occurredAt: third!.occurredAt.toISOString() };
    await run(sql`update flow_events set hash = ${eventHash(third!.previousHash, 3, event)} where id = ${third!.id}`);
    expect((await verify({ withoutTemporal: true })).found).toEqual([`unlinked ${KEY} 4 ${idAt(4)}`]);
    expect((await verify()).found).toEqual([`changed ${KEY} 3 ${idAt(3)}`]);
  });
});

describe('a row that was removed', () => {
  test.each([1, 2, 4, 5])('from place %i is named', async (seq) => {
    await run(sql`delete from flow_events where chain = ${KEY} and seq = ${seq}`);
    expect((await verify()).found).toEqual([`removed ${KEY} ${seq} ${idAt(seq)}`]);
  });

  test('from the end of a chain is named', async () => {
    await run(sql`delete from flow_events where chain = ${KEY} and seq = 7`);
    expect((await verify()).found).toEqual([`removed ${KEY} 7 ${idAt(7)}`]);
  });

  test('from the end of the chain of the platform is named', async () => {
    await run(sql`delete from flow_events where chain = 'platform' and seq = 2`);
    expect((await verify({ withoutTemporal: true })).found).toEqual(['removed platform 2 webhook:d4']);
  });

  test('with its whole chain is named', async () => {
    await run(sql`delete from flow_events where chain = ${keyOf(8)}`);
    expect((await verify()).found).toEqual([`removed ${keyOf(8)} 1 ${idAt(1, keyOf(8))}`]);
  });

  test('is named by its position when no source knows it', async () => {
    await run(sql`delete from flow_events where chain = ${KEY} and seq in (2, 3, 6)`);
    expect((await verify({ withoutTemporal: true })).found).toEqual([`removed ${KEY} 2 null`, `removed ${KEY} 6 null`]);
  });
});

describe('a row that was inserted', () => {
  const insert = (id: string, seq: number) => sql`
    insert into flow_events select ${id}, chain, ${seq}, type, actor_type, 'mallory', run_id, correlation_id, payload,
      occurred_at, previous_hash, hash from flow_events where chain = ${KEY} and seq = 2`;

  test.each([`run:${runIdOf(1)}:99`, `${KEY}:2026-11-21T10:00:00.000Z:9:0`, 'webhook:d9', 'anything'])(
    'at the end of a chain as %s is named',
    async (id) => {
      await run(insert(id, 8));
      await rehash(8);
      expect((await verify()).found).toEqual([`inserted ${KEY} 8 ${id}`]);
    },
  );

  test('at the end of a chain for a run that there never was is named, where an earlier run is known', async () => {
    await run(insert(`run:${runIdOf(9)}:1`, 8));
    await rehash(8);
    expect((await verify()).found).toEqual([`inserted ${KEY} 8 run:${runIdOf(9)}:1`]);
    world.forget(`run:${runIdOf(1)}`);
    expect((await verify()).found).toEqual([]);
  });

  test('at the end of a chain is named though its hash is wrong', async () => {
    await run(insert('anything', 8));
    expect((await verify()).found).toEqual([`inserted ${KEY} 8 anything`]);
  });

  test('and that others were built upon is named', async () => {
    await run(insert('anything', 8));
    await rehash(8);
    await world.issue(7);
    expect((await verify()).found).toEqual([`inserted ${KEY} 8 anything`]);
  });

  test('between others is named, with those that had to move', async () => {
    await run(sql`update flow_events set seq = seq + 100 where chain = ${KEY} and seq >= 6`);
    await run(sql`update flow_events set seq = seq - 99 where chain = ${KEY} and seq >= 100`);
    await run(insert('anything', 6));
    await rehash(6);
    expect((await verify()).found).toEqual([
      `inserted ${KEY} 6 anything`,
      `moved ${KEY} 7 ${idAt(6)}`,
      `moved ${KEY} 8 ${idAt(7)}`,
    ]);
  });
});

describe('rows that were swapped', () => {
  beforeEach(async () => {
    await run(sql`update flow_events set seq = 100 - seq where chain = ${KEY} and seq in (3, 4)`);
    await run(sql`update flow_events set seq = seq - 93 where chain = ${KEY} and seq > 90`);
  });

  test('are both named', async () => {
    expect((await verify()).found).toEqual([`moved ${KEY} 3 ${idAt(4)}`, `moved ${KEY} 4 ${idAt(3)}`]);
  });

  test('are both named without Temporal', async () => {
    expect((await verify({ withoutTemporal: true })).found).toEqual([
      `moved ${KEY} 3 ${idAt(4)}`,
      `moved ${KEY} 4 ${idAt(3)}`,
    ]);
  });
});

test('a row that was put into another chain is named in both', async () => {
  await run(sql`update flow_events set chain = ${keyOf(8)}, seq = 2 where chain = ${KEY} and seq = 7`);
  const { found } = await verify();
  expect(found).toEqual([`changed ${keyOf(8)} 2 ${idAt(7)}`, `removed ${KEY} 7 ${idAt(7)}`].toSorted());
});

test('a delivery whose event was removed before deliveries remembered its place is named', async () => {
  await run(sql`update deliveries set event_seq = null, event_hash = null, event_payload = null where id = 'd2'`);
  expect((await verify()).found).toEqual([]);
  await run(sql`delete from flow_events where id = 'webhook:d2'`);
  expect((await verify()).found).toEqual([`removed ${KEY} 0 webhook:d2`, `removed ${KEY} 5 null`]);
});
