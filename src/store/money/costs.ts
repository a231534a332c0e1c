/** What runs have cost, from the ledger of model calls. Money is micro-dollars. */
import { and, desc, eq, gt, inArray, isNotNull, ne, or, sql, type SQL } from 'drizzle-orm';
import type { CostEstimate, RunCost } from '../../domain/messages/costs.ts';
import type { Database } from '../connection/database.ts';
import { issues, modelBudgets, modelCalls, repositories, runs } from '../connection/schema.ts';

/** Earlier runs that an estimate is made from. */
const ESTIMATED_FROM = 50;

const total = (of: SQL): SQL<number> => sql<number>`coalesce(sum(${of}), 0)::float8`;
const totals = {
  calls: sql<number>`count(*)::int`,
  cost: total(sql`${modelCalls.cost}`),
  prompt: total(sql`${modelCalls.input} + ${modelCalls.cached} + ${modelCalls.cacheWrite}`),
  cached: total(sql`${modelCalls.cached}`),
  output: total(sql`${modelCalls.output}`),
};

/** What a run's calls have cost, and the warning of its budgets. Calls that are under way do not count. */
export async function readRunCost(db: Database, runId: string): Promise<RunCost> {
  const [row] = await db
    .select({ ...totals, issue: sql<string | null>`max(${modelCalls.issueKey})` })
    .from(modelCalls)
    .where(and(eq(modelCalls.runId, runId), isNotNull(modelCalls.cost)));
  const { issue = null, ...cost } = row ?? { calls: 0, cost: 0, prompt: 0, cached: 0, output: 0 };
  if (cost.calls === 0) return cost;
  const [warning] = await db
    .select({ scope: modelBudgets.scope, percent: modelBudgets.warned })
    .from(modelBudgets)
    .where(
      and(
        gt(modelBudgets.warned, 0),
        or(
          and(eq(modelBudgets.scope, 'run'), eq(modelBudgets.key, runId)),
          and(eq(modelBudgets.scope, 'issue'), eq(modelBudgets.key, issue ?? '')),
        ),
      ),
    )
    .orderBy(desc(modelBudgets.warned))
    .limit(1);
  return { ...cost, ...(warning && { warning }) };
}

/** What the last runs of the same stage and kind in the same repository have cost; undefined if none was counted. */
export async function estimateRunCost(db: Database, runId: string): Promise<CostEstimate | undefined> {
  const [run] = await db
    .select({ repositoryId: runs.repositoryId, stage: runs.stage, kind: runs.kind })
    .from(runs)
    .where(eq(runs.id, runId));
  if (!run) return undefined;
  const earlier = db
    .select({ id: runs.id })
    .from(runs)
    .where(
      and(
        eq(runs.repositoryId, run.repositoryId),
        eq(runs.stage, run.stage),
        eq(runs.kind, run.kind),
        ne(runs.id, runId),
        isNotNull(runs.finishedAt),
        inArray(runs.id, db.select({ id: modelCalls.runId }).from(modelCalls)),
      ),
    )
    .orderBy(desc(runs.createdAt))
    .limit(ESTIMATED_FROM);
  const costs = await db
    .select({ cost: totals.cost })
    .from(modelCalls)
    .where(inArray(modelCalls.runId, earlier))
    .groupBy(modelCalls.runId);
  const sorted = costs.map(({ cost }) => cost).toSorted((a, b) => a - b);
  const [least] = sorted;
  const most = sorted.at(-1);
  if (least === undefined || most === undefined) return undefined;
  const middle = sorted.slice(Math.floor((sorted.length - 1) / 2), Math.floor(sorted.length / 2) + 1);
  const median = Math.round(middle.reduce((sum, cost) => sum + cost, 0) / middle.length);
  return { runs: sorted.length, median, least, most };
}

/** What costs can be added up by. */
export const COST_GROUPS = ['run', 'issue', 'project', 'day'] as const;
export type CostGroup = (typeof COST_GROUPS)[number];

/** Costs of one run, issue, project or day. */
export interface CostRow extends Omit<RunCost, 'warning'> {
  /** The run's id, `owner/name#number` (or the issue's key), the project, or the day (YYYY-MM-DD, UTC). */
  readonly name: string;
  /** ISO 8601: its last call. */
  readonly lastAt: string;
}

/** Costs by run, issue, project or day, what was used last first. */
export async function listCosts(db: Database, by: CostGroup, limit: number): Promise<CostRow[]> {
  const issueName = sql<string>`coalesce(${repositories.owner} || '/' || ${repositories.name} || '#' || ${issues.number}, ${modelCalls.issueKey})`;
  const name = {
    run: sql<string>`${modelCalls.runId}::text`,
    issue: issueName,
    project: sql<string>`${modelCalls.project}`,
    day: sql<string>`${modelCalls.day}`,
  }[by];
  const lastAt = sql<string>`to_char(max(${modelCalls.at}) at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;
  return db
    .select({ name, ...totals, lastAt })
    .from(modelCalls)
    .leftJoin(issues, eq(issues.key, modelCalls.issueKey))
    .leftJoin(repositories, eq(repositories.id, issues.repositoryId))
    .where(isNotNull(modelCalls.cost))
    .groupBy(name)
    .orderBy(desc(sql`max(${modelCalls.at})`))
    .limit(limit);
}
