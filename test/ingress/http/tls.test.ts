import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, type PeerCertificate } from 'node:tls';
import { Hono } from 'hono';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { listen, REQUEST_LIMITS } from '../../../ingress/http/listen.ts';
import { createAuthority, type Authority } from '../../support/certificates.ts';
import { eventually } from '../../support/stack.ts';

let directory: string;
let authority: Authority;
let server: Server;
let problems: unknown[];

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'tls-'));
  authority = createAuthority();
  problems = [];
  install('first.test');
  const tls = {
    certificate: join(directory, 'tls.crt'),
    key: join(directory, 'tls.key'),
    onError: (error: unknown) => problems.push(error),
  };
  const app = new Hono().get('/', (c) => c.text('over TLS'));
  server = await listen(app.fetch, { host: '127.0.0.1', port: 0, tls }, { ...REQUEST_LIMITS, tlsLookMs: 10 });
});
afterEach(() => {
  server.close();
  server.closeAllConnections();
  authority.remove();
  rmSync(directory, { recursive: true, force: true });
});

function install(name: string): void {
  const { certificate, key } = authority.issue(name);
  copyFileSync(key, join(directory, 'tls.key'));
  copyFileSync(certificate, join(directory, 'tls.crt'));
}

/** What the listener shows to a client that trusts the authority, and the start of its answer. */
async function ask(): Promise<{ name: string; answer: string }> {
  const { port } = server.address() as AddressInfo;
  const socket = connect({ host: '127.0.0.1', port, ca: readFileSync(authority.certificate) });
  socket.write('GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
  let answer = '';
  let peer: PeerCertificate | undefined;
  socket.once('secureConnect', () => (peer = socket.getPeerCertificate()));
  for await (const chunk of socket) answer += String(chunk);
  return { name: String(peer?.subject.CN), answer };
}

test('a client that trusts the authority is answered over TLS', async () => {
  expect(await ask()).toEqual({ name: 'first.test', answer: expect.stringMatching(/^HTTP\/1.1 200 [^]*over TLS/) });
});

test('a client that does not trust it is not answered, nor one without TLS', async () => {
  const { port } = server.address() as AddressInfo;
  await expect(fetch(`https://127.0.0.1:${port}/`)).rejects.toThrow('fetch failed');
  await expect(fetch(`http://127.0.0.1:${port}/`)).rejects.toThrow('fetch failed');
});

test('a certificate that is renewed is shown to new connections', async () => {
  install('second.test');
  await eventually('the new certificate', async () => (await ask()).name === 'second.test');
});

test('a renewed certificate that cannot be used is reported, and the old one stays', async () => {
  writeFileSync(join(directory, 'tls.crt'), 'nothing');
  await eventually('a report', () => problems.length > 0);
  expect((await ask()).name).toBe('first.test');
});
