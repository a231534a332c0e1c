/**
 * The ledger of model calls: a call is reserved for run, issue, project and day before it is forwarded, and settled from its
 * answer. Each is one transaction that locks the budgets' rows in the order of BUDGET_SCOPES, so that calls at the same time
 * cannot spend the same money. Money is micro-dollars.
 */
import { randomUUID } from 'node:crypto';
import { and, eq, lt, sql } from 'drizzle-orm';
import {
  BUDGET_SCOPES,
  budgetsOf,
  warningOf,
  type BudgetKey,
  type BudgetLimits,
  type BudgetScope,
  type Payer,
} from '../../domain/money/budgets.ts';
import type { BudgetRaise, SpentBudget } from '../../domain/money/budget-request.ts';
import type { Usage } from '../../domain/money/costs.ts';
import type { Database, Transaction } from '../connection/database.ts';
import { budgetStops, modelBudgetRaises, modelBudgets, modelCalls } from '../connection/schema.ts';

export interface CallToReserve extends Payer {
  readonly attempt: number;
  readonly model: string;
  /** The most that it can cost. */
  readonly most: number;
  /** The date of the price list. */
  readonly prices: string;
  /** Milliseconds after which it counts as lost. */
  readonly lostAfterMs: number;
}

export type Reservation =
  | { readonly id: string; readonly over?: SpentBudget }
  | { readonly id?: undefined; readonly over: SpentBudget };

/** A budget that has reached a part of its limit. */
export interface BudgetWarning extends BudgetKey {
  readonly percent: number;
  readonly spent: number;
  readonly limit: number;
}

type BudgetRow = typeof modelBudgets.$inferSelect;

/**
 * Reserves the most that a call can cost from each of its budgets, or says which has no room. With `shadow` it is reserved all the
 * same.
 */
export async function reserveCall(
  db: Database,
  call: CallToReserve,
  limits: BudgetLimits,
  shadow = false,
): Promise<Reservation> {
  return db.transaction(async (tx) => {
    const day = await today(tx);
    const budgets = await lockBudgets(tx, budgetsOf(call, day));
    const over = budgets.map((row) => overOf(row, call.most, limits)).find((each) => each !== undefined);
    if (over && !shadow) return { over };
    const id = randomUUID();
    await tx.insert(modelCalls).values({
      id,
      runId: call.runId,
      attempt: call.attempt,
      issueKey: call.issue,
      project: call.project,
      day,
      model: call.model,
      reserved: call.most,
      prices: call.prices,
      deadline: sql`now() + ${call.lostAfterMs} * interval '1 millisecond'`,
    });
    await book(tx, budgets, { reserved: call.most, spent: 0 });
    return { id, ...(over && { over }) };
  });
}

/**
 * Settles a call that is under way at what it cost, or at its reservation if that is not known. Returns the warnings that its
 * budgets have reached by it. A call that was settled before stays as it is.
 */
export async function settleCall(
  db: Database,
  id: string,
  answered: { readonly cost: number; readonly usage: Usage; readonly tier: string | undefined } | undefined,
  limits: BudgetLimits,
): Promise<BudgetWarning[]> {
  return db.transaction(async (tx) => {
    const [call] = await tx.select().from(modelCalls).where(eq(modelCalls.id, id));
    if (!call) return [];
    const payer = { runId: call.runId, issue: call.issueKey, project: call.project };
    const budgets = await lockBudgets(tx, budgetsOf(payer, call.day));
    const cost = answered?.cost ?? call.reserved;
    const { cacheWrite = 0, cacheWriteHour = 0, ...tokens } = answered?.usage ?? {};
    const settled = await tx
      .update(modelCalls)
      .set({
        state: answered ? 'settled' : 'unsettled',
        cost,
        ...tokens,
        cacheWrite: cacheWrite + cacheWriteHour,
        tier: answered?.tier ?? null,
        settledAt: sql`now()`,
      })
      .where(and(eq(modelCalls.id, id), eq(modelCalls.state, 'reserved')))
      .returning({ id: modelCalls.id });
    if (settled.length === 0) return [];
    await book(tx, budgets, { reserved: -call.reserved, spent: cost });
    return warn(
      tx,
      budgets.map((row) => ({ ...row, spent: row.spent + cost })),
      limits,
    );
  });
}

