/** What is known of the platform's labels in a repository: an issue may carry one that was put on under another name. */
import { eq, ne, sql } from 'drizzle-orm';
import type { Database } from '../connection/database.ts';
import { repositoryLabels } from '../connection/schema.ts';

/** A label with GitHub's id. */
export interface LabelId {
  readonly name: string;
  readonly id: number;
}

/** A label, and since when (ISO 8601) it is known to have its name. */
export interface KnownLabel extends LabelId {
  readonly since: string;
}

/** Remembers labels. One that has another id than before is known since `since`, and any other as long as before. */
export async function knowLabels(
  db: Database,
  repositoryId: number,
  labels: readonly LabelId[],
  since: Date,
): Promise<void> {
  if (labels.length === 0) return;
  await db
    .insert(repositoryLabels)
    .values(labels.map(({ name, id }) => ({ repositoryId, name, labelId: id, knownSince: since })))
    .onConflictDoUpdate({
      target: [repositoryLabels.repositoryId, repositoryLabels.name],
      set: { labelId: sql`excluded.label_id`, knownSince: sql`excluded.known_since` },
      setWhere: ne(repositoryLabels.labelId, sql`excluded.label_id`),
    });
}

/** What is known of a repository's labels. */
export async function readKnownLabels(db: Database, repositoryId: number): Promise<KnownLabel[]> {
  const rows = await db.select().from(repositoryLabels).where(eq(repositoryLabels.repositoryId, repositoryId));
  return rows.map(({ name, labelId, knownSince }) => ({ name, id: labelId, since: knownSince.toISOString() }));
}
