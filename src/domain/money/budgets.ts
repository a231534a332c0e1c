/** Budgets of models: what a run, an issue, a project in a day and all of them in a day may spend. Money is micro-dollars. */

/** In the order in which they are locked. */
export const BUDGET_SCOPES = ['run', 'issue', 'project', 'day'] as const;
export type BudgetScope = (typeof BUDGET_SCOPES)[number];

/** Micro-dollars for each scope; a scope that is missing has no limit. */
export type BudgetLimits = Readonly<Partial<Record<BudgetScope, number>>>;

/** `shadow`: everything is counted and said, and nothing is refused. */
export type BudgetMode = 'enforce' | 'shadow';

/** Parts of a limit, in percent, at which people and the agent are warned. */
const WARNINGS = [80, 90] as const;

/** One budget: a scope, and which run, issue, project or day. */
export interface BudgetKey {
  readonly scope: BudgetScope;
  readonly key: string;
}

/** Whose call of a model it is. */
export interface Payer {
  readonly runId: string;
  /** The issue's key. */
  readonly issue: string;
  readonly project: string;
}

/** The budgets that a call is paid from, in the order in which they are locked. `day`: YYYY-MM-DD, UTC. */
export function budgetsOf({ runId, issue, project }: Payer, day: string): readonly BudgetKey[] {
  return [
    { scope: 'run', key: runId },
    { scope: 'issue', key: issue },
    { scope: 'project', key: `${project} ${day}` },
    { scope: 'day', key: day },
  ];
}

/** The warning that a budget has reached; 0 for none. */
export function warningOf(spent: number, limit: number): number {
  return WARNINGS.findLast((percent) => spent * 100 >= limit * percent) ?? 0;
}

const SCOPE_NAMES = {
  run: 'this run',
  issue: 'this issue',
  project: 'this project today',
  day: 'this installation today',
} as const satisfies Record<BudgetScope, string>;

/** A budget in words: `the budget of this run`. */
export function budgetName(scope: BudgetScope): string {
  return `the budget of ${SCOPE_NAMES[scope]}`;
}