/** Settles calls whose server is gone at their reservations. Returns how many. */
export async function settleLostCalls(db: Database, limits: BudgetLimits): Promise<number> {
  const lost = await db
    .select({ id: modelCalls.id })
    .from(modelCalls)
    .where(and(eq(modelCalls.state, 'reserved'), lt(modelCalls.deadline, sql`now()`)));
  for (const { id } of lost) await settleCall(db, id, undefined, limits);
  return lost.length;
}

/** Records that a spent budget has stopped an attempt; the first one counts. */
export async function stopForBudget(
  db: Database,
  attempt: { readonly runId: string; readonly attempt: number },
  spent: SpentBudget,
): Promise<void> {
  await db
    .insert(budgetStops)
    .values({ ...attempt, ...spent })
    .onConflictDoNothing();
}

/** The budget that has stopped an attempt; undefined if none has. */
export async function findBudgetStop(
  db: Database,
  runId: string,
  attempt: number,
): Promise<typeof budgetStops.$inferSelect | undefined> {
  const [stop] = await db
    .select()
    .from(budgetStops)
    .where(and(eq(budgetStops.runId, runId), eq(budgetStops.attempt, attempt)));
  return stop;
}

/** Adds to a budget what a person allowed with the answer to a request; once for each request. */
export async function raiseBudget(db: Database, raise: BudgetRaise): Promise<void> {
  const { scope, key, added } = raise;
  await db.transaction(async (tx) => {
    const raised = await tx.insert(modelBudgetRaises).values(raise).onConflictDoNothing().returning();
    if (raised.length === 0) return;
    await tx
      .insert(modelBudgets)
      .values({ scope, key, added })
      .onConflictDoUpdate({
        target: [modelBudgets.scope, modelBudgets.key],
        set: { added: sql`${modelBudgets.added} + ${added}`, warned: 0 },
      });
  });
}

async function today(tx: Transaction): Promise<string> {
  const [row] = await tx.execute<{ day: string }>(sql`select to_char(now() at time zone 'UTC', 'YYYY-MM-DD') as day`);
  return row?.day ?? '';
}

/** Locks the rows in the order given, and creates those that are missing. */
async function lockBudgets(tx: Transaction, keys: readonly BudgetKey[]): Promise<BudgetRow[]> {
  const rows = await tx
    .insert(modelBudgets)
    .values([...keys])
    .onConflictDoUpdate({ target: [modelBudgets.scope, modelBudgets.key], set: { updatedAt: sql`now()` } })
    .returning();
  return rows.toSorted((a, b) => BUDGET_SCOPES.indexOf(a.scope) - BUDGET_SCOPES.indexOf(b.scope));
}

/** Changes rows that are locked. */
async function book(
  tx: Transaction,
  rows: readonly BudgetKey[],
  change: { readonly reserved: number; readonly spent: number },
): Promise<void> {
  const keys = rows.map(({ scope, key }) => sql`(${scope}, ${key})`);
  await tx.execute(sql`
    update ${modelBudgets} set reserved = reserved + ${change.reserved}, spent = spent + ${change.spent}
    where (scope, key) in (${sql.join(keys, sql`, `)})`);
}

function overOf(row: BudgetRow, most: number, limits: BudgetLimits): SpentBudget | undefined {
  const original = limits[row.scope];
  if (original === undefined) return undefined;
  const { scope, key, spent, reserved } = row;
  const limit = original + row.added;
  return spent + reserved + most <= limit ? undefined : { scope, key, spent, limit, original };
}

/** Warnings that were not given yet; given from then on. */
async function warn(tx: Transaction, rows: readonly BudgetRow[], limits: BudgetLimits): Promise<BudgetWarning[]> {
  const warnings: BudgetWarning[] = [];
  for (const { scope, key, spent, added, warned } of rows) {
    const original = limits[scope];
    if (original === undefined) continue;
    const limit = original + added;
    const percent = warningOf(spent, limit);
    if (percent <= warned) continue;
    warnings.push({ scope, key, percent, spent, limit });
    await tx.update(modelBudgets).set({ warned: percent }).where(budgetIs(scope, key));
  }
  return warnings;
}

function budgetIs(scope: BudgetScope, key: string) {
  return and(eq(modelBudgets.scope, scope), eq(modelBudgets.key, key));
}
