/** The databases that the platform made for projects. */
import { and, eq } from 'drizzle-orm';
import type { Database } from '../connection/database.ts';
import { projectDatabases } from '../connection/schema.ts';

export type ProjectDatabase = typeof projectDatabases.$inferSelect;

export async function findProjectDatabase(db: Database, name: string): Promise<ProjectDatabase | undefined> {
  const [row] = await db.select().from(projectDatabases).where(eq(projectDatabases.name, name));
  return row;
}

/** Records a database before it is made, and returns the record: an earlier one if there is one, whosever it is. */
export async function reserveProjectDatabase(
  db: Database,
  row: Omit<typeof projectDatabases.$inferInsert, 'state'>,
): Promise<ProjectDatabase> {
  await db
    .insert(projectDatabases)
    .values({ ...row, state: 'creating' })
    .onConflictDoNothing();
  const reserved = await findProjectDatabase(db, row.name);
  if (!reserved) throw new Error(`the database ${row.name} was deleted while it was created`);
  return reserved;
}

export async function setProjectDatabaseState(
  db: Database,
  name: string,
  state: ProjectDatabase['state'],
): Promise<void> {
  await db.update(projectDatabases).set({ state }).where(eq(projectDatabases.name, name));
}

/** Forgets a database that is gone. */
export async function forgetProjectDatabase(db: Database, name: string): Promise<void> {
  await db.delete(projectDatabases).where(and(eq(projectDatabases.name, name), eq(projectDatabases.state, 'deleting')));
}
