import { randomUUID } from 'node:crypto';
import { beforeEach, expect, test } from 'vitest';
import { NO_USAGE } from '../../../src/domain/money/costs.ts';
import { estimateRunCost, listCosts, readRunCost } from '../../../src/store/money/costs.ts';
import { reserveCall, settleCall } from '../../../src/store/money/ledger.ts';
import { modelCalls, runs } from '../../../src/store/connection/schema.ts';
import { putRun, runId as nthRun } from '../../ingress/dashboard/support/world.ts';
import { useTables } from '../../support/tables.ts';

const tables = useTables();
let runsMade = 0;

beforeEach(async () => {
  await tables.db.delete(modelCalls);
  await tables.db.delete(runs);
});

async function spend(runId: string, cost: number, limits = {}): Promise<void> {
  const call = { runId, issue: 'issue:42#7', project: 'demo', attempt: 1, model: 'm', most: cost };
  const { id = '' } = await reserveCall(tables.db, { ...call, prices: '', lostAfterMs: 1000 }, limits);
  const usage = { ...NO_USAGE, input: 10, cached: 90, output: 5 };
  await settleCall(tables.db, id, { cost, usage, tier: undefined }, limits);
}

async function finished(cost?: number, more: object = {}): Promise<string> {
  runsMade += 1;
  const id = nthRun(runsMade);
  await putRun(tables.db, runsMade, { status: 'succeeded', finishedAt: new Date().toISOString(), ...more });
  if (cost !== undefined) await spend(id, cost);
  return id;
}

test('a run has cost what its calls have cost together', async () => {
  const runId = randomUUID();
  await spend(runId, 300);
  await spend(runId, 500, { run: 1000 });
  expect(await readRunCost(tables.db, runId)).toEqual({
    calls: 2,
    cost: 800,
    prompt: 200,
    cached: 180,
    output: 10,
    warning: { scope: 'run', percent: 80 },
  });
});

test('a call that is under way costs nothing yet', async () => {
  const runId = randomUUID();
  const call = { runId, issue: 'i', project: 'p', attempt: 1, model: 'm', most: 9, prices: '', lostAfterMs: 1000 };
  await reserveCall(tables.db, call, {});
  expect(await readRunCost(tables.db, runId)).toMatchObject({ calls: 0, cost: 0 });
});

test('an estimate is made from runs of the same stage in the same repository', async () => {
  for (const cost of [100, 900, 200, 300]) await finished(cost);
  await finished(); // it called no model
  await finished(5000, { stage: 'qa' });
  await finished(6000, { repositoryId: 43 });
  const run = await finished();
  expect(await estimateRunCost(tables.db, run)).toEqual({ runs: 4, median: 250, least: 100, most: 900 });
});

test('there is no estimate without earlier runs', async () => {
  expect(await estimateRunCost(tables.db, await finished())).toBeUndefined();
});

test.each(['run', 'issue', 'project', 'day'] as const)('costs are added up by %s', async (by) => {
  const runId = await finished(300);
  await spend(runId, 500);
  const [row, ...others] = await listCosts(tables.db, by, 10);
  expect(row).toMatchObject({ calls: 2, cost: 800 });
  expect(row?.name).toMatch({ run: runId, issue: /#7$/, project: 'demo', day: /^\d{4}-\d\d-\d\d$/ }[by]);
  expect(others).toEqual([]);
});
