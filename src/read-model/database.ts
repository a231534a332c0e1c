/** The connection to Postgres. */
import { drizzle, type PostgresJsDatabase } from 'drizzle-orm/postgres-js';
import postgres from 'postgres';
import * as schema from './schema.ts';

export type Database = PostgresJsDatabase<typeof schema>;
export type Transaction = Parameters<Parameters<Database['transaction']>[0]>[0];

export interface Connection {
  readonly db: Database;
  readonly sql: postgres.Sql;
  close(): Promise<void>;
}

/**
 * Opens a pool. `statementTimeoutMs` bounds every statement on the server's side; what must be answered in time bounds
 * itself on this side too, since a black-holed socket never answers (reliability.md, section 6).
 */
export function connect(url: string, options: { max?: number; statementTimeoutMs?: number; name: string }): Connection {
  const sql = postgres(url, {
    max: options.max ?? 10,
    connect_timeout: 4,
    idle_timeout: 60,
    onnotice: () => {},
    connection: {
      application_name: `codex-k8s ${options.name}`,
      statement_timeout: options.statementTimeoutMs ?? 10_000,
      lock_timeout: 4000,
    },
  });
  return { db: drizzle(sql, { schema }), sql, close: () => sql.end({ timeout: 5 }) };
}
