/** The webhook's route over a real Postgres, and deliveries as GitHub sends them. */
import { randomUUID } from 'node:crypto';
import { Hono } from 'hono';
import { beforeEach } from 'vitest';
import { createGitHubWebhook, type WebhookOptions } from '../../../../ingress/github-webhook/route.ts';
import { sign } from '../../../../ingress/github-webhook/signature.ts';
import type { Database } from '../../../../src/store/connection/database.ts';
import { deliveries, flowEvents, inboxes } from '../../../../src/store/connection/schema.ts';
import { OLIVIA, patientIntake, REPOSITORY, useTables } from '../../../support/tables.ts';

export const SECRET = 'the secret of the tests';
export const PATH = '/api/v1/webhooks/github';
/** Bytes of a body. */
export const LIMIT = 1_048_576;

export interface Sent {
  readonly id?: string;
  readonly event?: string;
  readonly secret?: string;
  readonly method?: string;
  /** Undefined removes a header. */
  readonly headers?: Record<string, string | undefined>;
}
type Answer = { status: number; headers: Headers; body: Record<string, unknown> };

/** A database for the tests of a file, cleared before each test. */
export function useWebhook() {
  const tables = useTables();
  beforeEach(() => tables.clear());

  function webhook({ db = tables.db, ...options }: Partial<WebhookOptions> & { db?: Database } = {}): Hono {
    return new Hono().route(PATH, createGitHubWebhook({ intake: patientIntake(db), secrets: [SECRET], ...options }));
  }

  /** Numbers of stored rows; each fact of an inbox counts. */
  async function kept(db: Database = tables.db): Promise<{ deliveries: number; events: number; facts: number }> {
    const [all, events, facts] = await Promise.all([
      db.select({ id: deliveries.id }).from(deliveries),
      db.select({ id: flowEvents.id }).from(flowEvents),
      db.select({ seq: inboxes.lastSeq }).from(inboxes),
    ]);
    return { deliveries: all.length, events: events.length, facts: facts.reduce((sum, { seq }) => sum + seq, 0) };
  }

  return { tables, webhook, kept };
}

/** Sends a delivery as GitHub does: signed, with its headers. */
export async function send(app: Hono, body: object | string | Buffer, sent: Sent = {}): Promise<Answer> {
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

/** The delivery of a trigger label, by default from a member who may start runs. */
export function labeled(issue = 7, more: Record<string, unknown> = {}) {
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
