/**
 * Everything that is used of the driver, postgres.js, beyond its documented interface and its types: how a query is sent and
 * ended, and options of a pool. Without it a transaction could not survive a lost connection (sessions.ts), and a silent
 * connection would not be noticed (driver.ts); the driver offers no other way. The driver's version is pinned;
 * test/store/connection/driver-internals.test.ts fails when another one works differently.
 */
import type { Socket } from 'node:net';
import type postgres from 'postgres';

/** A query of the driver, with what its types leave out. */
export type Query = postgres.PendingQuery<postgres.Row[]> & {
  /** Sends it; called once, when the result is awaited. */
  handler: (query: Query) => void;
  /** The driver calls it with the result. */
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: unknown) => void;
  /** The driver does not send one that was cancelled. */
  cancelled: unknown;
};

/** The driver's types know neither `socket` nor all parameters of Postgres. */
export type PoolOptions = postgres.Options<Record<string, postgres.PostgresType>>;

/** The server's address when the driver wants a socket; several hosts are tried in turn. */
export interface Address {
  readonly host: readonly string[];
  readonly port: readonly number[];
  readonly path: string | false;
}

/** Options that the driver reads but its types do not list. */
interface UndocumentedOptions {
  /** Opens a connection's socket in place of the driver. */
  readonly socket: (address: Address) => Socket;
  /** Called when a connection was closed by either side. */
  readonly onclose?: () => void;
}

/** A pool's options with those that the driver's types do not know. */
export function poolOptions(documented: object, undocumented: UndocumentedOptions): PoolOptions {
  return { ...documented, ...undocumented } as PoolOptions;
}

/** Callbacks of a watched query. */
export interface QueryWatch {
  /** It is about to be sent; it is not sent unless `send` is called. */
  sending(send: () => void): void;
  answered(): void;
  failed(error: unknown): void;
}

/** Watches a query that was not sent yet. */
export function watchQuery(query: Query, watch: QueryWatch): Query {
  const { handler, resolve, reject } = query;
  return Object.assign(query, {
    handler: () => watch.sending(() => handler(query)),
    resolve(result: unknown) {
      watch.answered();
      resolve(result);
    },
    reject(error: unknown) {
      watch.failed(error);
      reject(error);
    },
  });
}

/** Fails a query that has no answer yet; the driver sends it on no connection any more. */
export function abandonQuery(query: Query, error: Error): void {
  query.cancelled = true;
  query.reject(error);
}

/** Copies to one pool the options and types that were set for another, by drizzle for example. */
export function shareTypes(from: postgres.Sql, to: postgres.Sql): void {
  Object.assign(to.options.parsers, from.options.parsers);
  Object.assign(to.options.serializers, from.options.serializers);
  Object.assign(arrayTypes(to), arrayTypes(from));
}

/** The array types that a pool has learned from Postgres, by the types of their elements. */
export function arrayTypes({ options }: postgres.Sql): object {
  return (options as unknown as { shared: { typeArrayMap: object } }).shared.typeArrayMap;
}
