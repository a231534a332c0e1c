/** GitHub's own example of every event, signed and sent as GitHub does, to a webhook over a real database. */
import { Hono } from 'hono';
import { beforeEach, describe, expect, test } from 'vitest';
import { createGitHubWebhook } from '../../../ingress/github-webhook/route.ts';
import { deliveryHeaders } from '../../../src/github-deliveries/headers.ts';
import { PLATFORM_CHAIN } from '../../../src/store/audit/events.ts';
import { addPerson, bindRepository, ensureProject } from '../../../src/store/projects/repositories.ts';
import { deliveries, flowEvents } from '../../../src/store/connection/schema.ts';
import { patientIntake, useTables, verifiedChain } from '../../support/tables.ts';
import { WEBHOOK_EXAMPLES, type WebhookExample } from '../../support/webhook-examples.ts';

const SECRET = 'the secret of the tests';
const PATH = '/api/v1/webhooks/github';
const tables = useTables();

interface Answer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

function webhook(): (example: WebhookExample) => Promise<Answer> {
  const app = new Hono().route(PATH, createGitHubWebhook({ intake: patientIntake(tables.db), secrets: [SECRET] }));
  return async ({ event, title, payload }) => {
    const body = Buffer.from(JSON.stringify(payload));
    const headers = deliveryHeaders({ id: `example-${title}`, event, body, secret: SECRET });
    const answer = await app.request(PATH, { method: 'POST', headers, body: new Uint8Array(body) });
    return { status: answer.status, body: (await answer.json()) as Answer['body'] };
  };
}

interface Named {
  readonly id: number;
  readonly name?: string;
  readonly login?: string;
  readonly owner?: { readonly login: string };
}

/** Every repository of the examples, by id. */
const REPOSITORIES = new Map(
  WEBHOOK_EXAMPLES.flatMap(({ payload }) => {
    const { id, name = '', owner } = (payload['repository'] ?? {}) as Partial<Named>;
    return id === undefined ? [] : [[id, { id, name, owner: owner?.login ?? '' }] as const];
  }),
);

/** Everybody who sends one, by id. */
const SENDERS = new Map(
  WEBHOOK_EXAMPLES.flatMap(({ payload }) => {
    const { id, login = '' } = (payload['sender'] ?? {}) as Partial<Named>;
    return id === undefined ? [] : [[id, { id, login }] as const];
  }),
);

async function bindAll({ mayStartRuns }: { mayStartRuns: boolean }): Promise<void> {
  const projectId = await ensureProject(tables.db, 'examples');
  for (const repository of REPOSITORIES.values()) await bindRepository(tables.db, { ...repository, projectId });
  if (mayStartRuns) for (const person of SENDERS.values()) await addPerson(tables.db, person, 'read_write', projectId);
}

beforeEach(() => tables.clear());

test('there are many examples, of many events, repositories and people', () => {
  const events = new Set(WEBHOOK_EXAMPLES.map(({ event }) => event));
  expect(WEBHOOK_EXAMPLES.length).toBeGreaterThan(200);
  expect(events.size).toBeGreaterThan(50);
  expect([...events]).toEqual(
    expect.arrayContaining(['issues', 'issue_comment', 'pull_request_review', 'push', 'ping']),
  );
  expect([REPOSITORIES.size, SENDERS.size].every((count) => count > 5)).toBe(true);
});

describe.each<[string, () => Promise<void>]>([
  ['nobody and nothing is known', async () => {}],
  ['the repositories are bound, and the senders are strangers', () => bindAll({ mayStartRuns: false })],
  ['the repositories are bound, and the senders may start runs', () => bindAll({ mayStartRuns: true })],
])('while %s', (_what, prepare) => {
  // None of them lacks anything, so none is answered with 400.
  test('every example is answered in the contract, and a second time as a duplicate', async () => {
    await prepare();
    const send = webhook();
    for (const example of WEBHOOK_EXAMPLES) {
      const { title } = example;
      const first = await send(example);
      expect({ title, ...first }).toEqual({
        title,
        status: first.body['status'] === 'accepted' ? 202 : 200,
        body: {
          correlation_id: `example-${title}`,
          status: expect.stringMatching(/^(accepted|ignored)$/) as string,
          duplicate: false,
          reason: expect.stringMatching(/^[a-z_]+$/) as string,
          ...(first.body['run_id'] === undefined ? {} : { run_id: expect.any(String) as string }),
        },
      });
      expect({ title, ...(await send(example)) }).toEqual({
        title,
        status: 200,
        body: { ...first.body, status: 'duplicate', duplicate: true },
      });
    }
    expect(await tables.db.$count(deliveries)).toBe(WEBHOOK_EXAMPLES.length);
    expect(await tables.db.$count(flowEvents)).toBe(WEBHOOK_EXAMPLES.length);
  });
});

test('what is nobody’s issue is in one chain of events, unbroken', async () => {
  const send = webhook();
  for (const example of WEBHOOK_EXAMPLES) await send(example);
  expect(await verifiedChain(tables.db, PLATFORM_CHAIN)).toHaveLength(WEBHOOK_EXAMPLES.length);
});
