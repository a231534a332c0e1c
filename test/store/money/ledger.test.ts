import { randomUUID } from 'node:crypto';
import { eq, sql } from 'drizzle-orm';
import { beforeEach, describe, expect, test } from 'vitest';
import { NO_USAGE } from '../../../src/domain/money/costs.ts';
import { modelBudgets, modelCalls } from '../../../src/store/connection/schema.ts';
import {
  findBudgetStop,
  raiseBudget,
  reserveCall,
  settleCall,
  settleLostCalls,
  stopForBudget,
  type CallToReserve,
} from '../../../src/store/money/ledger.ts';
import { useTables } from '../../support/tables.ts';

const tables = useTables();
let call: CallToReserve;

beforeEach(() => {
  const name = randomUUID();
  call = {
    runId: name,
    issue: `acme/${name}#7`,
    project: name,
    attempt: 1,
    model: 'm',
    most: 100,
    prices: '2026-01-01',
    lostAfterMs: 60_000,
  };
});

const answered = (cost: number) => ({ cost, usage: { ...NO_USAGE, input: 5, output: 2 }, tier: 'default' });
const budgetOfRun = async () => {
  const [row] = await tables.db.select().from(modelBudgets).where(eq(modelBudgets.key, call.runId));
  return row && { spent: row.spent, reserved: row.reserved };
};

test('fifty calls at once reserve no more than the budget holds', async () => {
  const limits = { run: 1000 };
  const reservations = await Promise.all(Array.from({ length: 50 }, async () => reserveCall(tables.db, call, limits)));
  expect(reservations.filter(({ id }) => id !== undefined)).toHaveLength(10);
  expect(await budgetOfRun()).toEqual({ spent: 0, reserved: 1000 });
});

test('runs of one issue share its budget, and nobody elses', async () => {
  const limits = { issue: 150 };
  await reserveCall(tables.db, call, limits);
  const other = { ...call, runId: randomUUID() };
  expect(await reserveCall(tables.db, other, limits)).toMatchObject({ over: { scope: 'issue', key: call.issue } });
  expect((await reserveCall(tables.db, { ...other, issue: 'acme/other#1' }, limits)).over).toBeUndefined();
});

test('an answer that cost less leaves the rest to the next call', async () => {
  const limits = { run: 150 };
  const { id = '' } = await reserveCall(tables.db, call, limits);
  expect((await reserveCall(tables.db, call, limits)).id).toBeUndefined();
  await settleCall(tables.db, id, answered(30), limits);
  expect(await budgetOfRun()).toEqual({ spent: 30, reserved: 0 });
  expect((await reserveCall(tables.db, call, limits)).id).toBeDefined();
});

test('an answer without usage is settled at its reservation, and once', async () => {
  const { id = '' } = await reserveCall(tables.db, call, {});
  await settleCall(tables.db, id, undefined, {});
  await settleCall(tables.db, id, answered(1), {});
  expect(await budgetOfRun()).toEqual({ spent: 100, reserved: 0 });
  const [row] = await tables.db.select().from(modelCalls).where(eq(modelCalls.id, id));
  expect(row).toMatchObject({ state: 'unsettled', cost: 100 });
});

test('the call of a server that is gone is settled at its reservation', async () => {
  const { id = '' } = await reserveCall(tables.db, call, {});
  await settleLostCalls(tables.db, {});
  expect(await budgetOfRun()).toEqual({ spent: 0, reserved: 100 });
  await tables.db
    .update(modelCalls)
    .set({ deadline: sql`now() - interval '1 second'` })
    .where(eq(modelCalls.id, id));
  await settleLostCalls(tables.db, {});
  expect(await budgetOfRun()).toEqual({ spent: 100, reserved: 0 });
});

describe('warnings', () => {
  test('are given once each, at 80 and at 90 percent', async () => {
    const limits = { run: 1000 };
    const given: number[] = [];
    for (const cost of [790, 10, 50, 50, 90]) {
      const { id = '' } = await reserveCall(tables.db, { ...call, most: cost }, limits);
      given.push(...(await settleCall(tables.db, id, answered(cost), limits)).map(({ percent }) => percent));
    }
    expect(given).toEqual([80, 90]);
  });
});

test('shadow mode counts and refuses nothing', async () => {
  const limits = { run: 50 };
  const reservation = await reserveCall(tables.db, call, limits, true);
  expect(reservation).toMatchObject({ id: expect.any(String) as string, over: { scope: 'run', limit: 50 } });
});

test('what a person added is there, once for each answer', async () => {
  const limits = { run: 50 };
  const raise = { scope: 'run', key: call.runId, requestId: `${call.runId}.1`, added: 50, actor: 'olivia' } as const;
  expect((await reserveCall(tables.db, call, limits)).over).toMatchObject({ limit: 50, original: 50 });
  await raiseBudget(tables.db, raise);
  await raiseBudget(tables.db, raise);
  expect((await reserveCall(tables.db, call, limits)).id).toBeDefined();
  expect((await reserveCall(tables.db, call, limits)).over).toMatchObject({ limit: 100 });
});

test('the budget that stopped an attempt is known', async () => {
  const spent = { scope: 'run', key: call.runId, spent: 5, limit: 6, original: 6 } as const;
  await stopForBudget(tables.db, { runId: call.runId, attempt: 1 }, spent);
  await stopForBudget(tables.db, { runId: call.runId, attempt: 1 }, { ...spent, spent: 99 });
  expect(await findBudgetStop(tables.db, call.runId, 1)).toMatchObject(spent);
  expect(await findBudgetStop(tables.db, call.runId, 2)).toBeUndefined();
});
