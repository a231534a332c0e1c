import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { createUpstream, UPSTREAM_LIMITS } from '../../../ingress/gateways/upstream.ts';

let server: Server;
afterEach(() => {
  server.closeAllConnections();
  server.close();
});

/** A server that begins an answer and then says nothing until `more` is called. */
async function silentServer(): Promise<{ url: string; more: () => void }> {
  const silence = Promise.withResolvers<void>();
  server = createServer((_request, response) => {
    response.writeHead(201, { 'content-type': 'text/event-stream', 'x-request-id': 'r1' });
    response.write('data: one\n\n');
    void silence.promise.then(() => response.end('data: two\n\n'));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, more: () => silence.resolve() };
}

const request = () => ({
  method: 'POST',
  headers: new Headers({ accept: '*/*' }),
  body: '{}',
  signal: new AbortController().signal,
});

test('I23: a model that is silent in mid-stream is cut by the limit that the client is given', async () => {
  const { url } = await silentServer();
  const answer = await createUpstream({ ...UPSTREAM_LIMITS, silenceMs: 1000 })(url, request());
  await expect(answer.text()).rejects.toThrow('terminated');
});

test('I23: the gateways have no such limit, also not that of Node, and the answer goes on after the silence', async () => {
  expect(UPSTREAM_LIMITS.silenceMs).toBe(0);
  const { url, more } = await silentServer();
  const answer = await createUpstream()(url, request());
  expect([answer.status, answer.headers.get('x-request-id')]).toEqual([201, 'r1']);
  const reader = answer.body?.pipeThrough(new TextDecoderStream()).getReader();
  expect(await reader?.read()).toMatchObject({ value: 'data: one\n\n' });
  more();
  expect(await reader?.read()).toMatchObject({ value: 'data: two\n\n' });
});

test('an agent that hangs up ends the call of the gateway', async () => {
  const { url } = await silentServer();
  const hungUp = new AbortController();
  const answer = await createUpstream()(url, { ...request(), signal: hungUp.signal });
  hungUp.abort();
  await expect(answer.text()).rejects.toThrow(/abort/i);
});
