/** Settings of budgets and prices. */
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import type { BudgetLimits } from '../../domain/money/budgets.ts';
import { microsOf } from '../../domain/money/dollars.ts';
import type { PriceList } from '../../domain/money/price-list.ts';

/** An amount of US dollars, as micro-dollars. */
export const budget = z.coerce.number().positive().max(10_000_000).transform(microsOf).optional();

const dollars = z.number().nonnegative().max(1_000_000);
const Price = z.strictObject({
  input: dollars,
  cachedInput: dollars.optional(),
  cacheWrite: dollars.optional(),
  cacheWriteHour: dollars.optional(),
  output: dollars,
  reasoning: dollars.optional(),
});
const Prices = z.record(
  z.string(),
  Price.extend({
    long: Price.extend({ above: z.number().int().positive() }).optional(),
    tiers: z.record(z.string(), Price).optional(),
  }),
);

/** A file of prices, US dollars for a million tokens; none without one. */
export const prices = z
  .string()
  .transform((path, context) => {
    try {
      const read = Prices.safeParse(JSON.parse(readFileSync(path, 'utf8')));
      if (read.success) return read.data as PriceList['models'];
      const [first] = read.error.issues;
      context.addIssue({ code: 'custom', message: `${path}: ${first?.path.join('.')}: ${first?.message}` });
    } catch (error) {
      context.addIssue({ code: 'custom', message: `cannot be read: ${path}: ${(error as Error).message}` });
    }
    return z.NEVER;
  })
  .optional()
  .transform((read) => read ?? {});

/** The limits of the settings of a server, in micro-dollars. */
export function budgetLimits(config: {
  readonly CODEXK8S_BUDGET_RUN_USD?: number | undefined;
  readonly CODEXK8S_BUDGET_ISSUE_USD?: number | undefined;
  readonly CODEXK8S_BUDGET_PROJECT_DAY_USD?: number | undefined;
  readonly CODEXK8S_BUDGET_DAY_USD?: number | undefined;
}): BudgetLimits {
  const limits = {
    run: config.CODEXK8S_BUDGET_RUN_USD,
    issue: config.CODEXK8S_BUDGET_ISSUE_USD,
    project: config.CODEXK8S_BUDGET_PROJECT_DAY_USD,
    day: config.CODEXK8S_BUDGET_DAY_USD,
  };
  return Object.fromEntries(Object.entries(limits).filter(([, limit]) => limit !== undefined));
}
