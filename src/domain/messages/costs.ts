/**
 * What a run costs, in its status comment. The workflow that renders the comment does not know it, so it leaves a marker, which is
 * replaced when the comment is written. Money is micro-dollars.
 */
import type { Locale } from '../locale.ts';
import type { BudgetScope } from '../money/budgets.ts';
import { dollars } from '../money/dollars.ts';
import { isTerminal, type RunStatus } from '../run/runs.ts';

/** What a run's calls of the model have cost. */
export interface RunCost {
  readonly calls: number;
  readonly cost: number;
  /** Tokens of all prompts, and how many of them came from a cache. */
  readonly prompt: number;
  readonly cached: number;
  readonly output: number;
  /** The budget that is the nearest to its end, if a warning was given. */
  readonly warning?: { readonly scope: BudgetScope; readonly percent: number };
}

/** What earlier runs of the same stage and kind in the same repository have cost. */
export interface CostEstimate {
  readonly runs: number;
  readonly median: number;
  readonly least: number;
  readonly most: number;
}

type State = 'ahead' | 'running' | 'over';
const STATES: readonly State[] = ['ahead', 'running', 'over'];

interface Texts {
  spent(state: State, cost: string, calls: number, prompt: string, cached: string, output: string): string;
  readonly scopes: Readonly<Record<BudgetScope, string>>;
  warning(scope: string, percent: number): string;
  estimate(runs: number, median: string, least: string, most: string): string;
  readonly noEstimate: string;
}

const TEXTS: Readonly<Record<Locale, Texts>> = {
  en: {
    spent: (state, cost, calls, prompt, cached, output) =>
      `**${state === 'over' ? 'Cost' : 'Cost so far'}**: ${cost} for ${calls} ${calls === 1 ? 'request' : 'requests'} to the model, with ${prompt} tokens read (${cached} of them cached) and ${output} written`,
    scopes: { run: 'this run', issue: 'this issue', project: 'this project for today', day: 'all runs for today' },
    warning: (scope, percent) => `⚠️ More than ${percent} % of the budget of ${scope} is spent`,
    estimate: (runs, median, least, most) =>
      `**Likely cost**: ${median}; the last ${runs === 1 ? 'run' : `${runs} runs`} of this stage here cost ${least} to ${most}`,
    noEstimate: '**Likely cost**: unknown, as no earlier run of this stage here has been counted',
  },
  ru: {
    spent: (state, cost, calls, prompt, cached, output) =>
      `**${state === 'over' ? 'Стоимость' : 'Стоимость на данный момент'}**: ${cost}, запросов к модели: ${calls}; прочитано токенов: ${prompt} (из кэша ${cached}), написано: ${output}`,
    scopes: {
      run: 'этого запуска',
      issue: 'этого issue',
      project: 'этого проекта на сегодня',
      day: 'всех запусков на сегодня',
    },
    warning: (scope, percent) => `⚠️ Израсходовано больше ${percent} % бюджета ${scope}`,
    estimate: (runs, median, least, most) =>
      `**Ожидаемая стоимость**: ${median}; прежние запуски этого этапа здесь (${runs}) стоили от ${least} до ${most}`,
    noEstimate: '**Ожидаемая стоимость**: неизвестна, прежних запусков этого этапа здесь нет',
  },
};

/** The marker that is replaced. */
export function costMarker(status: RunStatus, locale: Locale): string {
  const ahead = status === 'queued' || status === 'preparing';
  return markerOf(isTerminal(status) ? 'over' : ahead ? 'ahead' : 'running', locale);
}

function markerOf(state: State, locale: Locale): string {
  return `<!-- codex-k8s:cost ${state} ${locale} -->`;
}

/** The comment with what its run costs. `estimate`: asked for if the run is still ahead, and has cost nothing. */
export async function withCost(
  body: string,
  cost: RunCost,
  estimate: () => Promise<CostEstimate | undefined>,
): Promise<string> {
  for (const locale of Object.keys(TEXTS) as Locale[]) {
    for (const state of STATES) {
      const marker = `\n\n${markerOf(state, locale)}`;
      // Texts by people and agents are above the marker, so the last one is the platform's.
      const start = body.lastIndexOf(marker);
      if (start === -1) continue;
      const said =
        cost.calls > 0 ? spent(cost, state, TEXTS[locale]) : state === 'ahead' ? likely(await estimate(), locale) : '';
      return body.slice(0, start) + (said === '' ? '' : `\n\n${said}`) + body.slice(start + marker.length);
    }
  }
  return body;
}

function spent({ calls, cost, prompt, cached, output, warning }: RunCost, state: State, texts: Texts): string {
  const [read, ofCache, written] = [prompt, cached, output].map((tokens) => tokens.toLocaleString('en-US'));
  const line = texts.spent(state, dollars(cost), calls, read ?? '', ofCache ?? '', written ?? '');
  return warning ? `${line}\n\n${texts.warning(texts.scopes[warning.scope], warning.percent)}` : line;
}

function likely(estimate: CostEstimate | undefined, locale: Locale): string {
  const texts = TEXTS[locale];
  if (!estimate) return texts.noEstimate;
  const { runs, median, least, most } = estimate;
  return texts.estimate(runs, dollars(median), dollars(least), dollars(most));
}
