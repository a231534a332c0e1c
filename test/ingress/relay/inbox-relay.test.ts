import { eq, sql } from 'drizzle-orm';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createInboxRelay, RELAY_LIMITS, type InboxRelay } from '../../../ingress/relay/inbox-relay.ts';
import type { IssueWorkflows, NamedIssue } from '../../../ingress/relay/issue-signals.ts';
import { issueKey, type ObservedFact } from '../../../src/domain/issue/facts.ts';
import { newIssueState, receive, type IssueState } from '../../../src/domain/issue/decide.ts';
import type { Database } from '../../../src/store/connection/database.ts';
import { recordDelivery } from '../../../src/store/intake/intake.ts';
import { inboxes } from '../../../src/store/connection/schema.ts';
import { count, deliveryOf, issueOf, keyOf, useTables } from '../../support/tables.ts';

const PATIENCE = { timeout: 30_000, interval: 20 };
/** A tenth of what a server has; a relay that hangs keeps its claim all the same. */
const HASTY = {
  paceMs: 50,
  claimMs: RELAY_LIMITS.claimMs,
  firstRetryMs: 50,
  longestRetryMs: 3000,
  pollMs: 50,
  idlePollMs: 250,
  awayMs: 100,
};
const tables = useTables();

let relays: InboxRelay[];
let errors: unknown[];
let temporal: FakeTemporal;

beforeEach(async () => {
  await tables.clear();
  relays = [];
  errors = [];
  temporal = new FakeTemporal();
});

afterEach(async () => {
  temporal.letGo();
  await Promise.all(relays.map((relay) => relay.stop()));
});

/** What stands where Temporal stands: workflows that receive as the real one does, and a service that may fail or hang. */
class FakeTemporal implements Pick<IssueWorkflows, 'signal'> {
  readonly calls: { key: string; issue: NamedIssue; seqs: (number | null)[] }[] = [];
  readonly states = new Map<string, IssueState>();
  /** What becomes of the next calls for an issue; those after them succeed. */
  readonly fates = new Map<string, Fate[]>();
  /** Whether every call fails. */
  away = false;
  /** Issues that were told two things at once. */
  readonly overlaps: string[] = [];
  readonly #signaling = new Set<string>();
  readonly #hanging: (() => void)[] = [];

