/** Addresses of the platform's own services, which no agent may reach. */

/** Postgres listens on this port if its URL names none. */
const POSTGRES_PORT = '5432';

/**
 * `host:port` of Postgres and Temporal. Those on loopback are left out: in an agent's pod, loopback is the pod itself.
 * `temporalAddress` is a `host:port` already.
 */
export function serviceAddresses(databaseUrl: string, temporalAddress: string): string[] {
  const { hostname, port } = new URL(databaseUrl);
  const addresses = [`${hostname}:${port || POSTGRES_PORT}`, temporalAddress];
  return addresses.filter((address) => !/^(127\.[\d.]+|localhost|\[::1\])(:|$)/.test(address));
}
