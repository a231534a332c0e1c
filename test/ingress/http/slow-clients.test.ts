/** Clients that send little, over sockets. */
import { once } from 'node:events';
import type { Server } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { Hono } from 'hono';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { listen } from '../../../ingress/http/listen.ts';
import { limitBodies } from '../../../ingress/http/slow-bodies.ts';
import { eventually } from '../../support/stack.ts';

let server: Server;
let sockets: Socket[];

async function start(limits: { headersMs?: number; wholeMs?: number; idleMs?: number }): Promise<void> {
  const { headersMs = 60_000, wholeMs = 60_000, idleMs = 60_000 } = limits;
  const app = new Hono();
  app.use(limitBodies({ wholeMs, idleMs }));
  app.onError((_, c) => c.text('', 500));
  app.post('*', async (c) => c.text(await c.req.text()));
  server = await listen(
    app.fetch,
    { host: '127.0.0.1', port: 0 },
    { headersMs, requestMs: 120_000, lookMs: 20, tlsLookMs: 60_000 },
  );
}

beforeEach(() => {
  sockets = [];
});
afterEach(() => {
  for (const socket of sockets) socket.destroy();
  server.close();
  server.closeAllConnections();
});

function open(text: string): Socket {
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  socket.on('error', () => undefined);
  socket.resume();
  socket.write(text);
  sockets.push(socket);
  return socket;
}

async function closed(socket: Socket): Promise<void> {
  await new Promise<void>((resolve) => {
    if (socket.closed) resolve();
    else socket.once('close', () => resolve());
  });
}

const post = (path: string, framing: string): string =>
  `POST ${path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n${framing}\r\n\r\n`;

/** Sends a byte now and then, until the connection is closed or the function that it returns is called. */
function drip(socket: Socket, byte: string): () => void {
  const timer = setInterval(() => socket.write(byte), 5);
  const stop = (): void => clearInterval(timer);
  socket.once('close', stop);
  return stop;
}

describe('T04: a client that sends little', () => {
  test.each(['POST / HTTP/1.1\r\nHost: x\r\nX-Half: ', 'P'])('T04: half a header is cut off (%j)', async (half) => {
    await start({ headersMs: 100 });
    await closed(open(half));
  });

  test('T04: a header that comes a byte at a time is cut off', async () => {
    await start({ headersMs: 100 });
    const socket = open('POST / HTTP/1.1\r\nHost: x\r\nX-Slow: ');
    drip(socket, 'x');
    await closed(socket);
  });

  test.each([
    ['/api/v1/webhooks/github', 'Content-Length: 100'],
    ['/api/v1/webhooks/github', 'Transfer-Encoding: chunked'],
    ['/login', 'Content-Length: 100'],
    ['/api/v1/runs/1/cancel', 'Content-Length: 100'],
    ['/', 'Content-Length: 100'],
  ])('T04: half a body is cut off (%s, %s)', async (path, framing) => {
    await start({ wholeMs: 100 });
    await closed(open(`${post(path, framing)}1\r\n{`));
  });

  test('T04: a body that comes a byte at a time is cut off', async () => {
    await start({ wholeMs: 100 });
    const socket = open(post('/api/v1/webhooks/github', 'Content-Length: 1000000'));
    drip(socket, '{');
    await closed(socket);
  });

  test.each(['/api/v1/agent/conversation', '/git/o/r.git/git-receive-pack', '/model/v1/responses'])(
    "T04: an agent's body of which nothing more comes is cut off (%s)",
    async (path) => {
      await start({ idleMs: 100 });
      await closed(open(`${post(path, 'Content-Length: 100')}x`));
    },
  );

  test("T04: an agent's large body may take longer than a delivery's, as long as it goes on", async () => {
    await start({ wholeMs: 50, idleMs: 10_000 });
    const short = open(post('/login', 'Content-Length: 100000'));
    const socket = open(post('/api/v1/agent/conversation', 'Content-Length: 3'));
    let answer = '';
    socket.on('data', (data) => (answer += String(data)));
    socket.write('ab');
    // By now a delivery would have been cut off.
    await closed(short);
    socket.write('c');
    await eventually('the answer', () => answer.endsWith('abc'));
    expect(answer).toMatch(/^HTTP\/1.1 200 /);
  });

  test('T04: five hundred of them keep nobody else from being answered', async () => {
    await start({ headersMs: 60_000, wholeMs: 60_000 });
    const slow = Array.from({ length: 500 }, (_, n) =>
      open(n % 2 === 0 ? 'POST / HTTP/1.1\r\nHost: x\r\nX-H' : `${post('/hook', 'Content-Length: 9')}{`),
    );
    await Promise.all(slow.filter(({ connecting }) => connecting).map(async (socket) => once(socket, 'connect')));
    const { port } = server.address() as AddressInfo;
    const answer = await fetch(`http://127.0.0.1:${port}/hook`, { method: 'POST', body: 'mine' });
    expect([answer.status, await answer.text()]).toEqual([200, 'mine']);
    expect(slow.filter(({ destroyed }) => destroyed)).toEqual([]);
  });
});
