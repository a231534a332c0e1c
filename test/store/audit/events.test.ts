import * as fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import { appendEvent, appendEvents, eventHash, type FlowEvent } from '../../../src/store/audit/events.ts';
import { flowEvents } from '../../../src/store/connection/schema.ts';
import { listenForChanges, type Change } from '../../../src/store/connection/changes.ts';
import { count, useTables, verifiedChain } from '../../support/tables.ts';

const tables = useTables();
const CHAIN = 'issue:42#7';
const RUN = '0f0f0f0f-0000-4000-8000-000000000002';

beforeEach(() => tables.clear());

function event(id: string, more: Partial<FlowEvent> = {}): FlowEvent {
  return {
    id,
    chain: CHAIN,
    type: 'run.started',
    actorType: 'human',
    actorId: 'olivia',
    runId: RUN,
    correlationId: 'd1',
    payload: { label: 'run:dev' },
    occurredAt: '2026-11-21T10:00:00.000Z',
    ...more,
  };
}

describe('the chain of an issue', () => {
  test('begins with a hash over nothing but zeros', async () => {
    const [link] = await appendEvents(tables.db, [event('e1')]);
    expect(link).toEqual({ seq: 1, hash: eventHash('0'.repeat(64), 1, event('e1')) });
  });

  test('links each event to the one before', async () => {
    const links = await appendEvents(tables.db, [event('e1'), event('e2'), event('e3')]);
    expect(links.map(({ seq }) => seq)).toEqual([1, 2, 3]);
    expect(links[2]?.hash).toBe(eventHash(links[1]?.hash ?? '', 3, event('e3')));
    expect(await verifiedChain(tables.db, CHAIN)).toEqual(['e1', 'e2', 'e3']);
  });

  test('is unbroken, however many append at once through however many servers', async () => {
    const servers = [tables.db, tables.another().db];
    await Promise.all(count(1, 60).map((n) => appendEvents(servers[n % 2] ?? tables.db, [event(`e${n}`)])));
    const ids = await verifiedChain(tables.db, CHAIN);
    expect(ids.toSorted()).toEqual(
      count(1, 60)
        .map((n) => `e${n}`)
        .toSorted(),
    );
  });

  test('has nothing to do with that of another issue', async () => {
    await appendEvents(tables.db, [event('e1'), event('f1', { chain: 'issue:42#8' }), event('e2')]);
    expect(await verifiedChain(tables.db, CHAIN)).toEqual(['e1', 'e2']);
    expect(await verifiedChain(tables.db, 'issue:42#8')).toEqual(['f1']);
  });

  test('has no gap where somebody gave up', async () => {
    const givenUp = tables.db.transaction(async (tx) => {
      await appendEvent(tx, event('never'));
      throw new Error('given up');
    });
    await expect(givenUp).rejects.toThrow('given up');
    await appendEvents(tables.db, [event('e1')]);
    expect(await verifiedChain(tables.db, CHAIN)).toEqual(['e1']);
  });
});

