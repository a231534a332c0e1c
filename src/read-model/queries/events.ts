/** The audit trail, as pages and the API show it. */
import { and, asc, desc, eq, gt, like, notLike } from 'drizzle-orm';
import type { Database } from '../../store/connection/database.ts';
import { TOOL_CHAINS } from '../../store/audit/tool-events.ts';
import { flowEvents } from '../../store/connection/schema.ts';
import { bounded } from './page.ts';

const columns = {
  id: flowEvents.id,
  seq: flowEvents.seq,
  type: flowEvents.type,
  actorType: flowEvents.actorType,
  actorId: flowEvents.actorId,
  runId: flowEvents.runId,
  correlationId: flowEvents.correlationId,
  payload: flowEvents.payload,
  occurredAt: flowEvents.occurredAt,
};

export type EventRecord = Pick<typeof flowEvents.$inferSelect, keyof typeof columns>;

/** A run's events after a place in its issue's chain, oldest first. */
export async function listRunEvents(
  db: Database,
  runId: string,
  { afterSeq, limit }: { afterSeq: number; limit: number },
): Promise<EventRecord[]> {
  return db
    .select(columns)
    .from(flowEvents)
    .where(and(eq(flowEvents.runId, runId), notLike(flowEvents.chain, TOOL_CHAINS), gt(flowEvents.seq, afterSeq)))
    .orderBy(asc(flowEvents.seq), asc(flowEvents.id))
    .limit(bounded(limit));
}

/** The newest calls of tools by a run's agent, oldest first: they have a chain of their own. */
export async function newestToolEvents(db: Database, runId: string, limit: number): Promise<EventRecord[]> {
  const rows = await db
    .select(columns)
    .from(flowEvents)
    .where(and(eq(flowEvents.runId, runId), like(flowEvents.chain, TOOL_CHAINS)))
    .orderBy(desc(flowEvents.seq))
    .limit(bounded(limit));
  return rows.toReversed();
}

/** The newest events of an issue's chain, oldest first. */
export async function newestIssueEvents(db: Database, issueKey: string, limit: number): Promise<EventRecord[]> {
  const rows = await db
    .select(columns)
    .from(flowEvents)
    .where(eq(flowEvents.chain, issueKey))
    .orderBy(desc(flowEvents.seq))
    .limit(bounded(limit));
  return rows.toReversed();
}
