/** Brings the database up to this build's schema. Several processes may do so at once: the first one works. */
import { fileURLToPath } from 'node:url';
import { sql } from 'drizzle-orm';
import { migrate } from 'drizzle-orm/postgres-js/migrator';
import { connect } from '../../store/connection/database.ts';

/** The folder of SQL that drizzle-kit made. */
export const MIGRATIONS = fileURLToPath(new URL('../../../migrations', import.meta.url));

export async function migrateDatabase(url: string): Promise<void> {
  const connection = connect(url, { name: 'migrate', max: 1, statementTimeoutMs: 600_000 });
  try {
    await connection.db.execute(sql`select pg_advisory_lock(726_172)`);
    await migrate(connection.db, { migrationsFolder: MIGRATIONS });
  } finally {
    await connection.close();
  }
}
