import { randomUUID } from 'node:crypto';
import { beforeEach, describe, expect, test } from 'vitest';
import { createCallActivities, type CallPerformer } from '../../../activities/tools/perform-call.ts';
import { closeAssignment } from '../../../src/store/runs/assignments.ts';
import {
  expireCalls,
  findCall,
  findParkedCall,
  recordCall,
  type ToolCall,
} from '../../../src/store/runs/tool-calls.ts';
import { useTables } from '../../support/tables.ts';

const tables = useTables();
const DIGEST = 'd'.repeat(64);

let performed: string[];
let perform: CallPerformer['perform'];
let runId: string;

beforeEach(() => {
  runId = randomUUID();
  performed = [];
  perform = async () => ({ status: 'ok', message: 'applied' });
});

const activities = () =>
  createCallActivities({
    db: tables.db,
    performer: {
      async perform(call) {
        performed.push(call.id);
        return perform(call);
      },
    },
  });

async function park(): Promise<ToolCall> {
  const call = await recordCall(tables.db, {
    runId,
    attempt: 1,
    tool: 'database.lifecycle',
    action: 'create',
    args: '{"action":"create"}',
    digest: DIGEST,
    decision: { mode: 'delegated', rule: 1, reason: 'databases are work of operations' },
    state: 'requested',
  });
  if (call === 'parked') throw new Error('another call is parked');
  return call;
}

describe('an approved call', () => {
  test('is performed once, and a repeated activity finds the stored result, byte for byte', async () => {
    const { id } = await park();
    const first = await activities().performCall({ call: id, digest: DIGEST });
    expect(first).toEqual({
      state: 'applied',
      result: `{"tool":"database.lifecycle","request":"${id}","status":"ok","message":"applied"}`,
    });
    expect(await activities().performCall({ call: id, digest: DIGEST })).toEqual(first);
    expect(performed).toEqual([id]);
    expect(await findParkedCall(tables.db, runId, 1)).toBeUndefined();
  });

  test('is not performed if the stored call is another than the one that people saw', async () => {
    const { id } = await park();
    await expect(activities().performCall({ call: id, digest: 'e'.repeat(64) })).rejects.toMatchObject({
      type: 'CallChanged',
      nonRetryable: true,
    });
    expect(performed).toEqual([]);
  });

  test('is not performed after it was denied or given up', async () => {
    const denied = await park();
    await activities().endCall({ call: denied.id, end: { status: 'denied', by: 'olivia', reason: '' } });
    await activities().performCall({ call: denied.id, digest: DIGEST });
    const expired = await park();
    await closeAssignment(tables.db, runId);
    await expireCalls(tables.db, runId);
    await expect(activities().performCall({ call: expired.id, digest: DIGEST })).rejects.toMatchObject({
      type: 'CallNotOpen',
    });
    expect(performed).toEqual([]);
  });

  test('that the target refuses has failed, with the reason for the agent', async () => {
    const { id } = await park();
    perform = async () => ({ status: 'failed', reason: 'conflict', message: 'the database is there' });
    expect(await activities().performCall({ call: id, digest: DIGEST })).toMatchObject({
      state: 'failed',
      result: expect.stringContaining('the database is there'),
    });
  });

  test('stays open when the target does not answer, and is performed by the next try', async () => {
    const { id } = await park();
    perform = async () => Promise.reject(new Error('ECONNREFUSED'));
    await expect(activities().performCall({ call: id, digest: DIGEST })).rejects.toThrow('ECONNREFUSED');
    expect((await findCall(tables.db, id))?.state).toBe('approved');
    perform = async () => ({ status: 'ok', message: 'applied' });
    expect(await activities().performCall({ call: id, digest: DIGEST })).toMatchObject({ state: 'applied' });
  });

  test('has no result that is too long for a conversation', async () => {
    const { id } = await park();
    perform = async () => ({ status: 'ok', message: 'x'.repeat(100_000) });
    const { state, result } = await activities().performCall({ call: id, digest: DIGEST });
    expect([state, JSON.parse(result).status]).toEqual(['applied', 'result_too_long']);
  });
});

test('what people say with a denial reaches the agent without what nobody can see in it', async () => {
  const { id } = await park();
  const { result } = await activities().endCall({
    call: id,
    end: { status: 'denied', by: 'olivia', reason: 'not\u{E0041} now' },
  });
  expect(JSON.parse(result)).toMatchObject({ status: 'denied', by: 'olivia', reason: 'not now' });
});

test('a tool that asks people is answered, and its call is applied', async () => {
  const { id } = await park();
  const answered = { status: 'answered', option: 'eu', text: 'Europe', by: 'olivia' } as const;
  const { state, result } = await activities().endCall({ call: id, end: answered });
  expect([state, JSON.parse(result)]).toEqual(['applied', expect.objectContaining(answered)]);
});
