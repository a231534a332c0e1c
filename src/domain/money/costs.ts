/** What a request to a model costs. Pure; money is whole micro-dollars (a millionth of a US dollar). */
import { PRICE_LIST, type ModelPrice, type Price, type PriceList } from './price-list.ts';

/** Tokens of one request and its answer. None is counted twice, but `reasoning` is part of `output`. */
export interface Usage {
  /** Of the prompt, from no cache. */
  readonly input: number;
  readonly cached: number;
  readonly cacheWrite: number;
  readonly cacheWriteHour: number;
  readonly output: number;
  readonly reasoning: number;
}

export const NO_USAGE: Usage = { input: 0, cached: 0, cacheWrite: 0, cacheWriteHour: 0, output: 0, reasoning: 0 };

/** Names that providers give to their usual tier. `priority` of Anthropic is capacity that was paid before. */
const USUAL: ReadonlySet<string> = new Set(['auto', 'default', 'standard', 'standard_only']);

/** The name in a list of prices that stands for every model that is not named. */
const ANY_MODEL = '*';

/** The price of a model: of the operator's rules first, then of the list; undefined for a model that neither knows. */
export function priceOf(model: string, rules: PriceList['models'] = {}, list = PRICE_LIST): ModelPrice | undefined {
  for (const prices of [rules, list.models]) if (Object.hasOwn(prices, model)) return prices[model];
  return Object.hasOwn(rules, ANY_MODEL) ? rules[ANY_MODEL] : undefined;
}

/**
 * The cost of an answer in micro-dollars, rounded up; undefined if the price of its service tier is not known. `tier`: as the
 * answer names it.
 */
export function costOf(usage: Usage, model: ModelPrice, tier: string | undefined): number | undefined {
  const price = priceIn(model, promptOf(usage), tier);
  return price && total(usage, price);
}

/** The most that a request can cost, in micro-dollars: a prompt and an answer of at most so many tokens. */
export function mostOf(model: ModelPrice, tokens: { readonly prompt: number; readonly output: number }): number {
  const { prompt, output } = tokens;
  const prices = [model, ...(model.long && prompt > model.long.above ? [model.long] : [])];
  return Math.max(
    ...prices.flatMap((price) => [
      total({ ...NO_USAGE, input: prompt, output }, price),
      total({ ...NO_USAGE, input: prompt, output, reasoning: output }, price),
      total({ ...NO_USAGE, cacheWriteHour: prompt, output }, price),
      total({ ...NO_USAGE, cacheWrite: prompt, output }, price),
    ]),
  );
}

/** All tokens of the prompt. */
function promptOf({ input, cached, cacheWrite, cacheWriteHour }: Usage): number {
  return input + cached + cacheWrite + cacheWriteHour;
}

function priceIn(model: ModelPrice, prompt: number, tier: string | undefined): Price | undefined {
  if (tier !== undefined && !USUAL.has(tier)) {
    const tiers = model.tiers ?? {};
    return Object.hasOwn(tiers, tier) ? tiers[tier] : undefined;
  }
  return model.long && prompt > model.long.above ? model.long : model;
}

function total(usage: Usage, price: Price): number {
  const { input, output, cachedInput = input, cacheWrite = input, reasoning = output } = price;
  const parts: readonly (readonly [number, number])[] = [
    [usage.input, input],
    [usage.cached, cachedInput],
    [usage.cacheWrite, cacheWrite],
    [usage.cacheWriteHour, price.cacheWriteHour ?? cacheWrite],
    [usage.output - usage.reasoning, output],
    [usage.reasoning, reasoning],
  ];
  // In whole nano-dollars: the sum has no error of binary fractions.
  const nano = parts.reduce((sum, [tokens, dollars]) => sum + tokens * Math.round(dollars * 1000), 0);
  return Math.ceil(nano / 1000);
}
