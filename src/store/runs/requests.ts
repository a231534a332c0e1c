/** What runs ask of people, where the edge and the pages find it. */
import { and, desc, eq, isNull, sql } from 'drizzle-orm';
import type { Request } from '../../domain/run/requests.ts';
import { announce } from '../connection/changes.ts';
import type { Database } from '../connection/database.ts';
import { requests } from '../connection/schema.ts';

/** Writes a request as it stands; `open` false closes it, and it never opens again. Safe to repeat and to reorder. */
export async function storeRequest(db: Database, issueKey: string, request: Request, open: boolean): Promise<void> {
  const row = { id: request.id, runId: request.runId, issueKey, request, closedAt: open ? null : new Date() };
  await db.transaction(async (tx) => {
    await tx
      .insert(requests)
      .values(row)
      .onConflictDoUpdate({
        target: requests.id,
        set: { request, closedAt: row.closedAt },
        setWhere: isNull(requests.closedAt),
      });
    await announce(tx, { kind: 'run', key: request.runId });
  });
}

/** Closes what a run still asks. Safe to repeat. */
export async function closeRequests(db: Database, runId: string): Promise<void> {
  await db
    .update(requests)
    .set({ closedAt: sql`now()` })
    .where(and(eq(requests.runId, runId), isNull(requests.closedAt)));
}

/** The newest request of a run, or undefined. */
export async function findNewestRequest(
  db: Database,
  runId: string,
): Promise<{ readonly request: Request; readonly open: boolean } | undefined> {
  const [row] = await db
    .select({ request: requests.request, closedAt: requests.closedAt })
    .from(requests)
    .where(eq(requests.runId, runId))
    // Of one run: the ids end with a number, and a request is asked when the one before it is closed.
    .orderBy(desc(sql`${requests.request} ->> 'askedAt'`))
    .limit(1);
  return row && { request: row.request, open: row.closedAt === null };
}

/** Whether a run of the issue waits for an answer of people. */
export async function hasOpenRequest(db: Database, issueKey: string): Promise<boolean> {
  const [row] = await db
    .select({ id: requests.id })
    .from(requests)
    .where(and(eq(requests.issueKey, issueKey), isNull(requests.closedAt)))
    .limit(1);
  return row !== undefined;
}
