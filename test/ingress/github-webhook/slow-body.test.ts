import { once } from 'node:events';
import type { Server } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { createAdaptorServer } from '@hono/node-server';
import { Hono } from 'hono';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createGitHubWebhook } from '../../../ingress/github-webhook/route.ts';
import type { Database } from '../../../src/store/connection/database.ts';
import { createIntake } from '../../../src/store/intake/intake.ts';

let server: Server;
beforeEach(async () => {
  const app = new Hono();
  app.onError((_, c) => c.text('', 500));
  const intake = createIntake({} as Database);
  app.route('/hook', createGitHubWebhook({ intake, secrets: ['a-secret-of-the-test'], bodyTime: 100 }));
  server = createAdaptorServer({ fetch: app.fetch }) as Server;
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
});
afterEach(() => {
  server.close();
  server.closeAllConnections();
});

test.each(['Content-Length: 100', 'Transfer-Encoding: chunked'])(
  'a body that does not come is cut off (%s)',
  async (framing) => {
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
    socket.on('error', () => undefined);
    socket.write(
      `POST /hook HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nX-GitHub-Delivery: d\r\nX-GitHub-Event: ping\r\n${framing}\r\n\r\n1\r\n{`,
    );
    await once(socket, 'close');
    expect(socket.destroyed).toBe(true);
  },
);
