import { randomBytes, randomUUID } from 'node:crypto';
import { and, eq } from 'drizzle-orm';
import { expect, test } from 'vitest';
import { agentConversationParts } from '../../../src/store/connection/schema.ts';
import {
  appendToConversation,
  findConversation,
  findThread,
  storeConversation,
} from '../../../src/store/runs/conversations.ts';
import { useTables } from '../../support/tables.ts';

const tables = useTables();

async function read(runId: string): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  for await (const part of (await findConversation(tables.db, runId))?.parts() ?? []) pieces.push(part);
  return Buffer.concat(pieces);
}

async function partsInStore(runId: string): Promise<number> {
  return (await tables.db.select().from(agentConversationParts).where(eq(agentConversationParts.runId, runId))).length;
}

test.each([0, 1, 512 * 1024, 512 * 1024 + 1, 1_300_000])(
  'a conversation of %i bytes is read as it was stored',
  async (size) => {
    const runId = randomUUID();
    const content = randomBytes(size);
    await storeConversation(tables.db, { runId, attempt: 1 }, 'thread-1', [
      content.subarray(0, 700_000),
      content.subarray(700_000),
    ]);
    expect(await findThread(tables.db, runId)).toBe('thread-1');
    expect((await read(runId)).equals(content)).toBe(true);
  },
);

test('a newer conversation replaces the older one, whose parts are gone', async () => {
  const runId = randomUUID();
  await storeConversation(tables.db, { runId, attempt: 1 }, 'thread-1', [randomBytes(2_000_000)]);
  await storeConversation(tables.db, { runId, attempt: 1 }, 'thread-2', [Buffer.from('new')]);
  expect(await findThread(tables.db, runId)).toBe('thread-2');
  expect((await read(runId)).toString()).toBe('new');
  expect(await partsInStore(runId)).toBe(1);
});

test('S1: a conversation that is cut off leaves the one before, and nothing of its own', async () => {
  const runId = randomUUID();
  await storeConversation(tables.db, { runId, attempt: 1 }, 'thread-1', [Buffer.from('before')]);
  async function* cutOff(): AsyncGenerator<Uint8Array> {
    yield randomBytes(2_000_000);
    throw new Error('the connection was closed');
  }
  await expect(storeConversation(tables.db, { runId, attempt: 1 }, 'thread-2', cutOff())).rejects.toThrow('closed');
  expect((await read(runId)).toString()).toBe('before');
  expect(await partsInStore(runId)).toBe(1);
});

test('S1: of two writes at once each is whole or refused', async () => {
  const runId = randomUUID();
  const contents = [randomBytes(1_500_000), randomBytes(1_500_000)];
  const written = await Promise.allSettled(
    contents.map((content, n) => storeConversation(tables.db, { runId, attempt: 1 }, `thread-${n}`, [content])),
  );
  expect(written.some(({ status }) => status === 'fulfilled')).toBe(true);
  const kept = await read(runId);
  expect(contents.some((content) => kept.equals(content))).toBe(true);
  expect(await partsInStore(runId)).toBe(3);
});

/** Content that arrives when it is let. */
function held(content: string): { pieces: AsyncGenerator<Uint8Array>; letGo: () => void } {
  const { promise, resolve } = Promise.withResolvers<void>();
  async function* pieces(): AsyncGenerator<Uint8Array> {
    await promise;
    yield Buffer.from(content);
  }
  return { pieces: pieces(), letGo: resolve };
}

test('a late write of an earlier attempt never replaces what the next one has stored', async () => {
  const runId = randomUUID();
  const late = held('of the first attempt');
  const first = storeConversation(tables.db, { runId, attempt: 1 }, 'thread-1', late.pieces);
  await storeConversation(tables.db, { runId, attempt: 2 }, 'thread-1', [Buffer.from('of the second')]);
  late.letGo();
  await expect(first).rejects.toThrow('a newer conversation');
  await expect(storeConversation(tables.db, { runId, attempt: 1 }, 'thread-1', [Buffer.from('again')])).rejects.toThrow(
    'a later attempt',
  );
  expect((await read(runId)).toString()).toBe('of the second');
  expect(await partsInStore(runId)).toBe(1);
});

test('of one attempt, a write that began before a newer one was stored is refused', async () => {
  const runId = randomUUID();
  await storeConversation(tables.db, { runId, attempt: 1 }, 'thread-1', [Buffer.from('one')]);
  const late = held('two, which was given up and comes late');
  const second = storeConversation(tables.db, { runId, attempt: 1 }, 'thread-1', late.pieces);
  await storeConversation(tables.db, { runId, attempt: 1 }, 'thread-1', [Buffer.from('two and three')]);
  late.letGo();
  await expect(second).rejects.toThrow('a newer conversation');
  expect((await read(runId)).toString()).toBe('two and three');
});

