/** Inboxes with facts that were not signaled to their workflow yet: claimed by one relay at a time, in order, rate limited. */
import { eq, sql, type SQL } from 'drizzle-orm';
import type { ObservedFact } from '../../domain/issue/facts.ts';
import type { Database } from '../connection/database.ts';
import { inboxes, issueFacts } from '../connection/schema.ts';

/** Facts in one signal at most: small enough for any payload limit, large enough to drain a flood (docs/decisions.md, 3). */
const BATCH = 100;

/** Milliseconds. */
export interface InboxLimits {
  /** Between two signals for an issue. */
  readonly paceMs: number;
  /** Until the claim of a crashed relay expires. */
  readonly claimMs: number;
  /** Until a first failure is tried again; twice as long after each further one, at most the longest. */
  readonly firstRetryMs: number;
  readonly longestRetryMs: number;
}

/** At most two signals a second for an issue. */
export const INBOX_LIMITS: InboxLimits = { paceMs: 500, claimMs: 15_000, firstRetryMs: 500, longestRetryMs: 30_000 };

/** The right to signal an inbox, for a limited time. */
interface Claim {
  readonly issueKey: string;
  /** Distinguishes this claim from a later one of another relay. */
  readonly claim: string;
}

export interface ClaimedInbox extends Claim {
  readonly issue: (typeof inboxes.$inferSelect)['issue'];
  /** In order, without gaps, at most a batch. */
  readonly facts: readonly ObservedFact[];
}

/** Claims up to `limit` inboxes that have facts to signal and are due. Two relays never get the same one. */
export async function claimInboxes(db: Database, limit: number, { claimMs } = INBOX_LIMITS): Promise<ClaimedInbox[]> {
  return db.execute<Omit<ClaimedInbox, 'facts'> & { facts: ObservedFact[] }>(sql`
    with claimed as (
      update ${inboxes} set claimed_until = now() + ${claimMs}::int * interval '1 millisecond'
      where issue_key in (
        select issue_key from ${inboxes}
        where last_seq > signaled_seq and next_at <= now() and (claimed_until is null or claimed_until < now())
        order by next_at limit ${limit} for update skip locked)
      returning issue_key, issue, signaled_seq, claimed_until)
    select issue_key as "issueKey", issue, claimed_until::text as claim, coalesce(waiting.facts, '[]') as facts
    from claimed, lateral (
      select jsonb_agg(jsonb_build_object('seq', seq, 'fact', fact) order by seq) as facts
      from (
        select seq, fact from ${issueFacts} f
        where f.issue_key = claimed.issue_key and f.seq > claimed.signaled_seq order by f.seq limit ${BATCH}) next
    ) waiting`);
}

/** Records that all facts up to `seq` were signaled, even if the claim has expired, and releases the claim if it is still held. */
export async function markSignaled(
  db: Database,
  { issueKey, claim }: Claim,
  seq: number,
  { paceMs } = INBOX_LIMITS,
): Promise<void> {
  await db
    .update(inboxes)
    .set({
      signaledSeq: sql`greatest(${inboxes.signaledSeq}, ${seq})`,
      nextAt: sql`now() + ${paceMs}::int * interval '1 millisecond'`,
      claimedUntil: unlessTakenOver(claim),
      failures: 0,
    })
    .where(eq(inboxes.issueKey, issueKey));
}

/** Releases the claim after a failure, if it is still held, and schedules a retry. */
export async function releaseClaim(
  db: Database,
  { issueKey, claim }: Claim,
  { firstRetryMs, longestRetryMs } = INBOX_LIMITS,
): Promise<void> {
  await db
    .update(inboxes)
    .set({
      nextAt: sql`now() + least(${longestRetryMs}::int, ${firstRetryMs}::int * power(2, least(${inboxes.failures}, 10))) * interval '1 millisecond'`,
      claimedUntil: unlessTakenOver(claim),
      failures: sql`${inboxes.failures} + 1`,
    })
    .where(eq(inboxes.issueKey, issueKey));
}

/** Releases a claim, unless another relay has taken the inbox over. */
function unlessTakenOver(claim: string): SQL {
  return sql`case when ${inboxes.claimedUntil} = ${claim}::timestamptz then null else ${inboxes.claimedUntil} end`;
}

/** The number of waiting inboxes, and the age of the oldest in seconds. */
export async function inboxLag(db: Database): Promise<{ waiting: number; oldestSeconds: number }> {
  const [row] = await db.execute<{ waiting: number; oldest: number }>(sql`
    select count(distinct i.issue_key)::int as waiting,
      coalesce(extract(epoch from now() - min(f.created_at)), 0)::float as oldest
    from ${inboxes} i join ${issueFacts} f on f.issue_key = i.issue_key and f.seq > i.signaled_seq
    where i.last_seq > i.signaled_seq`);
  return { waiting: row?.waiting ?? 0, oldestSeconds: row?.oldest ?? 0 };
}
