/**
 * What the intake is measured beside, each in a process of its own: a route that only verifies the signature, probot's
 * webhook handler, and a route that verifies and commits one row for each delivery.
 */
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { getRequestListener } from '@hono/node-server';
import { Hono } from 'hono';
import postgres from 'postgres';
import { createProbot, createNodeMiddleware } from 'probot';
import { signedBy } from '../../ingress/github-webhook/signature.ts';
import { PATH, SECRET } from './deliveries.ts';

const [kind = '', databaseUrl = ''] = process.argv.slice(2);

const LISTENERS: Record<string, () => RequestListener | Promise<RequestListener>> = {
  bare: () => verifying(async () => {}),
  probot: () =>
    createNodeMiddleware((app) => app.on('issues.labeled', () => {}), {
      webhooksPath: PATH,
      probot: createProbot({
        overrides: { githubToken: 'not used', secret: SECRET, logLevel: 'fatal' },
      }),
    }),
  'one-row': oneRow,
};

const listener = await LISTENERS[kind]?.();
if (!listener) throw new Error(`there is no subject ${kind}`);
const server = createServer(listener).listen(0, '127.0.0.1', () => {
  const { port } = server.address() as AddressInfo;
  process.send?.({ url: `http://127.0.0.1:${port}` });
});
process.once('disconnect', () => process.exit());

/** A route that checks the signature, and then does one thing. */
function verifying(keep: (id: string, body: Buffer) => Promise<void>): RequestListener {
  const app = new Hono();
  app.post(PATH, async (c) => {
    const body = Buffer.from(await c.req.arrayBuffer());
    if (signedBy([SECRET], body, c.req.header('x-hub-signature-256')) === -1) return c.json({ status: 'refused' }, 401);
    await keep(c.req.header('x-github-delivery') ?? '', body);
    return c.json({ status: 'accepted' }, 202);
  });
  const listener = getRequestListener(app.fetch);
  return (request, response) => void listener(request, response);
}

/** With as many connections to Postgres as our intake has. */
async function oneRow(): Promise<RequestListener> {
  const sql = postgres(databaseUrl, { max: 8, onnotice: () => {} });
  await sql`create table if not exists deliveries (
    id text primary key, body bytea not null, received_at timestamptz not null default now())`;
  return verifying(async (id, body) => {
    await sql`insert into deliveries (id, body) values (${id}, ${body}) on conflict do nothing`;
  });
}
