/** Issues and runs as their workflows show themselves. Safe to repeat and to reorder: an older write never wins. */
import { eq, sql, type SQL } from 'drizzle-orm';
import type { PriorIssueState } from '../../domain/issue/gates.ts';
import { announce } from '../../store/connection/changes.ts';
import type { Database } from '../../store/connection/database.ts';
import { appendInOrder, type ChainLink, type FlowEvent } from '../../store/audit/events.ts';
import { issues, runs } from '../../store/connection/schema.ts';

/** Rows as plain JSON: instants are ISO 8601, so that they cross Temporal unchanged. */
type Plain<Row> = {
  readonly [Key in keyof Row]: Row[Key] extends Date ? string : Row[Key] extends Date | null ? string | null : Row[Key];
};
export type IssueRow = Plain<typeof issues.$inferSelect>;
export type RunRow = Plain<typeof runs.$inferSelect>;

/** Writes an issue's row and events; returns the places of the events in the chain. */
export async function projectIssue(db: Database, row: IssueRow, events: readonly FlowEvent[]): Promise<ChainLink[]> {
  const { key: _, ...columns } = { ...row, updatedAt: new Date(row.updatedAt) };
  return db.transaction(async (tx) => {
    await tx
      .insert(issues)
      .values({ key: row.key, ...columns })
      .onConflictDoUpdate({
        target: issues.key,
        // A workflow that does not know the past yet does not wipe it out.
        set: { ...columns, past: sql`coalesce(excluded.past, ${issues.past})` },
        setWhere: older(issues.revision, issues.updatedAt),
      });
    const links = await appendInOrder(tx, events);
    await announce(tx, { kind: 'issue', key: row.key });
    return links;
  });
}

/** Writes a run's row and events; returns the places of the events in the chain. */
export async function projectRun(db: Database, row: RunRow, events: readonly FlowEvent[]): Promise<ChainLink[]> {
  const { id: _, ...columns } = {
    ...row,
    createdAt: new Date(row.createdAt),
    startedAt: row.startedAt === null ? null : new Date(row.startedAt),
    finishedAt: row.finishedAt === null ? null : new Date(row.finishedAt),
  };
  return db.transaction(async (tx) => {
    await tx
      .insert(runs)
      .values({ id: row.id, ...columns })
      .onConflictDoUpdate({ target: runs.id, set: columns, setWhere: sql`${runs.revision} < excluded.revision` });
    const links = await appendInOrder(tx, events);
    await announce(tx, { kind: 'run', key: row.id });
    await announce(tx, { kind: 'issue', key: row.issueKey });
    return links;
  });
}

/** A reopened issue has a new workflow that counts its revisions anew, later in time. */
function older(revision: typeof issues.revision, updatedAt: typeof issues.updatedAt): SQL {
  return sql`(${updatedAt}, ${revision}) < (excluded.updated_at, excluded.revision)`;
}

/** What an issue has done so far, or null for one that the read model does not know. */
export async function findPast(db: Database, key: string): Promise<PriorIssueState | null> {
  const [row] = await db.select({ past: issues.past }).from(issues).where(eq(issues.key, key));
  return row?.past ?? null;
}

/** A run's row, or undefined. */
export async function findRun(db: Database, id: string): Promise<typeof runs.$inferSelect | undefined> {
  const [row] = await db.select().from(runs).where(eq(runs.id, id));
  return row;
}
