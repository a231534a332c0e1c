/** Calls of the platform's tools by agents: recorded, parked until a person decides, and ended with their result. */
import { and, count, desc, eq, gte, inArray, sql } from 'drizzle-orm';
import { LATEST_OUTPUT, type OutputLine } from '../../domain/messages/latest-output.ts';
import { announce } from '../connection/changes.ts';
import type { Database } from '../connection/database.ts';
import { toolCalls, type ToolCallState } from '../connection/schema.ts';

export type ToolCall = typeof toolCalls.$inferSelect;

/** A call as it comes in. */
export type NewToolCall = Pick<ToolCall, 'runId' | 'attempt' | 'tool' | 'action' | 'args' | 'digest' | 'decision'> &
  Partial<Pick<ToolCall, 'sealed' | 'policy' | 'result'>> & {
    /** `requested` parks it. */
    readonly state: Extract<ToolCallState, 'requested' | 'applied' | 'failed'>;
  };

const PARKED = ['requested', 'approved'] as const;

/**
 * Records a call. A parked one that is there already, of the same attempt and with the same digest, is returned instead; any
 * other parked call of the attempt makes it `parked`: nothing is recorded.
 */
export async function recordCall(db: Database, call: NewToolCall): Promise<ToolCall | 'parked'> {
  return db.transaction(async (tx) => {
    // One call of a run after the other: each takes the next number.
    await tx.execute(sql`select pg_advisory_xact_lock(hashtextextended(${`tool calls ${call.runId}`}, 0))`);
    const ofRun = eq(toolCalls.runId, call.runId);
    const [parked] = await tx
      .select()
      .from(toolCalls)
      .where(and(ofRun, eq(toolCalls.attempt, call.attempt), inArray(toolCalls.state, [...PARKED])));
    if (parked) return parked.digest === call.digest ? parked : 'parked';
    const [numbered] = await tx.select({ n: count() }).from(toolCalls).where(ofRun);
    const ended = call.state === 'requested' ? {} : { endedAt: sql`now()` };
    const [row] = await tx
      .insert(toolCalls)
      .values({ ...call, id: `${call.runId}:${(numbered?.n ?? 0) + 1}`, ...ended })
      .returning();
    if (!row) throw new Error('the call was not recorded');
    await announce(tx, { kind: 'run', key: call.runId });
    return row;
  });
}

/** The newest call of one of these tools that was performed for a run, or denied; undefined if there is none. */
export async function findLastEndedCall(
  db: Database,
  runId: string,
  tools: readonly string[],
): Promise<ToolCall | undefined> {
  const [row] = await db
    .select()
    .from(toolCalls)
    .where(
      and(
        eq(toolCalls.runId, runId),
        inArray(toolCalls.tool, [...tools]),
        inArray(toolCalls.state, ['applied', 'denied']),
      ),
    )
    .orderBy(desc(toolCalls.endedAt), desc(toolCalls.calledAt))
    .limit(1);
  return row;
}

/** The call for which this attempt waits; undefined if there is none. */
export async function findParkedCall(db: Database, runId: string, attempt: number): Promise<ToolCall | undefined> {
  const [row] = await db
    .select()
    .from(toolCalls)
    .where(and(eq(toolCalls.runId, runId), eq(toolCalls.attempt, attempt), inArray(toolCalls.state, [...PARKED])));
  return row;
}

/** How many calls of a tool were performed for a run since a time. */
export async function countPerformedCalls(db: Database, runId: string, tool: string, since: Date): Promise<number> {
  const [row] = await db
    .select({ n: count() })
    .from(toolCalls)
    .where(
      and(
        eq(toolCalls.runId, runId),
        eq(toolCalls.tool, tool),
        eq(toolCalls.state, 'applied'),
        gte(toolCalls.calledAt, since),
      ),
    );
  return row?.n ?? 0;
}

/** The statuses that a run's agent reported last, oldest first. */
export async function readStatusReports(db: Database, runId: string): Promise<OutputLine[]> {
  const rows = await db
    .select({ at: toolCalls.calledAt, args: toolCalls.args })
    .from(toolCalls)
    .where(and(eq(toolCalls.runId, runId), eq(toolCalls.tool, 'run_status_report'), eq(toolCalls.state, 'applied')))
    .orderBy(desc(toolCalls.calledAt))
    .limit(LATEST_OUTPUT);
  return rows.toReversed().map(({ at, args }) => ({ at, text: (JSON.parse(args) as { status: string }).status }));
}

export async function findCall(db: Database, id: string): Promise<ToolCall | undefined> {
  const [row] = await db.select().from(toolCalls).where(eq(toolCalls.id, id));
  return row;
}

/** Changes the state of a call that is not over; idempotent. Whether the call is in that state now. */
export async function moveCall(
  db: Database,
  id: string,
  to: Exclude<ToolCallState, 'requested'>,
  result?: string,
): Promise<boolean> {
  return db.transaction(async (tx) => {
    const over = to === 'approved' ? {} : { endedAt: sql`now()` };
    const [moved] = await tx
      .update(toolCalls)
      .set({ state: to, ...over, ...(result === undefined ? {} : { result }) })
      .where(and(eq(toolCalls.id, id), inArray(toolCalls.state, [...PARKED])))
      .returning({ runId: toolCalls.runId });
    if (moved) await announce(tx, { kind: 'run', key: moved.runId });
    const [row] = await tx.select({ state: toolCalls.state }).from(toolCalls).where(eq(toolCalls.id, id));
    return row?.state === to;
  });
}

/** Ends the calls of a run that nobody decides on any more. Idempotent. */
export async function expireCalls(db: Database, runId: string): Promise<void> {
  await db
    .update(toolCalls)
    .set({ state: 'expired', endedAt: sql`now()` })
    .where(and(eq(toolCalls.runId, runId), inArray(toolCalls.state, [...PARKED])));
}
