/** What was found out about the cluster for agents, for people to see. */
import { desc, sql } from 'drizzle-orm';
import type { Database } from './database.ts';
import { clusterFindings } from './schema.ts';

export type ClusterFinding = typeof clusterFindings.$inferSelect;

/** Keeps the newest finding of its kind. */
export async function storeClusterFinding(
  db: Database,
  { name, state, detail }: Pick<ClusterFinding, 'name' | 'state' | 'detail'>,
): Promise<void> {
  await db
    .insert(clusterFindings)
    .values({ name, state, detail })
    .onConflictDoUpdate({ target: clusterFindings.name, set: { state, detail, foundAt: sql`now()` } });
}

/** All findings, the newest first. */
export async function listClusterFindings(db: Database): Promise<ClusterFinding[]> {
  return db.select().from(clusterFindings).orderBy(desc(clusterFindings.foundAt));
}
