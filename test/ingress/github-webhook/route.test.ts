import { randomUUID } from 'node:crypto';
import { request as ask, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { serve } from '@hono/node-server';
import { eq } from 'drizzle-orm';
import { Hono } from 'hono';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createGitHubWebhook, type WebhookOptions } from '../../../ingress/github-webhook/route.ts';
import { sign } from '../../../ingress/github-webhook/signature.ts';
import { reconcileId } from '../../../src/domain/maintenance/reconcile.ts';
import { connect, type Connection, type Database } from '../../../src/store/connection/database.ts';
import { COMMIT_LIMIT_MS, createIntake } from '../../../src/store/intake/intake.ts';
import { addPerson } from '../../../src/store/projects/repositories.ts';
import { deliveries, flowEvents, inboxes } from '../../../src/store/connection/schema.ts';
import { startTestDatabase } from '../../support/postgres.ts';
import { startProxy, type Proxy } from '../../support/proxy.ts';
import {
  bind,
  count,
  factsOf,
  keyOf,
  OLIVIA,
  patientIntake,
  REPOSITORY,
  useTables,
  verifiedChain,
} from '../../support/tables.ts';

const SECRET = 'the secret of the tests';
const PATH = '/api/v1/webhooks/github';
const LIMIT = 1_048_576;
const tables = useTables();
const PROTOTYPE = Object.getOwnPropertyNames(Object.prototype);

interface Sent {
  readonly id?: string;
  readonly event?: string;
  readonly secret?: string;
  readonly method?: string;
  /** Undefined takes a header away. */
  readonly headers?: Record<string, string | undefined>;
}
type Answer = { status: number; headers: Headers; body: Record<string, unknown> };

function webhook({ db = tables.db, ...options }: Partial<WebhookOptions> & { db?: Database } = {}): Hono {
  return new Hono().route(PATH, createGitHubWebhook({ intake: patientIntake(db), secrets: [SECRET], ...options }));
}

/** Sends a delivery as GitHub does: signed, with its headers. */
async function send(app: Hono, body: object | string | Buffer, sent: Sent = {}): Promise<Answer> {
  const bytes = Buffer.isBuffer(body) ? body : Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
  const headers = Object.entries({
    'content-type': 'application/json',
    'x-github-delivery': sent.id ?? randomUUID(),
    'x-github-event': sent.event ?? 'issues',
    'x-hub-signature-256': sign(sent.secret ?? SECRET, bytes),
    ...sent.headers,
  }).filter((header): header is [string, string] => header[1] !== undefined);
  const method = sent.method ?? 'POST';
  const withBody = method !== 'GET' && method !== 'HEAD';
  const answer = await app.request(PATH, { method, headers, ...(withBody ? { body: new Uint8Array(bytes) } : {}) });
  const text = await answer.text();
  return {
    status: answer.status,
    headers: answer.headers,
    body: text === '' ? {} : (JSON.parse(text) as Record<string, unknown>),
  };
}

/** A label put on an issue, by somebody who may unless told otherwise. */
function labeled(issue = 7, more: Record<string, unknown> = {}) {
  return {
    action: 'labeled',
    repository: { id: REPOSITORY.id, name: REPOSITORY.name, owner: { login: REPOSITORY.owner } },
    sender: { ...OLIVIA, type: 'User' },
    issue: {
      number: issue,
      title: `Issue ${issue}`,
      html_url: `https://github.com/acme/demo/issues/${issue}`,
      labels: [{ name: 'run:dev' }],
    },
    label: { name: 'run:dev' },
    ...more,
  };
}

async function kept(db: Database = tables.db): Promise<{ deliveries: number; events: number; facts: number }> {
  const [all, events, facts] = await Promise.all([
    db.select({ id: deliveries.id }).from(deliveries),
    db.select({ id: flowEvents.id }).from(flowEvents),
    db.select({ seq: inboxes.lastSeq }).from(inboxes),
  ]);
  return { deliveries: all.length, events: events.length, facts: facts.reduce((sum, { seq }) => sum + seq, 0) };
}

beforeEach(() => tables.clear());

