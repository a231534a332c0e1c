/** Servers of a test's own on loopback, for the doctor to ask. */
import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createAdaptorServer } from '@hono/node-server';
import type { Hono } from 'hono';
import { onTestFinished } from 'vitest';
import type { Finding } from '../../src/diagnostics/check.ts';

/** Serves an application until the test is over, and gives its address. */
export async function serve(app: Hono): Promise<string> {
  const server = createAdaptorServer({ fetch: app.fetch }) as Server;
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** A file with this content. */
export function fileOf(content: string): string {
  const path = join(mkdtempSync(join(tmpdir(), 'doctor-')), 'file');
  writeFileSync(path, content, { mode: 0o600 });
  return path;
}

/** Findings as short lines: `failed Postgres: …`. */
export function linesOf(findings: readonly Finding[]): string[] {
  return findings.map(({ verdict, check, found }) => `${verdict} ${check}: ${found}`);
}
