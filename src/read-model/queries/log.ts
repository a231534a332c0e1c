/** Reads run logs. */
import { and, asc, desc, eq, gt } from 'drizzle-orm';
import type { Database } from '../../store/connection/database.ts';
import { runLogLines } from '../../store/connection/schema.ts';
import { bounded } from './page.ts';

/** Lines in one answer, at most. */
export const LOG_LIMIT = 1000;

const columns = { n: runLogLines.n, at: runLogLines.at, kind: runLogLines.kind, text: runLogLines.text };

export type LogRecord = Pick<typeof runLogLines.$inferSelect, keyof typeof columns>;

/** The lines after line `n`, in their order; -1 is before the first. */
export async function readLog(
  db: Database,
  runId: string,
  { after, limit }: { after: number; limit: number },
): Promise<LogRecord[]> {
  return db
    .select(columns)
    .from(runLogLines)
    .where(and(eq(runLogLines.runId, runId), gt(runLogLines.n, after)))
    .orderBy(asc(runLogLines.n))
    .limit(bounded(limit, LOG_LIMIT));
}

/** The last lines, in their order. */
export async function readLogEnd(db: Database, runId: string, limit: number): Promise<LogRecord[]> {
  const rows = await db
    .select(columns)
    .from(runLogLines)
    .where(eq(runLogLines.runId, runId))
    .orderBy(desc(runLogLines.n))
    .limit(bounded(limit, LOG_LIMIT));
  return rows.toReversed();
}
