import { request as ask, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { serve } from '@hono/node-server';
import { createGitHubWebhook } from '../../../ingress/github-webhook/route.ts';
import { sign } from '../../../ingress/github-webhook/signature.ts';
import { reconcileId } from '../../../src/domain/maintenance/reconcile.ts';
import type { Database } from '../../../src/store/connection/database.ts';
import { drizzle } from 'drizzle-orm/postgres-js';
import { createIntake } from '../../../src/store/intake/intake.ts';
import * as schema from '../../../src/store/connection/schema.ts';
import { bind } from '../../support/tables.ts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { labeled, LIMIT, PATH, SECRET, send, type Sent, useWebhook } from './support/webhook.ts';

const { tables, webhook } = useWebhook();

describe('T01: the secret', () => {
  test.each<[string, string[]]>([
    ['is missing', []],
    ['is empty', ['']],
    ['is short', ['fifteen letters']],
    ['is short beside a good one', [SECRET, 'short']],
  ])('that %s is refused at the start', (_what, secrets) => {
    expect(() => createGitHubWebhook({ intake: createIntake(tables.db), secrets })).toThrow('secret');
  });
});

describe('T02: while the secret is rotated', () => {
  const secrets = ['the newest secret', 'the secret before', 'the oldest secret'];

  /** The answer, and what the audit trail says of the key. */
  async function signedWith(secret: string, known = secrets): Promise<unknown> {
    await bind(tables.db);
    const { status, body } = await send(webhook({ secrets: known }), labeled(), { secret });
    const events = await tables.db.select({ payload: schema.flowEvents.payload }).from(schema.flowEvents);
    return { status, answered: body['key'], recorded: events.map(({ payload }) => (payload as { key?: string }).key) };
  }

  test('T02: a delivery with the newest secret is accepted', async () => {
    expect(await signedWith('the newest secret')).toEqual({ status: 202, answered: undefined, recorded: [undefined] });
  });

  test.each(['the secret before', 'the oldest secret'])(
    'T02: a delivery with %s is accepted, and the answer and the audit trail say that the key is a previous one',
    async (secret) => {
      expect(await signedWith(secret)).toEqual({ status: 202, answered: 'previous', recorded: ['previous'] });
    },
  );

  test('T02: a delivery with a secret that was rotated out is refused, and leaves nothing', async () => {
    expect(await signedWith('the secret before', ['the newest secret'])).toEqual({
      status: 401,
      answered: undefined,
      recorded: [],
    });
  });
});

describe('T09: a flood of deliveries with bad signatures', () => {
  test('T09: causes no SQL statement, while those with a good one are stored', async () => {
    await bind(tables.db);
    const counted = tables.another();
    let statements = 0;
    const sql = new Proxy(counted.sql, {
      apply(target, self, args: never) {
        statements += 1;
        return Reflect.apply(target, self, args) as unknown;
      },
      get(target, name) {
        const value = Reflect.get(target, name) as unknown;
        if (name !== 'begin' && name !== 'unsafe') return value;
        return (...args: never[]): unknown => {
          statements += 1;
          return Reflect.apply(value as () => unknown, target, args);
        };
      },
    });
    const app = webhook({ db: drizzle(sql, { schema }) });
    const bad = { 'x-hub-signature-256': `sha256=${'0'.repeat(64)}` };
    const flood = async (): Promise<number[]> =>
      Promise.all(Array.from({ length: 500 }, async () => (await send(app, labeled(), { headers: bad })).status));
    expect(new Set(await flood())).toEqual(new Set([401]));
    expect(statements).toBe(0);
    const [rejected, accepted] = await Promise.all([flood(), send(app, labeled())]);
    expect([new Set(rejected), accepted.status]).toEqual([new Set([401]), 202]);
    // Those of the one delivery alone.
    const those = statements;
    expect(those).toBeGreaterThan(0);
    await send(app, labeled(8));
    expect(statements).toBe(2 * those);
  });
});

describe('what is refused', () => {
  /** A database that must not be touched: nothing that is refused may cost a statement. */
  const untouchable = new Proxy({} as Database, {
    get() {
      throw new Error('the database was touched');
    },
  });
  const app = webhook({ db: untouchable });
  const envelope = { code: 'invalid_argument', message: expect.any(String) as string };
  const large = `{"x":"${'x'.repeat(LIMIT)}"}`;
  const unsigned = { 'x-hub-signature-256': 'sha256=no' };
  const form = { 'content-type': 'application/x-www-form-urlencoded' };

  test.each(['GET', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'HEAD'])('%s is answered with 405', async (method) => {
    const answer = await send(app, labeled(), { method });
    expect(answer.status).toBe(405);
    expect(answer.headers.get('allow')).toBe('POST');
    if (method !== 'HEAD') expect(answer.body).toEqual(envelope);
  });

  test.each<[string, string | undefined]>([
    ['a form', 'application/x-www-form-urlencoded'],
    ['plain text', 'text/plain'],
    ['another kind of JSON', 'application/json-patch+json'],
    ['no type', undefined],
    ['an empty type', ''],
  ])('%s is answered with 415', async (_what, type) => {
    const answer = await send(app, labeled(), { headers: { 'content-type': type } });
    expect(answer).toMatchObject({ status: 415, body: { ...envelope, field: 'Content-Type' } });
  });

  test.each(['gzip', 'br', 'deflate', 'identity'])(
    'T03: a body that is encoded with %s is answered with 415',
    async (encoding) => {
      expect(await send(app, labeled(), { headers: { 'content-encoding': encoding } })).toMatchObject({ status: 415 });
    },
  );

  test('T03: a body that is larger than the limit is answered with 413', async () => {
    expect(await send(app, large)).toMatchObject({ status: 413, body: { ...envelope, field: 'body' } });
  });

  test.each<[string, Record<string, string | undefined>]>([
    ['X-GitHub-Delivery', { 'x-github-delivery': undefined }],
    ['X-GitHub-Delivery', { 'x-github-delivery': '' }],
    ['X-GitHub-Delivery', { 'x-github-delivery': 'a b' }],
    ['X-GitHub-Delivery', { 'x-github-delivery': 'x'.repeat(129) }],
    ['X-GitHub-Delivery', { 'x-github-delivery': reconcileId({ id: 7 }) }],
    ['X-GitHub-Event', { 'x-github-event': undefined }],
    ['X-GitHub-Event', { 'x-github-event': '' }],
    ['X-GitHub-Event', { 'x-github-event': 'issues issues' }],
    ['X-GitHub-Event', { 'x-github-event': 'x'.repeat(129) }],
  ])('a missing or malformed %s is answered with 400: %j', async (field, headers) => {
    expect(await send(app, labeled(), { headers })).toMatchObject({ status: 400, body: { ...envelope, field } });
  });

  test('T01: every wrong signature is answered with 401 and the same message', async () => {
    const good = sign(SECRET, Buffer.from(JSON.stringify(labeled())));
    const signatures = [
      undefined,
      '',
      'sha256=',
      sign('another secret', Buffer.from(JSON.stringify(labeled()))),
      good.replace('sha256', 'sha1'),
      good.slice(0, -1),
      good.slice(0, -2),
      `${good}00`,
      `sha256=${good.slice(7).toUpperCase()}`,
      good.slice(7),
    ];
    const answers = await Promise.all(
      signatures.map((signature) => send(app, labeled(), { headers: { 'x-hub-signature-256': signature } })),
    );
    for (const { status } of answers) expect(status).toBe(401);
    expect(new Set(answers.map(({ body }) => JSON.stringify(body))).size).toBe(1);
    expect(answers[0]?.body).toMatchObject({ code: 'unauthorized', field: 'X-Hub-Signature-256' });
  });

  test('T01: a signature of SHA-1 alone is answered with 401', async () => {
    const headers = { 'x-hub-signature-256': undefined, 'x-hub-signature': `sha1=${'0'.repeat(40)}` };
    expect(await send(app, labeled(), { headers })).toMatchObject({ status: 401 });
  });

  test.each<[string, string | Buffer]>([
    ['is empty', ''],
    ['is cut off', JSON.stringify(labeled()).slice(0, -1)],
    ['is no JSON', 'payload={}'],
    ['is two documents', '{}{}'],
  ])('a body that %s is answered with 400', async (_what, body) => {
    expect(await send(app, body)).toMatchObject({ status: 400, body: { ...envelope, field: 'body' } });
  });

  test.each<[string, string, object]>([
    ['an issue', 'push', labeled()],
    ['an issue', 'issue_comment', labeled()],
    ['a comment', 'issues', labeled(7, { comment: { id: 1, body: '' } })],
    ['a list', 'issues', [labeled()]],
  ])('T06: the body of %s under the name %s is answered with 400', async (_what, event, body) => {
    const answer = await send(app, body, { event });
    expect(answer).toMatchObject({ status: 400, body: { ...envelope, field: 'X-GitHub-Event' } });
  });

  test.each<[string, number, Sent & { body: string }]>([
    ['the method before the type', 405, { method: 'PUT', headers: { ...form, ...unsigned }, body: large }],
    ['the type before the size', 415, { headers: { ...form, ...unsigned }, body: large }],
    ['the size before the signature', 413, { headers: unsigned, body: large }],
    ['the signature before the body is read', 401, { headers: unsigned, body: 'no JSON' }],
    ['the signature before the event', 401, { headers: unsigned, event: 'push', body: JSON.stringify(labeled()) }],
    ['the body before the event', 400, { event: 'push', body: 'no JSON' }],
  ])('is refused for %s', async (_what, status, { body, ...sent }) => {
    expect((await send(app, body, sent)).status).toBe(status);
  });

  test('is reported as unauthorized under no name that the sender chose', async () => {
    const results: unknown[] = [];
    await send(webhook({ db: untouchable, onResult: (result) => results.push(result) }), labeled(), {
      headers: unsigned,
    });
    expect(results).toEqual([{ event: 'unknown', result: 'unauthorized' }]);
  });
});

describe('T03: a large body', () => {
  let server: Server;

  beforeAll(async () => {
    server = await new Promise<Server>((resolve) => {
      const started = serve({ fetch: webhook().fetch, hostname: '127.0.0.1', port: 0 }, () =>
        resolve(started),
      ) as Server;
    });
  });
  afterAll(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => {
      server.close(resolve);
    });
  });

  /** Starts a request that never ends; returns the answer it gets all the same, and how much was written until then. */
  async function pour(headers: Record<string, string>): Promise<{ status: number | undefined; written: number }> {
    const { port } = server.address() as AddressInfo;
    const request = ask({
      port,
      host: '127.0.0.1',
      path: PATH,
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
    });
    let written = 0;
    const drop = Buffer.alloc(65_536, 'x');
    return new Promise((resolve, reject) => {
      let status: number | undefined;
      const end = (): void => {
        request.destroy();
        resolve({ status, written });
      };
      request.on('response', (response) => {
        status = response.statusCode;
        end();
      });
      request.on('error', (error) => (status === undefined && written === 0 ? reject(error) : end()));
      const write = (): void => {
        if (request.destroyed || written >= 64 * 1024 * 1024) return;
        written += drop.length;
        request.write(drop, () => setImmediate(write));
      };
      write();
    });
  }

  test('with a content length is refused before it is read', async () => {
    const { status, written } = await pour({ 'content-length': '31457280' });
    expect(status).toBe(413);
    expect(written).toBeLessThan(31_457_280);
  });

  test('without a content length is refused before it ends', async () => {
    const { status, written } = await pour({ 'transfer-encoding': 'chunked' });
    expect(status).toBe(413);
    expect(written).toBeLessThan(64 * 1024 * 1024);
  });

  test('of exactly the limit is accepted', async () => {
    await bind(tables.db);
    const body = JSON.stringify(labeled(7, { padding: '' }));
    const exactly = body.replace('"padding":""', `"padding":"${'x'.repeat(LIMIT - body.length)}"`);
    expect(Buffer.byteLength(exactly)).toBe(LIMIT);
    expect(await send(webhook(), exactly)).toMatchObject({ status: 202 });
  });
});
