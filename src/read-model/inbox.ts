/** What is committed and not handed over yet: claimed by one relay at a time, in order, at a bounded pace. */
import { and, asc, eq, gt, sql } from 'drizzle-orm';
import type { ObservedFact } from '../domain/facts.ts';
import type { Database } from './database.ts';
import { inboxes, issueFacts } from './schema.ts';

/** Facts in one signal at most: small enough for any payload limit, large enough to drain a flood (design.md, decision 3). */
const BATCH = 100;

/** At most two signals a second for an issue. */
const PACE_MS = 500;

/** A relay that dies loses its claim after this long. */
const CLAIM_MS = 15_000;

export interface ClaimedInbox {
  readonly issueKey: string;
  readonly issue: (typeof inboxes.$inferSelect)['issue'];
  /** In order, without gaps, at most a batch. */
  readonly facts: readonly ObservedFact[];
}

/** Claims up to `limit` inboxes that have something to hand over and are due. Several relays never get the same one. */
export async function claimInboxes(db: Database, limit: number): Promise<ClaimedInbox[]> {
  const claimed = await db.execute<{ issue_key: string; issue: ClaimedInbox['issue']; handed_seq: number }>(sql`
    update ${inboxes} set claimed_until = now() + ${CLAIM_MS} * interval '1 millisecond'
    where issue_key in (
      select issue_key from ${inboxes}
      where last_seq > handed_seq and next_at <= now() and (claimed_until is null or claimed_until < now())
      order by next_at limit ${limit} for update skip locked)
    returning issue_key, issue, handed_seq`);
  return Promise.all(
    claimed.map(async (inbox) => ({
      issueKey: inbox.issue_key,
      issue: inbox.issue,
      facts: await db
        .select({ seq: issueFacts.seq, fact: issueFacts.fact })
        .from(issueFacts)
        .where(and(eq(issueFacts.issueKey, inbox.issue_key), gt(issueFacts.seq, inbox.handed_seq)))
        .orderBy(asc(issueFacts.seq))
        .limit(BATCH),
    })),
  );
}

/** Records that all up to `seq` was taken, and gives the claim back. */
export async function markHandedOver(db: Database, issueKey: string, seq: number): Promise<void> {
  await db
    .update(inboxes)
    .set({
      handedSeq: sql`greatest(${inboxes.handedSeq}, ${seq})`,
      nextAt: sql`now() + ${PACE_MS} * interval '1 millisecond'`,
      claimedUntil: null,
      failures: 0,
    })
    .where(eq(inboxes.issueKey, issueKey));
}

/** Gives the claim back after a failure; tries again later, at most half a minute. */
export async function markNotHandedOver(db: Database, issueKey: string): Promise<void> {
  await db
    .update(inboxes)
    .set({
      nextAt: sql`now() + least(30000, 500 * power(2, least(${inboxes.failures}, 10))) * interval '1 millisecond'`,
      claimedUntil: null,
      failures: sql`${inboxes.failures} + 1`,
    })
    .where(eq(inboxes.issueKey, issueKey));
}

/** How many inboxes wait, and for how long the oldest does, in seconds. */
export async function handOverLag(db: Database): Promise<{ waiting: number; oldestSeconds: number }> {
  const [row] = await db.execute<{ waiting: number; oldest: number }>(sql`
    select count(distinct i.issue_key)::int as waiting,
      coalesce(extract(epoch from now() - min(f.created_at)), 0)::float as oldest
    from ${inboxes} i join ${issueFacts} f on f.issue_key = i.issue_key and f.seq > i.handed_seq
    where i.last_seq > i.handed_seq`);
  return { waiting: row?.waiting ?? 0, oldestSeconds: row?.oldest ?? 0 };
}
