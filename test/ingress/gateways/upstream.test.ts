import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { createUpstream, GATEWAY_LIMITS } from '../../../ingress/gateways/upstream.ts';

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

test("I23: a model that is silent for longer than Node's own limit is waited for, by the limit that is given", async () => {
  // Node's 300 s and production's 960 s, scaled; what is silent until the first has passed goes on under the second.
  const [nodes, productions] = [1000, 60_000];
  const { url, more } = await silentServer();
  const client = (silenceMs: number) => createUpstream({ ...GATEWAY_LIMITS, silenceMs })(url, request());
  const waited = await client(productions);
  expect([waited.status, waited.headers.get('x-request-id')]).toEqual([201, 'r1']);
  const cut = await client(nodes);
  await expect(cut.text()).rejects.toThrow('terminated');
  more();
  expect(await waited.text()).toBe('data: one\n\ndata: two\n\n');
});

test('an agent that hangs up ends the call of the gateway', async () => {
  const { url } = await silentServer();
  const hungUp = new AbortController();
  const answer = await createUpstream()(url, { ...request(), signal: hungUp.signal });
  hungUp.abort();
  await expect(answer.text()).rejects.toThrow(/abort/i);
});
