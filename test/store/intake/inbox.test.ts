import { eq, sql } from 'drizzle-orm';
import { beforeEach, describe, expect, test } from 'vitest';
import type { Database } from '../../../src/store/connection/database.ts';
import { claimInboxes, inboxLag, markSignaled, releaseClaim } from '../../../src/store/intake/inbox.ts';
import { recordDelivery } from '../../../src/store/intake/intake.ts';
import { inboxes, issueFacts } from '../../../src/store/connection/schema.ts';
import { count, deliveryOf, factOf, issueOf, keyOf, useTables } from '../../support/tables.ts';

const tables = useTables();

beforeEach(() => tables.clear());

/** An issue with this many facts that the relay has not signaled. */
async function fill(issue: number, facts: number): Promise<void> {
  await recordDelivery(tables.db, deliveryOf(`d${issue}-1`, issue));
  if (facts === 1) return;
  const more = count(2, facts).map((seq) => ({
    issueKey: keyOf(issue),
    seq,
    deliveryId: `d${issue}-${seq}`,
    fact: factOf(`d${issue}-${seq}`),
  }));
  await tables.db.insert(issueFacts).values(more);
  await tables.db
    .update(inboxes)
    .set({ lastSeq: facts })
    .where(eq(inboxes.issueKey, keyOf(issue)));
}

/** The clock of a transaction stands still. */
async function atOnce<Result>(work: (db: Database) => Promise<Result>): Promise<Result> {
  return tables.db.transaction((tx) => work(tx as unknown as Database));
}

/** As if the time of all claims had passed. */
async function claimsLapse(): Promise<void> {
  await tables.db.update(inboxes).set({ claimedUntil: sql`now() - interval '1 second'` });
}

async function everythingIsDue(): Promise<void> {
  await tables.db.update(inboxes).set({ nextAt: sql`now() - interval '1 second'` });
}

async function inboxOf(issue: number): Promise<typeof inboxes.$inferSelect> {
  const [row] = await tables.db
    .select()
    .from(inboxes)
    .where(eq(inboxes.issueKey, keyOf(issue)));
  if (!row) throw new Error(`no inbox of ${issue}`);
  return row;
}

/** Seconds until the only inbox is due. */
async function waitOf(db: Database): Promise<number> {
  const [row] = await db.execute<{ wait: number }>(
    sql`select extract(epoch from next_at - now())::float as wait from inboxes`,
  );
  return row?.wait ?? 0;
}

/** An inbox as whoever holds it now knows it. */
async function held(
  issue: number,
  db: Pick<Database, 'execute'> = tables.db,
): Promise<{ issueKey: string; claim: string }> {
  const [row] = await db.execute<{ claim: string | null }>(
    sql`select claimed_until::text as claim from inboxes where issue_key = ${keyOf(issue)}`,
  );
  return { issueKey: keyOf(issue), claim: row?.claim ?? '-infinity' };
}

async function claimedSeqs(db: Database): Promise<(number | null)[]> {
  return (await claimInboxes(db, 16)).flatMap(({ facts }) => facts.map(({ seq }) => seq));
}

