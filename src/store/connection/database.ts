/** The connection to Postgres. */
import { drizzle, type PostgresJsDatabase } from 'drizzle-orm/postgres-js';
import type postgres from 'postgres';
import { openDriver } from './driver.ts';
import * as schema from './schema.ts';

export type Database = PostgresJsDatabase<typeof schema>;
export type Transaction = Parameters<Parameters<Database['transaction']>[0]>[0];

export interface Connection {
  readonly db: Database;
  readonly sql: postgres.Sql;
  close(): Promise<void>;
}

/** The driver under a database, for statements that are better written by hand. */
export function driverOf(db: Database): postgres.Sql {
  return (db as Database & { readonly $client: postgres.Sql }).$client;
}

interface ConnectionOptions {
  readonly name: string;
  readonly max?: number;
  /** The limits of a statement, and of its wait for a lock. */
  readonly statementTimeoutMs?: number;
  readonly lockTimeoutMs?: number;
  /** Wraps the driver, for tests. */
  readonly around?: ((sql: postgres.Sql) => postgres.Sql) | undefined;
}

/** The pool of pages and the staff API: whoever looks waits for nobody, and nobody waits for whoever looks (T52). */
export const PAGES_CONNECTION = { name: 'pages', max: 8, statementTimeoutMs: 2000, lockTimeoutMs: 1000 };

const CONNECTIONS = 10;
const STATEMENT_TIMEOUT_MS = 10_000;
const LOCK_TIMEOUT_MS = 4000;

/**
 * Opens a pool. Nothing on it waits for ever: the server ends statements that take too long and transactions whose client is
 * silent, and the client gives up a connection on which nothing comes back (docs/reliability.md T51).
 */
export function connect(url: string, { around, ...options }: ConnectionOptions): Connection {
  const driver = openDriver(url, {
    max: CONNECTIONS,
    statementTimeoutMs: STATEMENT_TIMEOUT_MS,
    lockTimeoutMs: LOCK_TIMEOUT_MS,
    ...options,
  });
  const sql = around?.(driver) ?? driver;
  return { db: drizzle(sql, { schema }), sql, close: () => sql.end({ timeout: 5 }) };
}
