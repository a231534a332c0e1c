/** What models cost: calls and budgets. Money is micro-dollars (a millionth of a US dollar). */
import { sql } from 'drizzle-orm';
import { bigint, index, integer, pgTable, primaryKey, text, uuid } from 'drizzle-orm/pg-core';
import type { BudgetScope } from '../../../domain/money/budgets.ts';
import { instant } from './columns.ts';

const micros = (name: string) => bigint(name, { mode: 'number' });

/** One budget: of a run, an issue, a project in a day, or all in a day. Its row is locked by whoever reserves or settles. */
export const modelBudgets = pgTable(
  'model_budgets',
  {
    scope: text('scope').$type<BudgetScope>().notNull(),
    /** The run's id, the issue's key, `<project> <day>`, or the day (YYYY-MM-DD, UTC). */
    key: text('key').notNull(),
    spent: micros('spent').notNull().default(0),
    /** Of calls that are under way. */
    reserved: micros('reserved').notNull().default(0),
    /** What people have added to the installation's limit. */
    added: micros('added').notNull().default(0),
    /** The highest warning that was given, in percent of the limit. */
    warned: integer('warned').notNull().default(0),
    updatedAt: instant('updated_at').notNull().defaultNow(),
  },
  (table) => [primaryKey({ columns: [table.scope, table.key] })],
);

/** What people added, once for each of their answers. */
export const modelBudgetRaises = pgTable('model_budget_raises', {
  /** The request that was answered. */
  requestId: text('request_id').primaryKey(),
  scope: text('scope').$type<BudgetScope>().notNull(),
  key: text('key').notNull(),
  added: micros('added').notNull(),
  actor: text('actor').notNull(),
  at: instant('at').notNull().defaultNow(),
});

/** `reserved`: under way. `settled`: by the answer's usage. `unsettled`: at its reservation, because no usage came. */
export type ModelCallState = 'reserved' | 'settled' | 'unsettled';

/** Calls of a model, the ledger. */
export const modelCalls = pgTable(
  'model_calls',
  {
    id: uuid('id').primaryKey(),
    runId: uuid('run_id').notNull(),
    attempt: integer('attempt').notNull(),
    issueKey: text('issue_key').notNull(),
    project: text('project').notNull(),
    /** YYYY-MM-DD, UTC, when it was reserved. */
    day: text('day').notNull(),
    model: text('model').notNull(),
    tier: text('tier'),
    state: text('state').$type<ModelCallState>().notNull().default('reserved'),
    reserved: micros('reserved').notNull(),
    /** Null while it is under way. */
    cost: micros('cost'),
    input: bigint('input', { mode: 'number' }).notNull().default(0),
    cached: bigint('cached', { mode: 'number' }).notNull().default(0),
    cacheWrite: bigint('cache_write', { mode: 'number' }).notNull().default(0),
    output: bigint('output', { mode: 'number' }).notNull().default(0),
    reasoning: bigint('reasoning', { mode: 'number' }).notNull().default(0),
    /** The date of the price list. */
    prices: text('prices').notNull(),
    at: instant('at').notNull().defaultNow(),
    /** When it is settled at its reservation because its server is gone. */
    deadline: instant('deadline').notNull(),
    settledAt: instant('settled_at'),
  },
  (table) => [
    index('model_calls_run').on(table.runId),
    index('model_calls_issue').on(table.issueKey),
    index('model_calls_day').on(table.day),
    index('model_calls_open')
      .on(table.deadline)
      .where(sql`state = 'reserved'`),
  ],
);

/** Attempts that a spent budget has stopped: the model gateway answers them no more, and their run asks people. */
export const budgetStops = pgTable(
  'budget_stops',
  {
    runId: uuid('run_id').notNull(),
    attempt: integer('attempt').notNull(),
    scope: text('scope').$type<BudgetScope>().notNull(),
    key: text('key').notNull(),
    spent: micros('spent').notNull(),
    /** Of the installation and what was added. */
    limit: micros('limit').notNull(),
    /** The installation's limit, by which people may raise it. */
    original: micros('original').notNull(),
    at: instant('at').notNull().defaultNow(),
  },
  (table) => [primaryKey({ columns: [table.runId, table.attempt] })],
);
