import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createModelGateway } from '../../../ingress/gateways/model/model-gateway.ts';
import type { RunAccess } from '../../../ingress/gateways/run-access.ts';

const PLAIN = JSON.stringify({ model: 'gpt-5.5', input: 'Go on' });

describe('the model gateway', () => {
  let upstream: Server;
  let seen: { method: string; url: string; headers: IncomingHttpHeaders; body: string }[];
  let gateway: ReturnType<typeof createModelGateway>;

  beforeEach(async () => {
    seen = [];
    upstream = createServer((request, response) => {
      const { method = '', url = '', headers } = request;
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => seen.push({ method, url, headers, body: Buffer.concat(chunks).toString() }));
      response.writeHead(200, { 'content-type': 'application/json', 'openai-organization': 'acme' }).end('{}');
    });
    upstream.listen(0, '127.0.0.1');
    await once(upstream, 'listening');
    const access = { open: async (token) => (token === 'good' ? { model: 'gpt-5.5' } : undefined) } as RunAccess;
    const { port } = upstream.address() as AddressInfo;
    const url = `http://127.0.0.1:${port}/v1`;
    gateway = createModelGateway({
      access,
      openai: { url, key: 'sk-the-real-key' },
      anthropic: { url, key: 'sk-ant-the-real-key' },
    });
  });
  afterEach(() => {
    upstream.close();
    upstream.closeAllConnections();
  });

  const ask = async (
    method: string,
    path: string,
    token = 'good',
    body: string | Uint8Array<ArrayBuffer> = PLAIN,
  ): Promise<Response> =>
    gateway.request(path, {
      method,
      headers: { authorization: `Bearer ${token}` },
      ...(method === 'POST' ? { body } : {}),
    });

  test("shows the platform's key upstream, and never the run token", async () => {
    expect((await ask('POST', '/v1/responses')).status).toBe(200);
    expect(seen[0]?.headers.authorization).toBe('Bearer sk-the-real-key');
  });

  test('holds what an attempt asks whose tool call waits for a person, and asks the model nothing', async () => {
    gateway = createModelGateway({
      access: { open: async () => ({ model: 'gpt-5.5' }) } as unknown as RunAccess,
      openai: { url: 'http://127.0.0.1:1/v1', key: 'sk-the-real-key' },
      isParked: async () => true,
      holdMs: 1,
    });
    const answer = await ask('POST', '/v1/responses');
    expect([answer.status, seen]).toEqual([409, []]);
    expect(await answer.json()).toMatchObject({ message: expect.stringContaining('waits for a person') });
  });

  test('passes on what Codex says of its session, and nothing else of its headers', async () => {
    const session = {
      'session-id': 's',
      'thread-id': 't',
      'x-client-request-id': 'r',
      'x-codex-turn-metadata': '{}',
      'x-codex-window-id': 'w',
      session_id: 's',
      conversation_id: 't',
    };
    const headers = { authorization: 'Bearer good', ...session, cookie: 'x=y', 'openai-organization': 'other' };
    await gateway.request('/v1/responses', { method: 'POST', headers, body: PLAIN });
    expect(seen[0]?.headers).toMatchObject(session);
    expect(seen[0]?.headers).not.toHaveProperty('cookie');
    expect(seen[0]?.headers).not.toHaveProperty('openai-organization');
  });

  test('answers chat completions of programs that do not speak Responses', async () => {
    const body = JSON.stringify({ model: 'gpt-5.5', messages: [{ role: 'user', content: 'x' }] });
    expect((await ask('POST', '/v1/chat/completions', 'good', body)).status).toBe(200);
    expect(seen[0]?.url).toBe('/v1/chat/completions');
  });

  test.each([
    ['GET', '/v1/files'],
    ['POST', '/v1/messages/batches'],
    ['GET', '/v1/chat/completions'],
    ['POST', '/v1/constructor'],
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

  describe('S2: what an agent asks of the model', () => {
    test('is refused in words that its program shows, and does not reach the model', async () => {
      const body = JSON.stringify({ model: 'gpt-5.5', input: 'x', tools: [{ type: 'web_search' }] });
      for (const path of ['/v1/responses', '/v1/responses/compact']) {
        const answer = await ask('POST', path, 'good', body);
        expect(answer.status).toBe(400);
        expect(await answer.json()).toMatchObject({ message: expect.stringContaining('web_search runs at') as string });
      }
      expect(seen).toEqual([]);
    });

    test('is sent on as it was understood, if a field is there twice', async () => {
      await ask(
        'POST',
        '/v1/responses',
        'good',
        '{"model":"gpt-5.5-pro","background":true,"model":"gpt-5.5","background":false,"input":"x"}',
      );
      expect(seen[0]?.body).toBe('{"model":"gpt-5.5","background":false,"input":"x"}');
    });

    test.each<[string, string | Uint8Array<ArrayBuffer>]>([
      ['is no JSON', '{'],
      ['is empty', ''],
      ['is no UTF-8', new Uint8Array([0x22, 0xff, 0x22])],
    ])('is refused if it %s', async (_what, body) => {
      expect((await ask('POST', '/v1/responses', 'good', body)).status).toBe(400);
      expect(seen).toEqual([]);
    });

    test('is refused if it is compressed', async () => {
      const headers = { authorization: 'Bearer good', 'content-encoding': 'zstd' };
      expect((await gateway.request('/v1/responses', { method: 'POST', headers, body: PLAIN })).status).toBe(415);
      expect(seen).toEqual([]);
    });

    test('is refused if it is larger than a conversation is', async () => {
      expect((await ask('POST', '/v1/responses', 'good', `"${'x'.repeat(33 * 1024 * 1024)}"`)).status).toBe(413);
      expect(seen).toEqual([]);
    });
  });
});
