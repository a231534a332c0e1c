import { randomUUID } from 'node:crypto';
import { eq } from 'drizzle-orm';
import { expect, test } from 'vitest';
import { createAgentApi } from '../../../ingress/gateways/agent-api.ts';
import type { RunAccess } from '../../../ingress/gateways/run-access.ts';
import { agentConversationParts } from '../../../src/store/connection/schema.ts';
import { useTables } from '../../support/tables.ts';

const tables = useTables();
const MIB = 1024 * 1024;

function apiOf(runId: string) {
  return createAgentApi({
    db: tables.db,
    access: { open: async () => ({ runId, attempt: 1 }) } as unknown as RunAccess,
    platformUrl: 'http://platform.test',
    author: { name: '', email: '' },
    limits: { stallSeconds: 1, runSeconds: 1 },
    secrets: [],
  });
}

/** A line of one MiB less one byte, and its end. */
const LINE = Buffer.concat([Buffer.alloc(MIB - 1, 'a word of many '), Buffer.from('\n')]);

async function partsInStore(runId: string): Promise<number> {
  return (await tables.db.select().from(agentConversationParts).where(eq(agentConversationParts.runId, runId))).length;
}

function put(api: ReturnType<typeof apiOf>, body: ReadableStream<Uint8Array>): Promise<Response> {
  const init = { method: 'PUT', headers: { 'x-thread-id': 'thread-1' }, body, duplex: 'half' as const };
  return Promise.resolve(api.request('/conversation', init));
}

test('S1: a server stores the start of a conversation before it has the rest, and gives it back part by part', async () => {
  const runId = randomUUID();
  const api = apiOf(runId);
  let sent = 0;
  const body = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        // A server that waits for the whole body never gets it.
        if (sent === 6) await expect.poll(() => partsInStore(runId), { timeout: 30_000 }).toBeGreaterThan(2);
        if (sent === 12) return controller.close();
        sent += 1;
        controller.enqueue(new Uint8Array(LINE));
      },
    },
    { highWaterMark: 0 },
  );
  expect((await put(api, body)).status).toBe(204);

  const answer = await api.request('/conversation');
  expect(answer.headers.get('x-thread-id')).toBe('thread-1');
  const chunks: number[] = [];
  for await (const chunk of answer.body ?? []) chunks.push(chunk.length);
  expect(Math.max(...chunks)).toBeLessThanOrEqual(MIB);
  expect(chunks.reduce((all, one) => all + one, 0)).toBe(12 * MIB);
});

test('S1: a conversation without a length that does not end is refused at 64 MiB, and nothing of it is kept', async () => {
  const runId = randomUUID();
  let sent = 0;
  const body = new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        sent += 1;
        controller.enqueue(new Uint8Array(LINE));
      },
    },
    { highWaterMark: 0 },
  );
  expect((await put(apiOf(runId), body)).status).toBe(413);
  expect(sent).toBeLessThan(70);
  expect(await partsInStore(runId)).toBe(0);
});

test('S1: a run that sends batches of its log without a pause is asked to slow down', async () => {
  const api = apiOf(randomUUID());
  const statuses = new Set<number>();
  for (let n = 0; n < 400 && !statuses.has(429); n += 1) {
    const answer = await api.request('/log', { method: 'POST', body: JSON.stringify({ lines: [] }) });
    statuses.add(answer.status);
    if (answer.status === 429) expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
  }
  expect([...statuses]).toEqual([204, 429]);
});

test('S2: a runner sends only what is new of a conversation, redacted; to another state it appends nothing', async () => {
  const api = apiOf(randomUUID());
  const send = async (method: string, body: string, tag?: string) => {
    const headers = { 'x-thread-id': 'thread-1', ...(tag !== undefined && { 'if-match': tag }) };
    const answer = await api.request('/conversation', { method, headers, body });
    return { status: answer.status, tag: answer.headers.get('etag') ?? undefined };
  };
  const first = await send('PUT', '{"a":1}\n');
  const second = await send('PATCH', `{"b":"ghp_${'a1'.repeat(18)}"}\n`, first.tag);
  expect(second.status).toBe(204);
  expect((await send('PATCH', '{"c":3}\n', first.tag)).status).toBe(412);
  expect((await send('PATCH', '{"c":3}\n')).status).toBe(400);
  expect((await send('PATCH', '{"c":3}\n', second.tag)).status).toBe(204);
  expect(await (await api.request('/conversation')).text()).toBe('{"a":1}\n{"b":"[redacted]"}\n{"c":3}\n');
});

test('S1: what is appended counts for the 64 MiB too', async () => {
  const runId = randomUUID();
  const api = apiOf(runId);
  const tag = (await put(api, new Blob(['{}\n']).stream())).headers.get('etag') ?? '';
  const append = async (bytes: number) => {
    const headers = { 'x-thread-id': 'thread-1', 'if-match': tag, 'content-length': `${bytes}` };
    return (await api.request('/conversation', { method: 'PATCH', headers, body: '{}\n' })).status;
  };
  expect(await append(64 * MIB - 2)).toBe(413);
  expect(await append(64 * MIB - 3)).toBe(204);
});
