/** Requests of runs, for the server and the pages. */
import { and, desc, eq, isNull, like, sql } from 'drizzle-orm';
import type { Request } from '../../domain/run/requests.ts';
import { announce } from '../connection/changes.ts';
import type { Database } from '../connection/database.ts';
import { requests } from '../connection/schema.ts';

/** Stores a request; `open` false closes it for good. Idempotent, in any order. */
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

/** Closes a run's open request. Idempotent. */
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
    // A request is asked when the run's one before it is closed, so the latest `askedAt` is the newest.
    .orderBy(desc(sql`${requests.request} ->> 'askedAt'`))
    .limit(1);
  return row && { request: row.request, open: row.closedAt === null };
}

/** Whether a run of the issue has an open request. */
export async function hasOpenRequest(db: Database, issueKey: string): Promise<boolean> {
  const [row] = await db
    .select({ id: requests.id })
    .from(requests)
    .where(and(eq(requests.issueKey, issueKey), isNull(requests.closedAt)))
    .limit(1);
  return row !== undefined;
}

export interface StoredRequest {
  readonly request: Request;
  readonly open: boolean;
}

/** Requests listed at once. */
const LISTED = 200;

/** Requests, the newest first: those that are open, or all. */
export async function listRequests(db: Database, onlyOpen: boolean): Promise<StoredRequest[]> {
  const rows = await db
    .select({ request: requests.request, closedAt: requests.closedAt })
    .from(requests)
    .where(onlyOpen ? isNull(requests.closedAt) : undefined)
    .orderBy(desc(sql`${requests.request} ->> 'askedAt'`))
    .limit(LISTED);
  return rows.map(({ request, closedAt }) => ({ request, open: closedAt === null }));
}

/** The requests whose id is, or begins and ends like, `<beginning of a run id>.<n>`: at most two. */
export async function findRequests(db: Database, id: string): Promise<StoredRequest[]> {
  const dot = id.lastIndexOf('.');
  const rows = await db
    .select({ request: requests.request, closedAt: requests.closedAt })
    .from(requests)
    .where(and(like(requests.id, `${id.slice(0, dot)}%`), like(requests.id, `%${id.slice(dot)}`)))
    .limit(2);
  return rows.map(({ request, closedAt }) => ({ request, open: closedAt === null }));
}