describe('an event', () => {
  test('that comes again is the one that is there, whatever it says now', async () => {
    const [first] = await appendEvents(tables.db, [event('e1')]);
    await appendEvents(tables.db, [event('e2')]);
    expect(await appendEvents(tables.db, [event('e1', { actorId: 'mallory' })])).toEqual([first]);
    expect(await verifiedChain(tables.db, CHAIN)).toEqual(['e1', 'e2']);
  });

  test('that comes many times at once is one row', async () => {
    const other = tables.another().db;
    const links = await Promise.all(count(1, 20).map((n) => appendEvents(n % 2 ? tables.db : other, [event('e1')])));
    expect(new Set(links.map(([link]) => JSON.stringify(link))).size).toBe(1);
    expect(await tables.db.select().from(flowEvents)).toHaveLength(1);
  });

  test('that comes twice in one breath is one row', async () => {
    const [first, second] = await appendEvents(tables.db, [event('e1'), event('e1')]);
    expect(second).toEqual(first);
  });

  test('is announced for its issue and for its run', async () => {
    const changes: Change[] = [];
    const unlisten = await listenForChanges(tables.another().sql, (change) => changes.push(change));
    await appendEvents(tables.db, [event('e1')]);
    await expect
      .poll(() => changes)
      .toEqual([
        { kind: 'issue', key: CHAIN },
        { kind: 'run', key: RUN },
      ]);
    await unlisten();
  });

  test('is verified by its hash after Postgres had it, whatever it carries', async () => {
    const text = fc.string({ unit: 'grapheme' }).filter((value) => !value.includes('\0') && value.isWellFormed());
    const payload = fc.dictionary(text, fc.jsonValue({ stringUnit: 'grapheme', maxDepth: 3 }), {
      maxKeys: 5,
      noNullPrototype: true,
    });
    const storable = payload.filter((value) => !JSON.stringify(value).includes(String.raw`\u0000`));
    const anEvent = fc.record({
      payload: storable,
      actorId: text,
      correlationId: fc.option(text),
      runId: fc.option(fc.uuid()),
      at: fc.date({ min: new Date('2020-01-01'), max: new Date('2100-01-01'), noInvalidDate: true }),
    });
    let n = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(anEvent, { minLength: 1, maxLength: 10 }), async (some) => {
        const chain = `chain ${++n}`;
        const events = some.map(({ at, ...rest }, index) =>
          event(`${chain} ${index}`, { ...rest, chain, occurredAt: at.toISOString() }),
        );
        await appendEvents(tables.db, events);
        expect(await verifiedChain(tables.db, chain)).toHaveLength(events.length);
      }),
      { numRuns: 40 },
    );
  });
});

describe('the hash of an event', () => {
  const PREVIOUS = 'a'.repeat(64);
  const hash = eventHash(PREVIOUS, 1, event('e1'));

  test.each<[string, string]>([
    ['its place', eventHash(PREVIOUS, 2, event('e1'))],
    ['what came before', eventHash('b'.repeat(64), 1, event('e1'))],
    ['its id', eventHash(PREVIOUS, 1, event('e2'))],
    ['its chain', eventHash(PREVIOUS, 1, event('e1', { chain: 'issue:42#8' }))],
    ['its type', eventHash(PREVIOUS, 1, event('e1', { type: 'run.canceled' }))],
    ['who did it', eventHash(PREVIOUS, 1, event('e1', { actorId: 'mallory' }))],
    ['what did it', eventHash(PREVIOUS, 1, event('e1', { actorType: 'agent' }))],
    ['its run', eventHash(PREVIOUS, 1, event('e1', { runId: null }))],
    ['what it follows from', eventHash(PREVIOUS, 1, event('e1', { correlationId: null }))],
    ['what it carries', eventHash(PREVIOUS, 1, event('e1', { payload: { label: 'run:qa' } }))],
    ['when it was', eventHash(PREVIOUS, 1, event('e1', { occurredAt: '2026-11-21T10:00:00.001Z' }))],
  ])('changes with %s', (_what, changed) => {
    expect(changed).not.toBe(hash);
  });

  test('does not change with the order of what it carries', () => {
    const one = event('e1', { payload: { a: 1, b: { c: [1, { d: 2, e: 3 }], f: null } } });
    const other = event('e1', { payload: { b: { f: null, c: [1, { e: 3, d: 2 }] }, a: 1 } });
    expect(eventHash(PREVIOUS, 1, other)).toBe(eventHash(PREVIOUS, 1, one));
  });

  test('does not change with the way its instant is written', () => {
    expect(eventHash(PREVIOUS, 1, event('e1', { occurredAt: '2026-11-21T11:00:00+01:00' }))).toBe(hash);
  });

  test('is not that of another event that reads the same when run together', () => {
    const one = event('e1', { actorId: 'a', correlationId: 'bc' });
    const other = event('e1', { actorId: 'ab', correlationId: 'c' });
    expect(eventHash(PREVIOUS, 1, one)).not.toBe(eventHash(PREVIOUS, 1, other));
  });
});
