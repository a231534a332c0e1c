/** Budgets at the model gateway: a real ledger, and a model that answers as the providers do. */
import { randomUUID } from 'node:crypto';
import { eq } from 'drizzle-orm';
import { beforeEach, describe, expect, test } from 'vitest';
import { createMeter, type MeterSettings } from '../../../ingress/gateways/model/metering.ts';
import { createModelGateway } from '../../../ingress/gateways/model/model-gateway.ts';
import type { UpstreamRequest } from '../../../ingress/gateways/upstream.ts';
import { flowEvents, modelCalls, runLogLines } from '../../../src/store/connection/schema.ts';
import { findBudgetStop } from '../../../src/store/money/ledger.ts';
import { beginAttempt, findAssignment, storeAssignment } from '../../../src/store/runs/assignments.ts';
import { assignmentOf, useTables } from '../../support/tables.ts';

const tables = useTables();
const MODEL = 'priced';
/** A dollar for a million tokens of a prompt, ten for those of an answer: one and ten micro-dollars a token. */
const PRICES = { [MODEL]: { input: 1, output: 10 } };
const USAGE = { input_tokens: 100, output_tokens: 10 };
const COST = 200;

let runId: string;
let sent: UpstreamRequest[];
let answer: (request: UpstreamRequest) => Promise<Response>;

const log = { error: () => undefined, warn: () => undefined };
const stream = (...events: object[]): Response =>
  new Response(events.map((event) => `data: ${JSON.stringify(event)}\n\n`).join(''), {
    headers: { 'content-type': 'text/event-stream' },
  });
const completed = { type: 'response.completed', response: { usage: USAGE, service_tier: 'default' } };

function gatewayWith(settings: Partial<MeterSettings> = {}): ReturnType<typeof createModelGateway> {
  const upstream = { url: 'https://model.test/v1', key: 'sk' };
  return createModelGateway({
    access: { open: async () => findAssignment(tables.db, runId) },
    openai: upstream,
    anthropic: upstream,
    meter: createMeter(tables.db, { limits: {}, mode: 'enforce', outputTokens: 100, prices: PRICES, ...settings }, log),
    send: async (_url, request) => {
      sent.push(request);
      return answer(request);
    },
  });
}

const ask = async (
  gateway: ReturnType<typeof gatewayWith>,
  body: object = { input: 'Go on', stream: true },
  path = '/v1/responses',
): Promise<Response> =>
  gateway.request(path, {
    method: 'POST',
    headers: { authorization: 'Bearer t' },
    body: JSON.stringify({ model: MODEL, ...body }),
  });

const calls = async () => tables.db.select().from(modelCalls).where(eq(modelCalls.runId, runId));

beforeEach(async () => {
  runId = randomUUID();
  sent = [];
  answer = async () => stream({ type: 'response.created' }, completed);
  await storeAssignment(
    tables.db,
    assignmentOf(runId, { model: MODEL, issueKey: `acme/${runId}#7`, project: `of-${runId}` }),
  );
  await beginAttempt(tables.db, runId, 1, undefined);
});

describe('a call of the model is settled from what its answer says', () => {
  const chat = { messages: [{ role: 'user', content: 'x' }] };
  const counted = { prompt_tokens: 100, completion_tokens: 10 };
  const ofAnthropic = { ...chat, max_tokens: 50 };
  test.each<[string, string, object, () => Response]>([
    ['a stream of Responses', '/v1/responses', { input: 'x', stream: true }, () => stream(completed)],
    ['a body of Responses', '/v1/responses', { input: 'x' }, () => Response.json({ usage: USAGE })],
    ['a shortened conversation', '/v1/responses/compact', { input: 'x' }, () => Response.json({ usage: USAGE })],
    ['a body of a chat', '/v1/chat/completions', chat, () => Response.json({ usage: counted })],
    [
      'a stream of a chat',
      '/v1/chat/completions',
      { ...chat, stream: true },
      () => stream({ choices: [], usage: null }, { choices: [], usage: counted }),
    ],
    ['a body of Messages', '/v1/messages', ofAnthropic, () => Response.json({ usage: USAGE })],
    [
      'a stream of Messages',
      '/v1/messages',
      { ...ofAnthropic, stream: true },
      () =>
        stream(
          { type: 'message_start', message: { usage: { input_tokens: 100, output_tokens: 1 } } },
          { type: 'message_delta', usage: { output_tokens: 10 } },
        ),
    ],
  ])('%s', async (_what, path, body, answered) => {
    answer = async () => answered();
    const response = await ask(gatewayWith(), body, path);
    await response.text();
    expect(response.status).toBe(200);
    expect(await calls()).toMatchObject([{ state: 'settled', cost: COST, input: 100, output: 10 }]);
  });

  test('and costs nothing if the provider refuses it', async () => {
    answer = async () => Response.json({ error: {} }, { status: 429 });
    expect((await ask(gatewayWith())).status).toBe(429);
    expect(await calls()).toMatchObject([{ cost: 0 }]);
  });

  test('and costs nothing if nobody listens at its address', async () => {
    answer = async () => {
      throw new TypeError('fetch failed', { cause: Object.assign(new Error('x'), { code: 'ECONNREFUSED' }) });
    };
    expect((await ask(gatewayWith())).status).toBe(503);
    expect(await calls()).toMatchObject([{ cost: 0 }]);
  });

  test('and a count of tokens is no call', async () => {
    answer = async () => Response.json({ input_tokens: 5 });
    expect((await ask(gatewayWith(), chat, '/v1/messages/count_tokens')).status).toBe(200);
    expect(await calls()).toEqual([]);
  });
});