test('a conversation is intact as it was stored and appended to, and damaged when a part has changed or is gone', async () => {
  const runId = randomUUID();
  const stored = await storeConversation(tables.db, { runId, attempt: 1 }, 'thread-1', [
    randomBytes(600_000),
    Buffer.from('\n'),
  ]);
  const isIntact = async () => (await findConversation(tables.db, runId))?.isIntact();
  expect(await isIntact()).toBe(true);
  const more = await appendToConversation(tables.db, runId, 'thread-1', stored, [Buffer.from('one more\n')]);
  expect(await isIntact()).toBe(true);
  await appendToConversation(tables.db, runId, 'thread-1', more, [randomBytes(700_000), Buffer.from('\n')]);
  expect(await isIntact()).toBe(true);
  const first = and(eq(agentConversationParts.runId, runId), eq(agentConversationParts.n, 0));
  const [part] = await tables.db.select().from(agentConversationParts).where(first);
  await tables.db
    .update(agentConversationParts)
    .set({ bytes: Buffer.from('other') })
    .where(first);
  expect(await isIntact()).toBe(false);
  await tables.db
    .update(agentConversationParts)
    .set({ bytes: part?.bytes ?? Buffer.alloc(0) })
    .where(first);
  expect(await isIntact()).toBe(true);
  await tables.db.delete(agentConversationParts).where(first);
  expect(await isIntact()).toBe(false);
});

test('a conversation that is replaced while it is read says so', async () => {
  const runId = randomUUID();
  await storeConversation(tables.db, { runId, attempt: 1 }, 'thread-1', [randomBytes(1_500_000)]);
  const parts = (await findConversation(tables.db, runId))?.parts();
  await parts?.next();
  await storeConversation(tables.db, { runId, attempt: 1 }, 'thread-1', [Buffer.from('new')]);
  await expect(parts?.next()).rejects.toThrow('was replaced while it was read');
});

test('S2: what is new is appended, and few parts come of many small pieces', async () => {
  const runId = randomUUID();
  let state = await storeConversation(tables.db, { runId, attempt: 1 }, 'thread-1', [Buffer.from('first\n')]);
  const lines = Array.from({ length: 30 }, (_, n) => `${n} ${'x'.repeat(10_000)}\n`);
  for (const line of lines)
    state = await appendToConversation(tables.db, runId, 'thread-1', state, [Buffer.from(line)]);
  state = await appendToConversation(tables.db, runId, 'thread-1', state, [Buffer.alloc(1_200_000, 'a line\n')]);
  expect((await read(runId)).toString()).toBe(
    `first\n${lines.join('')}${Buffer.alloc(1_200_000, 'a line\n').toString()}`,
  );
  expect(state.bytes).toBe((await read(runId)).length);
  expect(await partsInStore(runId)).toBeLessThan(12);
});

test('S2: nothing is appended to another state, another thread, or an unfinished line', async () => {
  const runId = randomUUID();
  const more = [Buffer.from('more\n')];
  const first = await storeConversation(tables.db, { runId, attempt: 1 }, 'thread-1', [Buffer.from('first\n')]);
  const second = await appendToConversation(tables.db, runId, 'thread-1', first, more);
  await expect(appendToConversation(tables.db, runId, 'thread-1', first, more)).rejects.toThrow('another state');
  await expect(appendToConversation(tables.db, runId, 'thread-2', second, more)).rejects.toThrow('another state');
  expect((await read(runId)).toString()).toBe('first\nmore\n');
  const unfinished = await storeConversation(tables.db, { runId, attempt: 1 }, 'thread-1', [Buffer.from('ghp_')]);
  await expect(appendToConversation(tables.db, runId, 'thread-1', unfinished, more)).rejects.toThrow('another state');
  await expect(appendToConversation(tables.db, runId, 'thread-1', second, more)).rejects.toThrow('another state');
  expect(await partsInStore(runId)).toBe(1);
});

test('S2: of two appends at once one is whole and the other is refused', async () => {
  const runId = randomUUID();
  const state = await storeConversation(tables.db, { runId, attempt: 1 }, 'thread-1', [Buffer.from('first\n')]);
  const appended = await Promise.allSettled(
    ['one\n', 'two\n'].map((line) => appendToConversation(tables.db, runId, 'thread-1', state, [Buffer.from(line)])),
  );
  expect(appended.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
  expect((await read(runId)).toString()).toMatch(/^first\n(one|two)\n$/);
});