  signal = async (issue: NamedIssue, facts: readonly ObservedFact[]): Promise<boolean> => {
    const key = issueKey(issue);
    this.calls.push({ key, issue, seqs: facts.map(({ seq }) => seq) });
    if (this.#signaling.has(key)) this.overlaps.push(key);
    this.#signaling.add(key);
    try {
      const fate = this.away ? 'failed before it was done' : (this.fates.get(key)?.shift() ?? 'done');
      if (fate === 'failed before it was done') throw new Error('Temporal is away');
      if (fate === 'nobody there') return false;
      if (fate === 'hung') {
        await new Promise<void>((resolve) => {
          this.#hanging.push(resolve);
        });
      }
      await new Promise(setImmediate);
      const state = this.states.get(key) ?? newIssueState(issue, issue.title, issue.url, '2026-11-21T10:00:00.000Z');
      this.states.set(key, state);
      receive(state, structuredClone(facts));
      if (fate === 'failed after it was done') throw new Error('Temporal was slow');
      return true;
    } finally {
      this.#signaling.delete(key);
    }
  };

  /** Ends what hangs. */
  letGo(): void {
    for (const resume of this.#hanging.splice(0)) resume();
  }

  /** The numbers of the facts that an issue's workflow has learned. */
  learned(issue: number): (number | null)[] {
    return this.states.get(keyOf(issue))?.unread.map(({ seq }) => seq) ?? [];
  }

  callsFor(issue: number): (number | null)[][] {
    return this.calls.filter(({ key }) => key === keyOf(issue)).map(({ seqs }) => seqs);
  }
}

type Fate = 'done' | 'failed before it was done' | 'failed after it was done' | 'nobody there' | 'hung';

function relay(db: Database = tables.db): InboxRelay {
  const started = createInboxRelay({
    db,
    workflows: temporal,
    onError: (error) => errors.push(error),
    limits: HASTY,
  });
  relays.push(started);
  return started;
}

async function commit(issue: number, from: number, to: number): Promise<void> {
  for (const n of count(from, to)) await recordDelivery(tables.db, deliveryOf(`d${issue}-${n}`, issue));
}

async function handedOver(issue: number, seq: number): Promise<void> {
  const handed = async (): Promise<number | undefined> =>
    (
      await tables.db
        .select()
        .from(inboxes)
        .where(eq(inboxes.issueKey, keyOf(issue)))
    )[0]?.signaledSeq;
  await expect.poll(handed, PATIENCE).toBe(seq);
}

describe('what is committed', () => {
  test('is signaled in order, with the issue it is about', async () => {
    await commit(7, 1, 5);
    relay();
    await handedOver(7, 5);
    expect(temporal.calls).toEqual([{ key: keyOf(7), issue: issueOf(7), seqs: [1, 2, 3, 4, 5] }]);
    expect(temporal.learned(7)).toEqual([1, 2, 3, 4, 5]);
    expect(errors).toEqual([]);
  });

  test('is signaled in batches of a hundred', async () => {
    await commit(7, 1, 130);
    relay();
    await handedOver(7, 130);
    expect(temporal.callsFor(7)).toEqual([count(1, 100), count(101, 130)]);
  });

  test('while the relay runs is signaled, though nobody wakes it', async () => {
    relay();
    await commit(7, 1, 1);
    await handedOver(7, 1);
    await commit(7, 2, 2);
    await handedOver(7, 2);
    expect(temporal.learned(7)).toEqual([1, 2]);
  });

  test('is signaled when the relay is woken', async () => {
    const woken = relay();
    await commit(7, 1, 1);
    woken.wake();
    await handedOver(7, 1);
    expect(temporal.learned(7)).toEqual([1]);
  });

  test('for many issues is signaled to each', async () => {
    for (const issue of count(1, 40)) await commit(issue, 1, 2);
    relay();
    for (const issue of count(1, 40)) await handedOver(issue, 2);
    expect(count(1, 40).map((issue) => temporal.learned(issue))).toEqual(count(1, 40).map(() => [1, 2]));
  });

  test('for nobody is not offered again', async () => {
    temporal.fates.set(keyOf(7), ['nobody there']);
    await commit(7, 1, 2);
    relay();
    await handedOver(7, 2);
    await commit(7, 3, 3);
    await handedOver(7, 3);
    expect(temporal.callsFor(7)).toEqual([[1, 2], [3]]);
  });
});

describe('what fails', () => {
  test.each<[Fate, number]>([
    ['failed before it was done', 2],
    ['failed after it was done', 2],
  ])('and %s is learned exactly once', async (fate, calls) => {
    temporal.fates.set(keyOf(7), [fate]);
    await commit(7, 1, 3);
    relay();
    await handedOver(7, 3);
    expect(temporal.learned(7)).toEqual([1, 2, 3]);
    expect(temporal.callsFor(7)).toHaveLength(calls);
    expect(errors).toHaveLength(1);
  });

  test('again and again, before and after it was done, is learned exactly once and in order', async () => {
    temporal.fates.set(keyOf(7), ['failed after it was done', 'failed before it was done', 'failed after it was done']);
    await commit(7, 1, 2);
    relay();
    await expect.poll(() => temporal.callsFor(7).length, PATIENCE).toBeGreaterThan(1);
    await commit(7, 3, 5);
    await handedOver(7, 5);
    expect(temporal.learned(7)).toEqual([1, 2, 3, 4, 5]);
  });

  test('for one issue does not delay the signal of another', async () => {
    temporal.fates.set(keyOf(7), Array<Fate>(3).fill('failed before it was done'));
    await commit(7, 1, 1);
    await commit(8, 1, 1);
    relay();
    await handedOver(8, 1);
    await handedOver(7, 1);
    expect([temporal.learned(7), temporal.learned(8)]).toEqual([[1], [1]]);
  });

  test('in the database is reported, and the relay goes on', async () => {
    await tables.db.execute(sql`alter table inboxes rename to inboxes_away`);
    try {
      relay();
      await expect.poll(() => errors.length, PATIENCE).toBeGreaterThan(0);
    } finally {
      await tables.db.execute(sql`alter table inboxes_away rename to inboxes`);
    }
    await commit(7, 1, 1);
    await handedOver(7, 1);
    expect(temporal.learned(7)).toEqual([1]);
  });
});

describe('while Temporal is away', () => {
  test('it is asked now and then whether it is back, however much waits, and gets all of it when it is', async () => {
    temporal.away = true;
    for (const issue of count(1, 120)) await commit(issue, 1, 1);
    relay();
    await expect.poll(() => temporal.calls.length, PATIENCE).toBeGreaterThanOrEqual(16);
    await new Promise((resolve) => {
      setTimeout(resolve, 30 * HASTY.awayMs);
    });
    expect(temporal.calls.length).toBeLessThan(60);

    temporal.away = false;
    for (const issue of count(1, 120)) await handedOver(issue, 1);
    expect(count(1, 120).flatMap((issue) => temporal.learned(issue))).toEqual(Array(120).fill(1));
  });
});

describe('two relays', () => {
  test('signal everything once, and never signal an issue twice at once', async () => {
    for (const issue of count(1, 12)) await commit(issue, 1, 10);
    relay();
    relay(tables.another().db);
    for (const issue of count(1, 12)) await commit(issue, 11, 15);
    for (const issue of count(1, 12)) await handedOver(issue, 15);
    for (const issue of count(1, 12)) expect(temporal.learned(issue)).toEqual(count(1, 15));
    expect(temporal.calls.flatMap(({ seqs }) => seqs)).toHaveLength(12 * 15);
    expect(temporal.overlaps).toEqual([]);
  });

  test('signal everything exactly once, though calls fail before and after they are done', async () => {
    const fates: Fate[] = ['failed after it was done', 'done', 'failed before it was done'];
    for (const issue of count(1, 12))
      temporal.fates.set(keyOf(issue), [...fates.slice(issue % 3), ...fates.slice(0, issue % 3)]);
    for (const issue of count(1, 12)) await commit(issue, 1, 5);
    relay();
    relay(tables.another().db);
    for (const issue of count(1, 12)) await commit(issue, 6, 8);
    for (const issue of count(1, 12)) await handedOver(issue, 8);
    for (const issue of count(1, 12)) expect(temporal.learned(issue)).toEqual(count(1, 8));
    expect(temporal.overlaps).toEqual([]);
  });

  test('carry on for each other when one hangs and its claim runs out', async () => {
    temporal.fates.set(keyOf(7), ['hung']);
    await commit(7, 1, 3);
    relay();
    await expect.poll(() => temporal.callsFor(7).length, PATIENCE).toBe(1);
    relay(tables.another().db);
    await tables.db.update(inboxes).set({ claimedUntil: sql`now() - interval '1 second'` });
    await handedOver(7, 3);
    expect(temporal.learned(7)).toEqual([1, 2, 3]);
    temporal.letGo();
    await commit(7, 4, 4);
    await handedOver(7, 4);
    expect(temporal.learned(7)).toEqual([1, 2, 3, 4]);
  });
});

describe('a call that hangs', () => {
  test('for one issue does not delay the signal of another', async () => {
    temporal.fates.set(keyOf(7), ['hung']);
    await commit(7, 1, 1);
    relay();
    await expect.poll(() => temporal.callsFor(7).length, PATIENCE).toBe(1);
    await commit(8, 1, 1);
    await expect.poll(() => temporal.learned(8), PATIENCE).toEqual([1]);
  });
});

describe('stopping a relay', () => {
  test('finishes what is under way', async () => {
    temporal.fates.set(keyOf(7), ['hung']);
    await commit(7, 1, 2);
    const stopping = relay();
    await expect.poll(() => temporal.callsFor(7).length, PATIENCE).toBe(1);
    const stopped = stopping.stop();
    temporal.letGo();
    await stopped;
    expect(temporal.learned(7)).toEqual([1, 2]);
    const [inbox] = await tables.db.select().from(inboxes);
    expect(inbox).toMatchObject({ signaledSeq: 2, claimedUntil: null });
  });

  test('takes up nothing more, and leaves it to the next one', async () => {
    await relay().stop();
    await commit(7, 1, 2);
    relay();
    await handedOver(7, 2);
    expect(temporal.callsFor(7)).toEqual([[1, 2]]);
  });
});