describe('a call is settled at its reservation', () => {
  test('if its stream breaks off', async () => {
    answer = async () => stream({ type: 'response.created' }, { type: 'response.output_text.delta', delta: 'x' });
    await (await ask(gatewayWith())).text();
    const [row] = await calls();
    expect(row).toMatchObject({ state: 'unsettled', cost: row?.reserved });
  });

  test('if the agent hangs up', async () => {
    answer = async () =>
      new Response(new ReadableStream({ start: (to) => to.enqueue(new TextEncoder().encode('data: {}\n\n')) }), {
        headers: { 'content-type': 'text/event-stream' },
      });
    const { body } = await ask(gatewayWith());
    await body?.cancel();
    await expect.poll(calls).toMatchObject([{ state: 'unsettled' }]);
  });

  test('if its service tier has no price', async () => {
    answer = async () => stream({ type: 'response.completed', response: { usage: USAGE, service_tier: 'turbo' } });
    await (await ask(gatewayWith())).text();
    expect(await calls()).toMatchObject([{ state: 'unsettled' }]);
  });
});

test('the answer is bounded before it is asked for', async () => {
  await (await ask(gatewayWith())).text();
  expect(JSON.parse(sent[0]?.body as string)).toMatchObject({ max_output_tokens: 100 });
});

test('fifty calls at once spend no more than their budget', async () => {
  answer = async () =>
    stream({ type: 'response.completed', response: { usage: { input_tokens: 40, output_tokens: 100 } } });
  const limits = { run: 10_000 };
  const gateway = gatewayWith({ limits });
  const statuses = await Promise.all(
    Array.from({ length: 50 }, async () => {
      const response = await ask(gateway);
      await response.text();
      return response.status;
    }),
  );
  expect(new Set(statuses)).toEqual(new Set([200, 429]));
  const spent = (await calls()).reduce((sum, { cost }) => sum + (cost ?? 0), 0);
  expect(spent).toBeLessThanOrEqual(limits.run);
  expect(spent).toBe(sent.length * 1040);
});

describe('a spent budget', () => {
  const limits = { run: 1500 };

  test('stops the attempt, in words and a code for programs', async () => {
    const gateway = gatewayWith({ limits });
    const response = await ask(gateway, { input: 'x'.repeat(600) });
    expect([response.status, await response.json()]).toEqual([
      429,
      expect.objectContaining({
        code: 'resource_exhausted',
        error: expect.objectContaining({ code: 'budget_spent' }) as object,
        message: expect.stringContaining('the budget of this run is spent') as string,
      }),
    ]);
    expect(sent).toEqual([]);
    expect(await findBudgetStop(tables.db, runId, 1)).toMatchObject({ scope: 'run', limit: 1500, original: 1500 });
  });

  test('has the status at which Claude Code ends its turn', async () => {
    const body = { messages: [{ role: 'user', content: 'x'.repeat(600) }], max_tokens: 100 };
    expect((await ask(gatewayWith({ limits }), body, '/v1/messages')).status).toBe(402);
  });

  test('stops its attempt for good, and not the next one', async () => {
    await ask(gatewayWith({ limits }), { input: 'x'.repeat(600) });
    const withoutLimits = gatewayWith();
    expect((await ask(withoutLimits)).status).toBe(429);
    await beginAttempt(tables.db, runId, 2, undefined);
    expect((await ask(withoutLimits)).status).toBe(200);
  });

  test('is told in the audit trail and in the run log', async () => {
    await ask(gatewayWith({ limits }), { input: 'x'.repeat(600) });
    expect(await tables.db.select().from(flowEvents).where(eq(flowEvents.runId, runId))).toMatchObject([
      { type: 'run.budget.spent', payload: { scope: 'run', spent: 0, limit: 1500 } },
    ]);
    expect(await tables.db.select().from(runLogLines).where(eq(runLogLines.runId, runId))).toHaveLength(1);
  });

  test('is warned of before', async () => {
    answer = async () =>
      stream({ type: 'response.completed', response: { usage: { input_tokens: 5, output_tokens: 120 } } });
    await (await ask(gatewayWith({ limits }))).text();
    expect(await tables.db.select().from(flowEvents).where(eq(flowEvents.runId, runId))).toMatchObject([
      { type: 'run.budget.warned', payload: { percent: 80, spent: 1205 } },
    ]);
  });

  test('refuses nothing in shadow mode', async () => {
    expect((await ask(gatewayWith({ limits: { run: 1 }, mode: 'shadow' }))).status).toBe(200);
    expect(await findBudgetStop(tables.db, runId, 1)).toBeUndefined();
  });
});

describe('a model without a price', () => {
  test('is refused', async () => {
    const response = await ask(gatewayWith({ prices: {} }));
    expect([response.status, sent]).toEqual([400, []]);
    expect(await response.text()).toContain('CODEXK8S_MODEL_PRICES_FILE');
  });

  test('costs what the operator says that every such model costs', async () => {
    await (await ask(gatewayWith({ prices: { '*': { input: 100, output: 1000 } } }))).text();
    expect(await calls()).toMatchObject([{ cost: 20_000 }]);
  });
});
