/** Listens for HTTP. No client can hold a connection by sending little (docs/reliability.md T04). */
import { readFileSync } from 'node:fs';
import type { Server } from 'node:http';
import { createServer as createTlsServer, type Server as TlsServer } from 'node:https';
import { createAdaptorServer } from '@hono/node-server';
import type { Hono } from 'hono';

/** Times for requests, in milliseconds; bodies have limits of their own (slow-bodies.ts). */
export interface RequestLimits {
  readonly headersMs: number;
  /** The whole request, also where a large body keeps coming. */
  readonly requestMs: number;
  /** Between two looks for connections that take too long. */
  readonly lookMs: number;
  /** Between two looks at the files of TLS. */
  readonly tlsLookMs: number;
}

export const REQUEST_LIMITS: RequestLimits = { headersMs: 10_000, requestMs: 300_000, lookMs: 2000, tlsLookMs: 60_000 };

/** Files in PEM; they are read again when they have changed, since certificates are renewed while the process runs. */
export interface TlsFiles {
  readonly certificate: string;
  readonly key: string;
  /** Called when the files of a running listener cannot be used; it goes on with what it had. */
  readonly onError: (error: unknown) => void;
}

/** Bytes of a request's headers. */
const HEADER_BYTES = 16 * 1024;

/** Serves `fetch` at the address; resolves when it listens, rejects if it cannot. */
export async function listen(
  fetch: Hono['fetch'],
  { host, port, tls }: { readonly host: string; readonly port: number; readonly tls?: TlsFiles | undefined },
  { headersMs, requestMs, lookMs, tlsLookMs }: RequestLimits = REQUEST_LIMITS,
): Promise<Server> {
  const serverOptions = {
    maxHeaderSize: HEADER_BYTES,
    headersTimeout: headersMs,
    requestTimeout: requestMs,
    connectionsCheckingInterval: lookMs,
  };
  const server = tls
    ? createAdaptorServer({
        fetch,
        createServer: createTlsServer,
        serverOptions: { ...serverOptions, minVersion: 'TLSv1.2', ...readTls(tls) },
      })
    : createAdaptorServer({ fetch, serverOptions });
  if (tls) renewTls(server as TlsServer, tls, tlsLookMs);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
  return server as Server;
}

function readTls({ certificate, key }: TlsFiles): { cert: string; key: string } {
  return { cert: readFileSync(certificate, 'utf8'), key: readFileSync(key, 'utf8') };
}

/** Connections that begin after the files have changed get the new certificate. */
function renewTls(server: TlsServer, files: TlsFiles, lookMs: number): void {
  let current = readTls(files);
  const timer = setInterval(() => {
    try {
      const now = readTls(files);
      if (now.cert === current.cert && now.key === current.key) return;
      server.setSecureContext(now);
      current = now;
    } catch (error) {
      files.onError(error);
    }
  }, lookMs);
  timer.unref();
  server.once('close', () => clearInterval(timer));
}
