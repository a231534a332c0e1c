/**
 * Codes of the driver and of Postgres for a server that cannot be reached, ends, starts, is too slow, has no room or no memory
 * left, or only reads (after a failover).
 */
const CONNECTION_CODES = /^(CONNECT\w*_\w+|CONNECTION_\w+|08\w{3}|53\d{3}|57P0\d|57014|55P03|25006)$/;

/** True for a connection error code of Postgres or its driver. Network codes, as ECONNRESET, could be of other connections. */
export function isConnectionCode(code: unknown): boolean {
  return typeof code === 'string' && CONNECTION_CODES.test(code);
}
