/** Migrates the database to this build's schema. Several processes may do so at once: the first one works. */
import { fileURLToPath } from 'node:url';
import { sql } from 'drizzle-orm';
import { readMigrationFiles } from 'drizzle-orm/migrator';
import { migrate } from 'drizzle-orm/postgres-js/migrator';
import { connect, type Database } from './database.ts';

/** The folder of SQL that drizzle-kit made. */
export const MIGRATIONS = fileURLToPath(new URL('../../../migrations', import.meta.url));

/** The database has migrations that this build does not have, and cannot be migrated to its schema. */
export class UnknownSchema extends Error {
  override readonly name = 'UnknownSchema';
}

/** Applies missing migrations. Throws `UnknownSchema`, and changes nothing, for a database of another line of builds. */
export async function migrateDatabase(url: string): Promise<void> {
  const connection = connect(url, { name: 'migrate', max: 1, statementTimeoutMs: 600_000 });
  try {
    await connection.db.execute(sql`select pg_advisory_lock(726_172)`);
    await assertKnownSchema(connection.db, new URL(url));
    await migrate(connection.db, { migrationsFolder: MIGRATIONS });
  } finally {
    await connection.close();
  }
}

/** A newer build has all migrations of this one and more, which is accepted. */
async function assertKnownSchema(db: Database, { hostname, port, pathname }: URL): Promise<void> {
  const applied = await appliedMigrations(db);
  const ours = readMigrationFiles({ migrationsFolder: MIGRATIONS }).map(({ hash }) => hash);
  const unknown = applied.filter((hash) => !ours.includes(hash)).length;
  if (unknown === 0 || ours.every((hash) => applied.includes(hash))) return;
  throw new UnknownSchema(
    `The database ${pathname.slice(1)} on ${hostname}:${port || '5432'} has ${unknown} migrations that this build does not have: it was ` +
      'made by codex-k8s 0.1, 0.2 or 0.3, and there is no upgrade from them.\n' +
      'Nothing was changed or deleted. Use an empty database (DATABASE_URL or CODEXK8S_DATABASE_URL_FILE), or start ' +
      '"codex-k8s up" with another directory (--data).',
  );
}

/** The hashes of the database's migrations; none for a new database. */
async function appliedMigrations(db: Database): Promise<string[]> {
  const [table] = await db.execute<{ name: string | null }>(
    sql`select to_regclass('drizzle.__drizzle_migrations')::text as name`,
  );
  if (!table?.name) return [];
  const applied = await db.execute<{ hash: string }>(sql`select hash from drizzle.__drizzle_migrations`);
  return applied.map(({ hash }) => hash);
}