describe('a claim', () => {
  test('brings the issue and its facts in order', async () => {
    await fill(7, 3);
    const claimed = await claimInboxes(tables.db, 16);
    expect(claimed).toEqual([
      {
        issueKey: keyOf(7),
        claim: (await held(7)).claim,
        issue: issueOf(7),
        facts: count(1, 3).map((seq) => ({ seq, fact: factOf(`d7-${seq}`) })),
      },
    ]);
  });

  test('brings a hundred facts at most, and the next one goes on there', async () => {
    await fill(7, 250);
    const batches: (number | null)[][] = [];
    for (const last of [100, 200, 250]) {
      batches.push(await claimedSeqs(tables.db));
      await markSignaled(tables.db, await held(7), last);
      await everythingIsDue();
    }
    expect(batches).toEqual([count(1, 100), count(101, 200), count(201, 250)]);
    expect(await claimInboxes(tables.db, 16)).toEqual([]);
  });

  test('brings no more inboxes than were asked for', async () => {
    for (const issue of count(1, 30)) await fill(issue, 1);
    expect(await claimInboxes(tables.db, 7)).toHaveLength(7);
    const [row] = await tables.db.execute<{ claimed: number }>(
      sql`select count(*)::int as claimed from inboxes where claimed_until is not null`,
    );
    expect(row?.claimed).toBe(7);
  });

  test('brings those first that have waited longest', async () => {
    for (const issue of count(1, 3)) await fill(issue, 1);
    for (const [issue, seconds] of [
      [1, 10],
      [2, 30],
      [3, 20],
    ] as const)
      await tables.db
        .update(inboxes)
        .set({ nextAt: sql`now() - ${seconds} * interval '1 second'` })
        .where(eq(inboxes.issueKey, keyOf(issue)));
    const first = async (): Promise<string | undefined> => (await claimInboxes(tables.db, 1))[0]?.issueKey;
    expect([await first(), await first(), await first()]).toEqual([keyOf(2), keyOf(3), keyOf(1)]);
  });

  test('is of one relay, however many claim at once', async () => {
    for (const issue of count(1, 40)) await fill(issue, 1);
    const relays = [tables.db, tables.another().db, tables.another().db];
    const rounds = count(0, 11).map((n) => claimInboxes(relays[n % 3] ?? tables.db, 5));
    const claimed = (await Promise.all(rounds)).flat().map(({ issueKey }) => issueKey);
    claimed.push(...(await claimInboxes(tables.db, 40)).map(({ issueKey }) => issueKey));
    expect(claimed.toSorted()).toEqual(count(1, 40).map(keyOf).toSorted());
  });

  test('neither waits for a relay that is just claiming, nor takes what that one takes', async () => {
    for (const issue of count(1, 5)) await fill(issue, 1);
    const other = tables.another().db;
    const [first, second] = await atOnce(async (db) => [await claimInboxes(db, 3), await claimInboxes(other, 5)]);
    expect([first?.length, second?.length]).toEqual([3, 2]);
    const claimed = [...(first ?? []), ...(second ?? [])].map(({ issueKey }) => issueKey);
    expect(claimed.toSorted()).toEqual(count(1, 5).map(keyOf));
  });

  test('is kept while facts are added', async () => {
    await fill(7, 1);
    await claimInboxes(tables.db, 16);
    await recordDelivery(tables.db, deliveryOf('d7-2', 7));
    expect(await claimInboxes(tables.db, 16)).toEqual([]);
  });

  test('of a relay that died is free again when its time has passed', async () => {
    await fill(7, 2);
    await claimInboxes(tables.db, 16);
    await claimsLapse();
    expect(await claimedSeqs(tables.db)).toEqual([1, 2]);
  });

  test.each(['hands over', 'fails'])(
    'is not given back by a relay that %s when its own time has passed',
    async (what) => {
      await fill(7, 150);
      await claimInboxes(tables.db, 16);
      const lapsed = await held(7);
      await claimsLapse();
      await claimInboxes(tables.another().db, 16);
      await (what === 'fails' ? releaseClaim(tables.db, lapsed) : markSignaled(tables.db, lapsed, 100));
      await everythingIsDue();
      expect(await claimInboxes(tables.db, 16)).toEqual([]);
    },
  );
});

describe('handing over', () => {
  test('gives the claim back', async () => {
    await fill(7, 150);
    await claimInboxes(tables.db, 16);
    await markSignaled(tables.db, await held(7), 100);
    expect(await inboxOf(7)).toMatchObject({ signaledSeq: 100, lastSeq: 150, claimedUntil: null });
  });

  test('never goes back', async () => {
    await fill(7, 10);
    await markSignaled(tables.db, await held(7), 8);
    await markSignaled(tables.db, await held(7), 5);
    expect((await inboxOf(7)).signaledSeq).toBe(8);
  });

  test('to an issue is done twice a second at most', async () => {
    await fill(7, 150);
    const { second, wait } = await atOnce(async (db) => {
      await claimInboxes(db, 16);
      await markSignaled(db, await held(7, db), 100);
      return { second: await claimInboxes(db, 16), wait: await waitOf(db) };
    });
    expect(second).toEqual([]);
    expect(wait).toBe(0.5);
    await expect.poll(() => claimedSeqs(tables.db), { timeout: 60_000 }).toEqual(count(101, 150));
  });

  test('to one issue does not make another wait', async () => {
    await fill(7, 150);
    await fill(8, 1);
    const claimed = await atOnce(async (db) => {
      await markSignaled(db, await held(7, db), 100);
      return claimInboxes(db, 16);
    });
    expect(claimed.map(({ issueKey }) => issueKey)).toEqual([keyOf(8)]);
  });

  test('that failed is tried again later each time, after half a minute at most', async () => {
    await fill(7, 1);
    const waits = await atOnce(async (db) => {
      const seconds: number[] = [];
      for (const _ of count(1, 9)) {
        await releaseClaim(db, await held(7, db));
        seconds.push(await waitOf(db));
      }
      return seconds;
    });
    expect(waits).toEqual([0.5, 1, 2, 4, 8, 16, 30, 30, 30]);
    expect(await inboxOf(7)).toMatchObject({ failures: 9, claimedUntil: null, signaledSeq: 0 });
  });

  test('that succeeds forgets the failures before', async () => {
    await fill(7, 2);
    await releaseClaim(tables.db, await held(7));
    await markSignaled(tables.db, await held(7), 1);
    expect((await inboxOf(7)).failures).toBe(0);
  });
});

describe('how far it lags', () => {
  test('is nothing when every fact is signaled', async () => {
    await fill(7, 2);
    await markSignaled(tables.db, await held(7), 2);
    expect(await inboxLag(tables.db)).toEqual({ waiting: 0, oldestSeconds: 0 });
  });

  test('is the number of issues and the age of the oldest fact', async () => {
    await fill(7, 2);
    await fill(8, 1);
    await tables.db
      .update(issueFacts)
      .set({ createdAt: sql`now() - interval '90 seconds'` })
      .where(eq(issueFacts.issueKey, keyOf(8)));
    const { waiting, oldestSeconds } = await inboxLag(tables.db);
    expect(waiting).toBe(2);
    expect(oldestSeconds).toBeGreaterThanOrEqual(90);
  });
});
