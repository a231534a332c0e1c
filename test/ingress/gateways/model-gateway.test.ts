import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createModelGateway } from '../../../ingress/gateways/model-gateway.ts';
import type { RunAccess } from '../../../ingress/gateways/run-access.ts';

describe('the model gateway', () => {
  let upstream: Server;
  let seen: { method: string; url: string; headers: IncomingHttpHeaders }[];
  let gateway: ReturnType<typeof createModelGateway>;

  beforeEach(async () => {
    seen = [];
    upstream = createServer((request, response) => {
      seen.push({ method: request.method ?? '', url: request.url ?? '', headers: request.headers });
      response.writeHead(200, { 'content-type': 'application/json', 'openai-organization': 'acme' }).end('{}');
    });
    upstream.listen(0, '127.0.0.1');
    await once(upstream, 'listening');
    const access = { open: async (token) => (token === 'good' ? {} : undefined) } as RunAccess;
    const { port } = upstream.address() as AddressInfo;
    gateway = createModelGateway({ access, upstream: `http://127.0.0.1:${port}/v1`, apiKey: 'sk-the-real-key' });
  });
  afterEach(() => {
    upstream.close();
    upstream.closeAllConnections();
  });

  const ask = async (method: string, path: string, token = 'good'): Promise<Response> =>
    gateway.request(path, {
      method,
      headers: { authorization: `Bearer ${token}` },
      ...(method === 'POST' ? { body: '{}' } : {}),
    });

  test("shows the platform's key upstream, and never the run token", async () => {
    expect((await ask('POST', '/v1/responses')).status).toBe(200);
    expect(seen[0]?.headers.authorization).toBe('Bearer sk-the-real-key');
  });

  test.each([
    ['GET', '/v1/files'],
    ['DELETE', '/v1/files/x'],
    ['POST', '/v1/batches'],
    ['GET', '/v1/responses/another'],
    ['POST', '/v1/responses/../batches'],
  ])('keeps the rest of the account closed: %s %s', async (method, path) => {
    expect((await ask(method, path)).status).toBe(404);
    expect(seen).toEqual([]);
  });

  test('opens nothing without a run', async () => {
    expect((await ask('POST', '/v1/responses', 'bad')).status).toBe(401);
    expect(seen).toEqual([]);
  });

  test('tells an agent nothing of whose account it is', async () => {
    expect((await ask('GET', '/v1/models')).headers.get('openai-organization')).toBeNull();
  });

  test('says so when the model does not answer', async () => {
    upstream.close();
    upstream.closeAllConnections();
    await once(upstream, 'close');
    expect((await ask('POST', '/v1/responses')).status).toBe(503);
  });
});
