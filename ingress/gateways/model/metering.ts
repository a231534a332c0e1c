/**
 * Counts what calls of a model cost: reserves the most that a call can cost before it is forwarded, and settles it from what the
 * answer says of its usage (docs/decisions.md). Money is micro-dollars.
 */
import { budgetName, type BudgetLimits, type BudgetMode } from '../../../src/domain/money/budgets.ts';
import { createAnswerReader } from '../../../src/domain/money/answers.ts';
import { bounded, mostPromptTokens, type ModelFormat } from '../../../src/domain/money/bounds.ts';
import { costOf, mostOf, NO_USAGE, priceOf } from '../../../src/domain/money/costs.ts';
import { dollars } from '../../../src/domain/money/dollars.ts';
import { PRICE_LIST, type ModelPrice, type PriceList } from '../../../src/domain/money/price-list.ts';
import type { Answered } from '../../../src/domain/money/usage.ts';
import type { Fields } from '../../../src/domain/model/values.ts';
import type { Database } from '../../../src/store/connection/database.ts';
import { reportSpending } from '../../../src/store/money/events.ts';
import { findBudgetStop, reserveCall, settleCall, stopForBudget } from '../../../src/store/money/ledger.ts';
import type { AssignmentRow } from '../../../src/store/runs/assignments.ts';

export interface MeterSettings {
  readonly limits: BudgetLimits;
  readonly mode: BudgetMode;
  /** The most tokens of one answer. */
  readonly outputTokens: number;
  /** The operator's prices, by model; they go before the list's. */
  readonly prices: PriceList['models'];
}

/** Until when a call is settled or its server counts as gone, in milliseconds. */
const CALL_MS = 60 * 60 * 1000;

export type Admission =
  | { readonly refused: 'no_price' | 'budget_spent'; readonly message: string }
  | { readonly refused?: undefined; readonly call: MeteredCall };

export interface MeteredCall {
  /** The body to send: with a bound on its answer. */
  readonly body: Fields;
  /** Counts an answer as it passes to the agent; the part that completes it passes when it is settled. */
  answered(response: Response): Promise<Response>;
  /** There is no answer. `wasSent`: whether the provider may have worked on it. */
  failed(wasSent: boolean): Promise<void>;
}

export interface Meter {
  admit(run: AssignmentRow, body: Fields, format: ModelFormat): Promise<Admission>;
}

export interface MeterLog {
  error(fields: Record<string, unknown>, message: string): void;
  warn(fields: Record<string, unknown>, message: string): void;
}

export function createMeter(db: Database, { limits, mode, outputTokens, prices }: MeterSettings, log: MeterLog): Meter {
  const isShadow = mode === 'shadow';

  return {
    async admit(run, given, format) {
      const price = priceOf(run.model, prices);
      if (!price && !isShadow) return { refused: 'no_price', message: noPrice(run.model) };
      const stop = await findBudgetStop(db, run.runId, run.attempt);
      if (stop) return { refused: 'budget_spent', message: spentMessage(stop) };
      const { body, output } = bounded(given, format, outputTokens);
      const payer = payerOf(run);
      const reservation = await reserveCall(
        db,
        {
          ...payer,
          attempt: run.attempt,
          model: run.model,
          most: price ? mostOf(price, { prompt: mostPromptTokens(body), output }) : 0,
          prices: PRICE_LIST.date,
          lostAfterMs: CALL_MS,
        },
        limits,
        isShadow,
      );
      const { over, id } = reservation;
      if (id === undefined) {
        await stopForBudget(db, { runId: run.runId, attempt: run.attempt }, reservation.over);
        await reportSpending(db, payer, { type: 'run.budget.spent', ...reservation.over });
        return { refused: 'budget_spent', message: spentMessage(reservation.over) };
      }
      if (over) log.warn({ ...over, runId: run.runId }, 'a budget is spent; nothing is refused in shadow mode');
      return { call: meteredCall(id, body, format, price, payer) };
    },
  };

  function meteredCall(
    id: string,
    body: Fields,
    format: ModelFormat,
    price: ModelPrice | undefined,
    payer: ReturnType<typeof payerOf>,
  ): MeteredCall {
    let settled: Promise<void> | undefined;

    /** Once; later calls wait for the first. */
    async function settle(answered: Answered | undefined): Promise<void> {
      settled ??= (async () => {
        const cost = answered && (price ? costOf(answered.usage, price, answered.tier) : 0);
        const known = answered && cost !== undefined ? { ...answered, cost } : undefined;
        const warnings = await settleCall(db, id, known, limits);
        for (const warning of warnings) await reportSpending(db, payer, { type: 'run.budget.warned', ...warning });
      })().catch((error: unknown) => {
        // The sweep settles it at its reservation.
        log.error({ err: error, call: id }, 'a call of the model could not be settled');
      });
      await settled;
    }

    return {
      body,
      async answered(response) {
        // The provider refused it, and counts nothing.
        if (!response.ok || !response.body) {
          await settle(response.ok ? undefined : { usage: NO_USAGE, tier: undefined });
          return response;
        }
        const isStream = response.headers.get('content-type')?.startsWith('text/event-stream') === true;
        const reader = createAnswerReader(format, isStream);
        const decoder = new TextDecoder();
        const body = passing(
          response.body,
          async (bytes) => {
            const complete = reader.read(decoder.decode(bytes, { stream: true }));
            if (complete) await settle(complete);
          },
          async (isWhole) => settle(isWhole ? reader.end() : undefined),
        );
        return new Response(body, { status: response.status, headers: response.headers });
      },
      failed: (wasSent) => settle(wasSent ? undefined : { usage: NO_USAGE, tier: undefined }),
    };
  }
}

/** Who pays; a run of a version before 0.5.0 has no issue and no project of its own. */
function payerOf({ runId, issueKey, project, repositoryFullName, branch }: AssignmentRow) {
  return { runId, issue: issueKey ?? `${repositoryFullName} ${branch}`, project: project ?? repositoryFullName };
}

function noPrice(model: string): string {
  return `model: the price of ${model} is not known, so no budget can hold it; an operator can set one (CODEXK8S_MODEL_PRICES_FILE)`;
}

function spentMessage({
  scope,
  spent,
  limit,
}: {
  scope: Parameters<typeof budgetName>[0];
  spent: number;
  limit: number;
}): string {
  return `${budgetName(scope)} is spent: ${dollars(spent)} of ${dollars(limit)}, and another call could cost more than what is left. The platform asks people; end your turn.`;
}

/** A body whose bytes are looked at as they pass. `ended`: when nothing more comes, and whether it came to its end. */
function passing(
  given: ReadableStream<Uint8Array>,
  look: (bytes: Uint8Array) => Promise<void>,
  ended: (isWhole: boolean) => Promise<void>,
): ReadableStream<Uint8Array> {
  const reader = given.getReader();
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        const { done, value } = await reader.read();
        if (done) {
          await ended(true);
          controller.close();
          return;
        }
        await look(value);
        controller.enqueue(value);
      } catch (error) {
        await ended(false);
        controller.error(error);
      }
    },
    async cancel(reason) {
      await ended(false);
      await reader.cancel(reason);
    },
  });
}