describe('T01: the secret', () => {
  test.each<[string, string[]]>([
    ['is missing', []],
    ['is empty', ['']],
    ['is short', ['fifteen letters']],
    ['is short beside a good one', [SECRET, 'short']],
  ])('that %s keeps the webhook from being made', (_what, secrets) => {
    expect(() => createGitHubWebhook({ intake: createIntake(tables.db), secrets })).toThrow('secret');
  });

  test.each([0, 1, 2])('may be number %i of several while they are rotated', async (index) => {
    await bind(tables.db);
    const secrets = ['the newest secret', 'the secret before', 'the oldest secret'];
    expect(await send(webhook({ secrets }), labeled(), { secret: secrets[index] ?? '' })).toMatchObject({
      status: 202,
    });
  });

  test('that was rotated out opens nothing', async () => {
    expect(await send(webhook({ secrets: ['the newest secret'] }), labeled())).toMatchObject({ status: 401 });
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

  test('T01: every bad signature is answered with 401 and the same words', async () => {
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

  test('that is announced is refused before it is read', async () => {
    const { status, written } = await pour({ 'content-length': '31457280' });
    expect(status).toBe(413);
    expect(written).toBeLessThan(31_457_280);
  });

  test('that is not announced is refused before it ends', async () => {
    const { status, written } = await pour({ 'transfer-encoding': 'chunked' });
    expect(status).toBe(413);
    expect(written).toBeLessThan(64 * 1024 * 1024);
  });

  test('of exactly the limit is taken', async () => {
    await bind(tables.db);
    const body = JSON.stringify(labeled(7, { padding: '' }));
    const exactly = body.replace('"padding":""', `"padding":"${'x'.repeat(LIMIT - body.length)}"`);
    expect(Buffer.byteLength(exactly)).toBe(LIMIT);
    expect(await send(webhook(), exactly)).toMatchObject({ status: 202 });
  });
});

describe('a trigger label by somebody who may', () => {
  beforeEach(() => bind(tables.db));

  test('is accepted, with the run it asks for', async () => {
    const { status, body } = await send(webhook(), labeled(), { id: 'd1' });
    expect({ status, body }).toEqual({
      status: 202,
      body: {
        correlation_id: 'd1',
        run_id: expect.stringMatching(/^[0-9a-f-]{36}$/) as string,
        status: 'accepted',
        duplicate: false,
        reason: 'project_member_read_write',
      },
    });
    expect(await factsOf(tables.db, 7)).toEqual([
      {
        seq: 1,
        deliveryId: 'd1',
        fact: {
          kind: 'trigger_label_added',
          delivery: 'd1',
          by: OLIVIA,
          at: expect.any(String) as string,
          label: 'run:dev',
          target: { stage: 'dev', kind: 'work' },
          runId: body['run_id'],
        },
      },
    ]);
  });

  test('is kept as the bytes that GitHub signed', async () => {
    const bytes = Buffer.from(`  ${JSON.stringify(labeled()).replace('run:dev', String.raw`run:dev`)}\n`);
    await send(webhook(), bytes, { id: 'd1' });
    expect(await tables.db.select().from(deliveries)).toMatchObject([
      { id: 'd1', body: bytes, event: 'issues', action: 'labeled' },
    ]);
  });

  test('tells the audit trail who did what where', async () => {
    const { body } = await send(webhook(), labeled(), { id: 'd1' });
    expect(await tables.db.select().from(flowEvents)).toMatchObject([
      {
        type: 'webhook.received',
        chain: keyOf(7),
        actorType: 'system',
        actorId: 'github-webhook',
        correlationId: 'd1',
        runId: body['run_id'],
        payload: {
          action: 'labeled',
          sender: 'olivia',
          repository: 'acme/demo',
          label: 'run:dev',
          reason: 'project_member_read_write',
        },
      },
    ]);
  });

  test('may say its character set', async () => {
    const headers = { 'content-type': 'Application/JSON; charset=utf-8' };
    expect(await send(webhook(), labeled(), { headers })).toMatchObject({ status: 202 });
  });

  test('is found though the repository has another name now', async () => {
    const renamed = labeled(7, { repository: { id: REPOSITORY.id, name: 'renamed', owner: { login: 'acme-inc' } } });
    expect(await send(webhook(), renamed)).toMatchObject({ status: 202 });
  });
});

describe('what is accepted without a run', () => {
  test.each<[string, string, object]>([
    ['a ping', 'ping', { zen: 'Design for failure.', hook_id: 1, hook: { type: 'Repository' } }],
    [
      'a comment',
      'issue_comment',
      { ...labeled(), action: 'created', comment: { id: 1, body: 'run:dev', created_at: '2026-11-21T10:00:00Z' } },
    ],
    [
      'a push to main',
      'push',
      { ref: 'refs/heads/main', before: '0', after: '1', repository: labeled().repository, sender: labeled().sender },
    ],
  ])('%s', async (_what, event, body) => {
    await bind(tables.db);
    const answer = await send(webhook(), body, { event, id: 'd1' });
    expect(answer).toMatchObject({ status: 202 });
    expect(answer.body).toEqual({ correlation_id: 'd1', status: 'accepted', duplicate: false, reason: 'recorded' });
    expect(await kept()).toEqual({ deliveries: 1, events: 1, facts: 0 });
  });
});

describe('what is ignored', () => {
  const stranger = { id: 666, login: 'mallory', type: 'User' };
  const two = { issue: { ...labeled().issue, labels: [{ name: 'run:dev' }, { name: 'run:qa' }] } };
  const push = { ref: 'refs/heads/main', before: '0', after: '1', repository: labeled().repository };

  test.each<[string, string, object, string, number]>([
    ['another label', 'issues', labeled(7, { label: { name: 'bug' } }), 'issue_event_not_trigger_label', 0],
    [
      'another action',
      'issues',
      labeled(7, { action: 'edited', label: undefined }),
      'issue_event_not_trigger_label',
      0,
    ],
    ['a label by a stranger', 'issues', labeled(7, { sender: stranger }), 'sender_not_allowed', 0],
    [
      'a label by a bot',
      'issues',
      labeled(7, { sender: { ...OLIVIA, type: 'Bot' } }),
      'sender_type_bot_not_permitted',
      0,
    ],
    ['a label by nobody', 'issues', labeled(7, { sender: undefined }), 'sender_login_missing', 0],
    ['two labels', 'issues', labeled(7, two), 'issue_trigger_label_conflict', 1],
    ['two labels by a stranger', 'issues', labeled(7, { ...two, sender: stranger }), 'sender_not_allowed', 0],
    [
      'a closed issue',
      'issues',
      labeled(7, { action: 'closed', label: undefined }),
      'issue_event_not_trigger_label',
      1,
    ],
    [
      'a repository that is not bound',
      'issues',
      labeled(7, { repository: { ...labeled().repository, id: 43 } }),
      'repository_not_bound_for_issue_label',
      0,
    ],
    [
      'a push to a repository that is not bound',
      'push',
      { ...push, repository: { ...push.repository, id: 43 } },
      'repository_not_bound_for_push_main',
      0,
    ],
  ])('%s', async (_what, event, body, reason, facts) => {
    await bind(tables.db);
    const answer = await send(webhook(), body, { event, id: 'd1' });
    expect(answer).toMatchObject({ status: 200 });
    expect(answer.body).toEqual({ correlation_id: 'd1', status: 'ignored', duplicate: false, reason });
    expect(await kept()).toEqual({ deliveries: 1, events: 1, facts });
    expect(await tables.db.select().from(flowEvents)).toMatchObject([{ type: 'webhook.ignored', payload: { reason } }]);
  });

  test.each<['read' | null, string]>([
    ['read', 'sender_role_read_not_permitted'],
    [null, 'sender_not_project_member'],
  ])('a label by somebody known with the role %j, who is told why', async (role, reason) => {
    const { projectId } = await bind(tables.db);
    const peter = { id: 12, login: 'peter' };
    await addPerson(tables.db, peter, role ?? 'platform_admin', projectId);
    if (role === null) await tables.db.execute('update people set platform_role = null where id = 12');
    const answer = await send(webhook(), labeled(7, { sender: { ...peter, type: 'User' } }));
    expect(answer).toMatchObject({ status: 200, body: { status: 'ignored', reason } });
    expect(await factsOf(tables.db, 7)).toMatchObject([{ fact: { kind: 'trigger_refused', reason, by: peter } }]);
  });
});

describe('T10: a delivery that comes again', () => {
  beforeEach(() => bind(tables.db));

  test('is answered with the run of the first time, and writes nothing', async () => {
    const first = await send(webhook(), labeled(), { id: 'd1' });
    const again = await send(webhook(), labeled(), { id: 'd1' });
    expect(again.status).toBe(200);
    expect(again.body).toEqual({ ...first.body, status: 'duplicate', duplicate: true });
    expect(await kept()).toEqual({ deliveries: 1, events: 1, facts: 1 });
  });

  test.each<[string, object]>([
    ['was ignored', labeled(7, { label: { name: 'bug' } })],
    ['was refused', labeled(7, { label: { name: 'run:qa' }, issue: { ...labeled().issue, labels: [] } })],
    ['closed the issue', labeled(7, { action: 'closed', label: undefined })],
  ])('and %s writes no second event and no second fact', async (_what, body) => {
    const first = await send(webhook(), body, { id: 'd1' });
    const before = await kept();
    const again = await send(webhook(), body, { id: 'd1' });
    expect(again.status).toBe(200);
    expect(again.body).toEqual({ ...first.body, status: 'duplicate', duplicate: true });
    expect(await kept()).toEqual(before);
  });

  test('keeps its first decision, though it would be decided otherwise now', async () => {
    const other = labeled(7, { repository: { ...labeled().repository, id: 43 } });
    await send(webhook(), other, { id: 'd1' });
    const again = await send(webhook(), labeled(), { id: 'd1' });
    expect(again.body).toMatchObject({ status: 'duplicate', reason: 'repository_not_bound_for_issue_label' });
    expect(await factsOf(tables.db, 7)).toEqual([]);
  });

  test('a month later is a duplicate still', async () => {
    await send(webhook(), labeled(), { id: 'd1' });
    await tables.db.update(deliveries).set({ receivedAt: new Date(Date.now() - 31 * 24 * 3_600_000) });
    expect((await send(webhook(), labeled(), { id: 'd1' })).body).toMatchObject({ status: 'duplicate' });
    expect(await kept()).toEqual({ deliveries: 1, events: 1, facts: 1 });
  });

  test('fifty times at once is accepted once', async () => {
    const app = webhook();
    const answers = await Promise.all(count(1, 50).map(() => send(app, labeled(), { id: 'd1' })));
    const taken = answers.filter(({ status }) => status === 202);
    expect(taken).toHaveLength(1);
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200, 202]));
    expect(new Set(answers.map(({ body }) => body['run_id'])).size).toBe(1);
    expect(await kept()).toEqual({ deliveries: 1, events: 1, facts: 1 });
    expect(await tables.db.select().from(deliveries)).toMatchObject([{ repeats: 49 }]);
  });

  test('is reported as a duplicate', async () => {
    const results: unknown[] = [];
    const app = webhook({ onResult: (result) => results.push(result) });
    await send(app, labeled(), { id: 'd1' });
    await send(app, labeled(), { id: 'd1' });
    await send(app, labeled(7, { label: { name: 'bug' } }));
    expect(results).toEqual(['accepted', 'duplicate', 'ignored'].map((result) => ({ event: 'issues', result })));
  });
});

describe('deliveries at once', () => {
  test('number the facts of each issue without gaps, and ask for a run each', async () => {
    await bind(tables.db);
    const apps = [webhook(), webhook({ db: tables.another().db })];
    const answers = await Promise.all(count(1, 60).map((n) => send(apps[n % 2] ?? webhook(), labeled((n % 3) + 1))));
    expect(answers.map(({ status }) => status)).toEqual(Array<number>(60).fill(202));
    expect(new Set(answers.map(({ body }) => body['run_id'])).size).toBe(60);
    for (const issue of [1, 2, 3]) {
      expect((await factsOf(tables.db, issue)).map(({ seq }) => seq)).toEqual(count(1, 20));
      expect(await verifiedChain(tables.db, keyOf(issue))).toHaveLength(20);
    }
  });
});

describe('T05: a hostile body', () => {
  const nested = (depth: number): string => `${'['.repeat(depth)}${']'.repeat(depth)}`;
  const text = JSON.stringify(labeled());
  const withField = (field: string): string => `${text.slice(0, -1)},${field}}`;
  const title = (value: string): string => text.replace('"title":"Issue 7"', `"title":${value}`);

  test.each<[string, string | Buffer]>([
    ['a NUL in the title', title(String.raw`"a\u0000b"`)],
    ['a lone surrogate in the title', title(String.raw`"a\ud83db"`)],
    ['a NUL in the login', text.replace('"login":"olivia"', String.raw`"login":"oli\u0000via"`)],
    ['a lone surrogate in the name of the repository', text.replace('"name":"demo"', String.raw`"name":"\udc00"`)],
    ['a NUL in what nobody looks at', withField(String.raw`"extra":"\u0000\ud800"`)],
    ['ten thousand lists in each other', withField(`"extra":${nested(10_000)}`)],
    ['as many lists in each other as fit', withField(`"extra":${nested(500_000)}`)],
    ['a key __proto__', withField('"__proto__":{"polluted":true,"action":"closed"}')],
    ['a key constructor', withField('"constructor":{"prototype":{"polluted":true}}')],
    ['an id that no number holds', withField('"installation":{"id":9007199254740993}')],
    ['a number that is none', withField('"extra":1e999')],
    ['the same key twice', withField('"action":"labeled"')],
    [
      'bytes that are no UTF-8',
      Buffer.from(text.replace('Issue 7', 'Issue \u0001')).map((byte) => (byte === 1 ? 0xff : byte)) as Buffer,
    ],
    ['the longest title that GitHub takes, of smileys', title(JSON.stringify(`a${'😀'.repeat(255)}`))],
    ['a title that goes on and on', title(JSON.stringify('😀x'.repeat(10_000)))],
  ])('with %s is kept, and asks for its run', async (_what, body) => {
    await bind(tables.db);
    const errors: unknown[] = [];
    const answer = await send(webhook({ onError: (error) => errors.push(error) }), Buffer.from(body), { id: 'd1' });
    expect(errors).toEqual([]);
    expect(answer).toMatchObject({ status: 202, body: { status: 'accepted' } });
    expect(await factsOf(tables.db, 7)).toMatchObject([{ fact: { kind: 'trigger_label_added', label: 'run:dev' } }]);
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
    expect(Object.getOwnPropertyNames(Object.prototype)).toEqual(PROTOTYPE);
  });

  test.each<[string, string]>([
    ['a NUL in its action', text.replace('"action":"labeled"', String.raw`"action":"label\u0000ed"`)],
    ['a lone surrogate in its label', text.replaceAll('"name":"run:dev"', String.raw`"name":"run:dev\ud800"`)],
    ['a NUL in its label', text.replaceAll('"name":"run:dev"', String.raw`"name":"run:dev\u0000"`)],
  ])('with %s is kept, and asks for nothing', async (_what, body) => {
    await bind(tables.db);
    expect(await send(webhook(), body, { id: 'd1' })).toMatchObject({ status: 200, body: { status: 'ignored' } });
    expect(await kept()).toEqual({ deliveries: 1, events: 1, facts: 0 });
  });

  test.each<[string, string]>([
    ['an id of the repository that no number holds', text.replace('"id":42', '"id":9007199254740993')],
    ['a number of the issue that no column holds', text.replace('"number":7', '"number":4294967296')],
  ])('with %s makes no trouble for the server', async (_what, body) => {
    await bind(tables.db);
    expect((await send(webhook(), body)).status).toBeLessThan(500);
  });
});

describe('T05: an id that no number holds exactly', () => {
  const beyond = ['9007199254740992', '9007199254740993'];

  test.each([
    ['of a repository', 'repository'],
    ['of a sender', 'sender'],
  ])('%s is taken for no other, and is refused', async (_whose, key) => {
    await bind(tables.db);
    const plain = labeled() as Record<string, unknown>;
    const owner = plain[key] as { id: number };
    for (const id of beyond) {
      const body = JSON.stringify({ ...plain, [key]: { ...owner, id: 'ID' } }).replace('"ID"', id);
      expect(await send(webhook(), body)).toMatchObject({ status: 400, body: { field: 'X-GitHub-Event' } });
    }
    expect(await kept()).toEqual({ deliveries: 0, events: 0, facts: 0 });
  });
});

/** A tenth of what a server gives itself: `createIntake` has it from whoever makes one. */
const COMMIT_MS = COMMIT_LIMIT_MS / 10;

describe('while Postgres', () => {
  let proxy: Proxy;
  let connection: Connection;
  let app: Hono;

  beforeEach(async () => {
    await bind(tables.db);
    proxy = await startProxy(tables.url);
    connection = connect(proxy.url, { name: 'test behind a proxy', max: 4, statementTimeoutMs: 1000 });
    app = prompt(connection.db);
    await taken(labeled(6), 'before');
  });
  afterEach(async () => {
    proxy.open();
    await connection.close();
    await proxy.close();
  });

  /** A webhook that gives up in time, as that of a server does. */
  function prompt(db: Database, options: Partial<WebhookOptions> = {}): Hono {
    return webhook({ intake: createIntake(db, COMMIT_MS), ...options });
  }

  /** Sends a delivery as often as it takes until it is kept. */
  async function taken(body: object, id: string): Promise<void> {
    await expect.poll(async () => (await send(app, body, { id })).status, { timeout: 60_000 }).toBeLessThan(300);
  }

  /**
   * Sends a delivery, which fails within its limit and a moment: a tenth of the five seconds that GitHub is promised. Turns of a
   * timer are counted and no time: what holds up this whole process is no fault of the webhook.
   */
  async function unavailable(id: string): Promise<void> {
    let milliseconds = 0;
    const clock = setInterval(() => (milliseconds += 5), 5);
    const { status, headers, body } = await send(app, labeled(), { id }).finally(() => clearInterval(clock));
    expect(milliseconds).toBeLessThan(500);
    expect({ status, body }).toEqual({
      status: 503,
      body: { code: 'unavailable', message: expect.any(String) as string },
    });
    expect(headers.get('retry-after')).toMatch(/^[1-9]\d*$/);
  }

  test.each<[string, (proxy: Proxy) => void]>([
    ['refuses connections', (to) => to.cut()],
    ['does not answer', (to) => to.silence()],
  ])('%s a delivery is answered with 503 in time, and nothing is half-done', async (_what, fail) => {
    fail(proxy);
    await unavailable('d1');
    expect(await kept()).toEqual({ deliveries: 1, events: 1, facts: 1 });

    proxy.open();
    await taken(labeled(), 'd1');
    expect(await factsOf(tables.db, 7)).toHaveLength(1);
    expect(await verifiedChain(tables.db, keyOf(7))).toEqual(['webhook:d1']);
  });

  test('does not answer, several deliveries at once are answered with 503 in time', async () => {
    proxy.silence();
    await Promise.all(count(1, 12).map((n) => unavailable(`d${n}`)));
    expect(await kept()).toEqual({ deliveries: 1, events: 1, facts: 1 });
  });

  test('is held up by somebody else a delivery is answered with 503 in time, and the next one finds what became of it', async () => {
    const { sql } = tables.another();
    await sql.begin(async (tx) => {
      await tx`lock table deliveries in access exclusive mode`;
      await unavailable('d1');
    });
    await taken(labeled(), 'd1');
    expect(await factsOf(tables.db, 7)).toHaveLength(1);
    expect(await tables.db.select().from(deliveries).where(eq(deliveries.id, 'd1'))).toHaveLength(1);
  });

  test('is away the failure is reported', async () => {
    const results: unknown[] = [];
    const errors: unknown[] = [];
    const reporting = prompt(connection.db, {
      onResult: (one) => results.push(one),
      onError: (one) => errors.push(one),
    });
    proxy.cut();
    await send(reporting, labeled());
    expect(results).toEqual([{ event: 'issues', result: 'unavailable' }]);
    expect(errors).toHaveLength(1);
  });

  test('is stopped a delivery is answered with 503 in time', async () => {
    const database = await startTestDatabase();
    const own = connect(database.url, { name: 'test of a database that stops', statementTimeoutMs: 1000 });
    app = prompt(own.db);
    await bind(own.db);
    await taken(labeled(), 'before');
    await database.stop();
    await unavailable('d1');
    await own.close();
  });
});
