/** Tells of budgets: in the audit trail of the issue, and in the run log, which the agent's people read. */
import { budgetName, type BudgetKey, type Payer } from '../../domain/money/budgets.ts';
import { dollars } from '../../domain/money/dollars.ts';
import { appendEvent, PLATFORM_CHAIN } from '../audit/events.ts';
import { announce } from '../connection/changes.ts';
import type { Database } from '../connection/database.ts';
import { storeLogLines } from '../runs/run-log.ts';

export type Spending = BudgetKey & { readonly spent: number; readonly limit: number } & (
    | { readonly type: 'run.budget.warned'; readonly percent: number }
    | { readonly type: 'run.budget.spent' }
  );

/** Records a warning or a spent budget, once each. */
export async function reportSpending(
  db: Database,
  { runId, issue }: Pick<Payer, 'runId' | 'issue'>,
  spending: Spending,
): Promise<void> {
  const { type, scope, key, spent, limit } = spending;
  const at = new Date().toISOString();
  const percent = spending.type === 'run.budget.warned' ? spending.percent : undefined;
  const chain = /#\d+$/.test(issue) ? issue : PLATFORM_CHAIN;
  await db.transaction(async (tx) => {
    await appendEvent(tx, {
      id: [type, scope, key, limit, percent ?? runId].join(' '),
      chain,
      type,
      actorType: 'system',
      actorId: 'model-gateway',
      runId,
      correlationId: null,
      payload: { scope, spent, limit, ...(percent === undefined ? {} : { percent }) },
      occurredAt: at,
    });
    await announce(tx, { kind: 'run', key: runId });
  });
  const part = percent === undefined ? 'spent' : `${percent} % spent`;
  const text = `${budgetName(scope)} is ${part}: ${dollars(spent)} of ${dollars(limit)}`;
  await storeLogLines(db, runId, [{ n: -1, at, kind: 'runner', text: `${text[0]?.toUpperCase()}${text.slice(1)}` }]);
}
