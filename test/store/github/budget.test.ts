import { beforeEach, describe, expect, test } from 'vitest';
import { createGitHubBudget, type BudgetLimits } from '../../../src/store/github/budget.ts';
import { githubBudgets } from '../../../src/store/connection/schema.ts';
import { useTables } from '../../support/tables.ts';

const API = 'https://github.example/api';
const tables = useTables();

beforeEach(async () => {
  await tables.db.delete(githubBudgets);
});

const budget = (perMinute: number, perHour: number) => budgetOf({ perMinute, perHour });

function budgetOf(limits: BudgetLimits, apiUrl = API) {
  return createGitHubBudget(tables.db, apiUrl, limits);
}

/** Moves everything that was written into the past. */
async function pass(interval: string): Promise<void> {
  await tables.db.execute(
    `update github_budgets set writes = array(select made - interval '${interval}' from unnest(writes) as made order by made)`,
  );
}

async function takeAll(from: ReturnType<typeof budget>, most: number, courtesy = false): Promise<number> {
  for (let taken = 0; taken < most; taken += 1) if (await from.take({ courtesy })) return taken;
  return most;
}

describe('the budget of content-creating requests', () => {
  test('is what GitHub takes in a minute', async () => {
    expect(await takeAll(budget(5, 100), 20)).toBe(5);
  });

  test('is what GitHub takes in an hour', async () => {
    expect(await takeAll(budget(100, 7), 20)).toBe(7);
  });

  test('says how long a write has to wait, and why', async () => {
    const one = budget(5, 100);
    await takeAll(one, 5);
    await pass('20 seconds');
    const asked = Date.now();
    const spent = await one.take({ courtesy: false });
    const answered = Date.now();
    expect(spent?.leftMs).toBeGreaterThan(10_000);
    expect(spent?.leftMs).toBeLessThanOrEqual(40_000);
    const counted = (spent?.until.getTime() ?? 0) - (spent?.leftMs ?? 0);
    expect(counted).toBeGreaterThan(asked - 1000);
    expect(counted).toBeLessThan(answered + 1000);
    expect(spent?.reason).toContain('5 a minute and 100 an hour');
  });

  test('waits for the longer of two limits', async () => {
    const one = budget(5, 5);
    await takeAll(one, 5);
    await pass('20 seconds');
    expect((await one.take({ courtesy: false }))?.leftMs).toBeGreaterThan(3_540_000);
  });

  test('slides: there is room when the oldest of a minute is a minute old, and not before', async () => {
    const one = budget(2, 100);
    await one.take({ courtesy: false });
    await pass('30 seconds');
    await one.take({ courtesy: false });
    expect((await one.take({ courtesy: false }))?.leftMs).toBeLessThanOrEqual(30_000);
    await pass('31 seconds');
    expect(await one.take({ courtesy: false })).toBeUndefined();
    expect(await one.take({ courtesy: false })).toBeDefined();
  });

  test('is not spent by who had to wait', async () => {
    const one = budget(5, 100);
    await takeAll(one, 50);
    for (let refused = 0; refused < 10; refused += 1) await one.take({ courtesy: false });
    await pass('61 seconds');
    expect(await takeAll(one, 20)).toBe(5);
  });

  test('forgets what is older than an hour', async () => {
    const one = budget(100, 100);
    await takeAll(one, 20);
    await pass('2 hours');
    await one.take({ courtesy: false });
    expect((await tables.db.select().from(githubBudgets))[0]?.writes).toHaveLength(1);
  });

  test('leaves its last fifth to what the work depends on', async () => {
    const one = budget(10, 100);
    expect(await takeAll(one, 20, true)).toBe(8);
    expect(await one.take({ courtesy: true })).toBeDefined();
    expect(await takeAll(one, 20)).toBe(2);
  });

  test('is shared by all who use the same address', async () => {
    const others = [tables.another().db, tables.another().db].map((db) =>
      createGitHubBudget(db, API, { perMinute: 10, perHour: 100 }),
    );
    const asked = Array.from({ length: 15 }, () => others.map((other) => other.take({ courtesy: false }))).flat();
    const refused = (await Promise.all(asked)).filter((spent) => spent !== undefined);
    expect(refused).toHaveLength(20);
  });

  test('is not shared with another address', async () => {
    await takeAll(budget(5, 100), 5);
    expect(await budgetOf({ perMinute: 5, perHour: 100 }, 'https://elsewhere.example').take({ courtesy: false })).toBe(
      undefined,
    );
  });

  test('is not counted where there are no limits', async () => {
    expect(await takeAll(budget(0, 0), 50)).toBe(50);
    expect(await tables.db.select().from(githubBudgets)).toEqual([]);
  });
});
