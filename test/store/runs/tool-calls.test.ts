import { randomUUID } from 'node:crypto';
import { beforeEach, expect, test } from 'vitest';
import {
  findCall,
  findParkedCall,
  findLastEndedCall,
  moveCall,
  recordCall,
  type NewToolCall,
} from '../../../src/store/runs/tool-calls.ts';
import { useTables } from '../../support/tables.ts';

const tables = useTables();
let runId: string;

beforeEach(() => {
  runId = randomUUID();
});

const call = (more: Partial<NewToolCall> = {}): NewToolCall => ({
  runId,
  attempt: 1,
  tool: 'database.lifecycle',
  action: 'create',
  args: '{}',
  digest: 'a'.repeat(64),
  decision: { mode: 'owner', rule: null, reason: 'x' },
  state: 'requested',
  ...more,
});

test('a call that waits is found by its attempt, and the same call again is the same', async () => {
  const first = await recordCall(tables.db, call());
  expect(first).toMatchObject({ id: `${runId}:1`, state: 'requested', endedAt: null });
  expect(await recordCall(tables.db, call())).toEqual(first);
  expect(await findParkedCall(tables.db, runId, 1)).toEqual(first);
  expect(await findParkedCall(tables.db, runId, 2)).toBeUndefined();
});

test('an attempt that waits makes no other call', async () => {
  await recordCall(tables.db, call());
  expect(await recordCall(tables.db, call({ digest: 'b'.repeat(64), state: 'applied', result: '{}' }))).toBe('parked');
});

test('of many calls at once one waits', async () => {
  const digests = Array.from({ length: 8 }, (_, n) => String(n).repeat(64));
  const answers = await Promise.all(digests.map((digest) => recordCall(tables.db, call({ digest }))));
  expect(answers.filter((answer) => answer !== 'parked')).toHaveLength(1);
});

test('a call that is over changes no more', async () => {
  await recordCall(tables.db, call());
  expect(await moveCall(tables.db, `${runId}:1`, 'approved')).toBe(true);
  expect(await moveCall(tables.db, `${runId}:1`, 'applied', '{"status":"ok"}')).toBe(true);
  expect(await moveCall(tables.db, `${runId}:1`, 'applied', '{"status":"again"}')).toBe(true);
  expect(await moveCall(tables.db, `${runId}:1`, 'denied')).toBe(false);
  expect(await findCall(tables.db, `${runId}:1`)).toMatchObject({ state: 'applied', result: '{"status":"ok"}' });
});

test('a call that was performed is found by its digest', async () => {
  await recordCall(tables.db, call({ state: 'failed', result: '{}' }));
  expect(await findLastEndedCall(tables.db, runId, ['database.lifecycle'])).toBeUndefined();
  await recordCall(tables.db, call({ state: 'applied', result: '{"n":1}' }));
  expect(await findLastEndedCall(tables.db, runId, ['database.lifecycle'])).toMatchObject({ result: '{"n":1}' });
});
