/**
 * A run's push while it is on its way to GitHub: one at a time, and known to whoever closes the run's token, so that nothing
 * arrives after the token is closed and the branch was read. By the database's clock.
 */
import { and, eq, isNotNull, isNull, lt, or, sql } from 'drizzle-orm';
import type { Database } from '../connection/database.ts';
import { agentAssignments } from '../connection/schema.ts';

export interface PushLease {
  /** Aborted when the lease could not be kept: the push must not go on. */
  readonly lost: AbortSignal;
  release(): Promise<void>;
}

export interface PushLeaseTimes {
  /** Milliseconds of a lease; a server that was killed holds it for so long. */
  readonly leaseMs: number;
  /** Milliseconds between renewals. */
  readonly renewMs: number;
}

const TIMES: PushLeaseTimes = { leaseMs: 15_000, renewMs: 4000 };

/**
 * Takes the run's lease if the token of this attempt is valid and no other push is under way; undefined otherwise. It is renewed
 * until it is released.
 */
export async function leasePush(
  db: Database,
  { runId, attempt }: { readonly runId: string; readonly attempt: number },
  { leaseMs, renewMs }: PushLeaseTimes = TIMES,
): Promise<PushLease | undefined> {
  const until = sql`now() + ${leaseMs / 1000} * interval '1 second'`;
  const taken = await db
    .update(agentAssignments)
    .set({ pushingUntil: until })
    .where(
      and(
        eq(agentAssignments.runId, runId),
        eq(agentAssignments.attempt, attempt),
        lt(agentAssignments.revokedAttempt, attempt),
        isNull(agentAssignments.closedAt),
        or(isNull(agentAssignments.pushingUntil), lt(agentAssignments.pushingUntil, sql`now()`)),
      ),
    )
    .returning({ runId: agentAssignments.runId });
  if (taken.length === 0) return undefined;

  const lost = new AbortController();
  let renewedAt = Date.now();
  const timer = setInterval(() => {
    if (Date.now() - renewedAt > leaseMs / 2) lost.abort(new Error('the lease of the push could not be renewed'));
    const began = Date.now();
    db.update(agentAssignments)
      .set({ pushingUntil: until })
      .where(and(eq(agentAssignments.runId, runId), isNotNull(agentAssignments.pushingUntil)))
      .then(
        () => (renewedAt = began),
        () => undefined, // the next one, or the limit above
      );
  }, renewMs);
  return {
    lost: lost.signal,
    async release() {
      clearInterval(timer);
      await db.update(agentAssignments).set({ pushingUntil: null }).where(eq(agentAssignments.runId, runId));
    },
  };
}

/** Whether a push of the run may still be on its way. */
export async function isPushing(db: Database, runId: string): Promise<boolean> {
  const found = await db
    .select({ runId: agentAssignments.runId })
    .from(agentAssignments)
    .where(and(eq(agentAssignments.runId, runId), sql`${agentAssignments.pushingUntil} > now()`));
  return found.length > 0;
}
