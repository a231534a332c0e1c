/** Limits how often a client may try something, such as a password, in a minute. */
import type { IncomingMessage } from 'node:http';
import type { Context } from 'hono';
import { RequestRefused } from './errors.ts';

const WINDOW_MS = 60_000;
/** Clients that are remembered; beyond that the oldest are forgotten. */
const MOST_CLIENTS = 10_000;

export interface Attempts {
  /** Counts an attempt of the request's client; throws a `RequestRefused` (429) if it has had too many in the last minute. */
  count(c: Context): void;
}

/** `limit`: attempts of one client in a minute. Each process counts by itself. */
export function createAttempts(limit: number): Attempts {
  const clients = new Map<string, { since: number; count: number }>();
  return {
    count(c) {
      const client = clientOf(c);
      const now = performance.now();
      const known = clients.get(client);
      const current = known && now - known.since < WINDOW_MS ? known : { since: now, count: 0 };
      clients.delete(client);
      clients.set(client, current);
      if (clients.size > MOST_CLIENTS) clients.delete(clients.keys().next().value ?? '');
      current.count += 1;
      if (current.count <= limit) return;
      const seconds = Math.ceil((current.since + WINDOW_MS - now) / 1000);
      throw new RequestRefused(
        'resource_exhausted',
        `more than ${limit} attempts in a minute; try again in ${seconds} s`,
        undefined,
        seconds,
      );
    },
  };
}

/** The address that the connection comes from: of IPv6 its network, since one client has many. Headers are not believed. */
export function clientOf(c: Context): string {
  const { incoming } = (c.env ?? {}) as { incoming?: IncomingMessage };
  const address = (incoming?.socket.remoteAddress ?? '').replace(/^::ffff:(?=\d+\.)/i, '');
  return address.includes(':') ? address.split(':').slice(0, 4).join(':') : address;
}
