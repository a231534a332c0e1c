/** The platform's database in the embedded PostgreSQL. */
import postgres from 'postgres';
import { POSTGRES_DATABASE } from './names.ts';

/** Creates the database if it is missing. `serverUrl` names the database `postgres`. Rejects while PostgreSQL is unavailable. */
export async function ensureDatabase(serverUrl: string): Promise<boolean> {
  const sql = postgres(serverUrl, { max: 1, connect_timeout: 2, onnotice: () => {} });
  try {
    const found = await sql`select from pg_database where datname = ${POSTGRES_DATABASE}`;
    if (found.length === 0) await sql`create database ${sql(POSTGRES_DATABASE)}`;
    return true;
  } finally {
    await sql.end({ timeout: 1 });
  }
}
