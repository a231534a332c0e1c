/** A run whose budget is spent asks people whether it may go on. Pure; money is micro-dollars. */
import type { Locale } from '../locale.ts';
import type { Question, RequestAnswer } from '../run/requests.ts';
import type { BudgetKey, BudgetScope } from './budgets.ts';
import { dollars } from './dollars.ts';

/** A budget that has stopped an agent. Plain JSON. */
export interface SpentBudget extends BudgetKey {
  readonly spent: number;
  /** Of the installation, and what people have added. */
  readonly limit: number;
  /** The installation's limit: people add as much at a time. */
  readonly original: number;
}

/** What people have added to a budget with an answer. Plain JSON. */
export interface BudgetRaise extends BudgetKey {
  /** The request that was answered. */
  readonly requestId: string;
  /** 0 if the budget belongs to more than the issue: only an operator can raise that. */
  readonly added: number;
  readonly actor: string;
}

const MORE = 'more';
const OPTIONS = [MORE, 'stop'] as const;

interface Texts {
  readonly scopes: Readonly<Record<BudgetScope, string>>;
  spent(scope: string, spent: string, limit: string): string;
  ask(added: string): string;
  readonly again: string;
}

const TEXTS: Readonly<Record<Locale, Texts>> = {
  en: {
    scopes: {
      run: 'this run',
      issue: 'this issue',
      project: 'this project for today',
      day: 'this installation for today',
    },
    spent: (scope, spent, limit) =>
      `The budget of ${scope} is spent: ${spent} of ${limit}, and the next request to the model could cost more than what is left.`,
    ask: (added) => `May the agent go on with ${added} more? \`more\` lets it, \`stop\` ends the run.`,
    again:
      'A day ends at 00:00 UTC, and an operator can raise the limit. `more` lets the agent try again, `stop` ends the run.',
  },
  ru: {
    scopes: {
      run: 'этого запуска',
      issue: 'этого issue',
      project: 'этого проекта на сегодня',
      day: 'этой установки на сегодня',
    },
    spent: (scope, spent, limit) =>
      `Бюджет ${scope} израсходован: ${spent} из ${limit}, а следующий запрос к модели может стоить больше остатка.`,
    ask: (added) => `Продолжать ли агенту, добавив ${added}? \`more\` — да, \`stop\` завершает запуск.`,
    again:
      'День заканчивается в 00:00 UTC, а лимит может поднять оператор. `more` — агент попробует ещё раз, `stop` завершает запуск.',
  },
};

/** What the run asks. */
export function budgetQuestion({ scope, spent, limit, original }: SpentBudget, locale: Locale): Question {
  const texts = TEXTS[locale];
  const what = texts.spent(texts.scopes[scope], dollars(spent), dollars(limit));
  return { text: `${what} ${mayRaise(scope) ? texts.ask(dollars(original)) : texts.again}`, options: OPTIONS };
}

/** What an answer adds to the budget; undefined if the run stops. */
export function raiseBy(
  { scope, key, original }: SpentBudget,
  requestId: string,
  answer: RequestAnswer,
): BudgetRaise | undefined {
  if (answer.text !== MORE) return undefined;
  return { scope, key, requestId, added: mayRaise(scope) ? original : 0, actor: answer.actor };
}

/** Members of a project may raise what belongs to their issue alone. */
function mayRaise(scope: BudgetScope): boolean {
  return scope === 'run' || scope === 'issue';
}
