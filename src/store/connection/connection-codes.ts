/** Codes of the driver and of Postgres for a server that cannot be reached, ends, starts, or is too slow. */
const CONNECTION_CODES = /^(CONNECT\w*_\w+|CONNECTION_\w+|08\w{3}|53300|57P0\d|57014|55P03)$/;

/** Whether an error's `code` is the database's own word for a lost connection; the network's codes could be anybody's. */
export function isConnectionCode(code: unknown): boolean {
  return typeof code === 'string' && CONNECTION_CODES.test(code);
}
