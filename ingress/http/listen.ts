/** Listens for HTTP. No client can hold a connection by sending little (docs/reliability.md T04). */
import type { Server } from 'node:http';
import { createAdaptorServer } from '@hono/node-server';
import type { Hono } from 'hono';

/** Times for requests, in milliseconds; bodies have limits of their own (slow-bodies.ts). */
export interface RequestLimits {
  readonly headersMs: number;
  /** The whole request, also where a large body keeps coming. */
  readonly requestMs: number;
  /** Between two looks for connections that take too long. */
  readonly lookMs: number;
}

export const REQUEST_LIMITS: RequestLimits = { headersMs: 10_000, requestMs: 300_000, lookMs: 2000 };

/** Bytes of a request's headers. */
const HEADER_BYTES = 16 * 1024;

/** Serves `fetch` at the address; resolves when it listens, rejects if it cannot. */
export async function listen(
  fetch: Hono['fetch'],
  { host, port }: { readonly host: string; readonly port: number },
  { headersMs, requestMs, lookMs }: RequestLimits = REQUEST_LIMITS,
): Promise<Server> {
  const serverOptions = {
    maxHeaderSize: HEADER_BYTES,
    headersTimeout: headersMs,
    requestTimeout: requestMs,
    connectionsCheckingInterval: lookMs,
  };
  const server = createAdaptorServer({ fetch, serverOptions }) as Server;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
  return server;
}
