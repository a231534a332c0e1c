import { describe, expect, test } from 'vitest';
import { costOf, mostOf, NO_USAGE, priceOf } from '../../../src/domain/money/costs.ts';
import { PRICE_LIST, type ModelPrice } from '../../../src/domain/money/price-list.ts';
import { readAnthropicUsage, readOpenAiUsage } from '../../../src/domain/money/usage.ts';

const MODEL: ModelPrice = {
  input: 5,
  cachedInput: 0.5,
  cacheWrite: 6.25,
  cacheWriteHour: 10,
  output: 30,
  reasoning: 40,
  long: { above: 272_000, input: 10, cachedInput: 1, output: 45 },
  tiers: { priority: { input: 12.5, cachedInput: 1.25, output: 75 } },
};
const usage = (more: object) => ({ ...NO_USAGE, ...more });

describe('the cost of an answer, in micro-dollars,', () => {
  test.each<[string, object, string | undefined, number | undefined]>([
    ['counts a token of the prompt at its price', { input: 1000 }, undefined, 5000],
    ['counts cached tokens for less', { input: 100, cached: 900 }, undefined, 500 + 450],
    [
      'counts what is written to a cache, for minutes and for an hour',
      { cacheWrite: 4, cacheWriteHour: 1 },
      undefined,
      35,
    ],
    ['counts reasoning where it costs something else', { output: 100, reasoning: 60 }, undefined, 40 * 30 + 60 * 40],
    [
      'is that of the long prompt for the whole request',
      { input: 1, cached: 272_000, output: 1 },
      undefined,
      10 + 272_000 + 45,
    ],
    ['is that of the short prompt at the border', { input: 272_000 }, undefined, 1_360_000],
    ['is that of the service tier of the answer', { input: 2, cached: 4, output: 1 }, 'priority', 25 + 5 + 75],
    ['is the usual one for the usual tier', { input: 1 }, 'default', 5],
    ['is not known for a tier without a price', { input: 1 }, 'turbo', undefined],
    ['is rounded up', { cached: 1 }, undefined, 1],
    ['has no error of binary fractions', { cached: 30 }, undefined, 15],
  ])('%s', (_what, used, tier, cost) => {
    expect(costOf(usage(used), MODEL, tier)).toBe(cost);
  });

  test('of 30 tokens at ten cents a million is three micro-dollars', () => {
    expect(costOf(usage({ input: 30 }), { input: 0.1, output: 1 }, undefined)).toBe(3);
  });
});

test('a request cannot cost more than its bound, whatever of it is cached, written to a cache, or thought', () => {
  const most = mostOf(MODEL, { prompt: 300_000, output: 100 });
  for (const kind of ['input', 'cached', 'cacheWrite', 'cacheWriteHour'])
    for (const prompt of [1, 272_000, 272_001, 300_000])
      for (const reasoning of [0, 100])
        expect(costOf(usage({ [kind]: prompt, output: 100, reasoning }), MODEL, undefined)).toBeLessThanOrEqual(most);
});

describe('the price of a model', () => {
  test('is that of the list', () => {
    expect(priceOf('gpt-5.5')).toEqual(PRICE_LIST.models['gpt-5.5']);
  });

  test('is the rule that the operator wrote, if there is one', () => {
    expect(priceOf('gpt-5.5', { 'gpt-5.5': { input: 1, output: 2 } })).toEqual({ input: 1, output: 2 });
  });

  test('is not known for a model that nobody named, unless a rule stands for all of them', () => {
    expect(priceOf('mine')).toBeUndefined();
    expect(priceOf('constructor')).toBeUndefined();
    expect(priceOf('mine', { '*': { input: 100, output: 200 } })).toEqual({ input: 100, output: 200 });
  });
});

describe('the usage of an answer', () => {
  test('of Responses: cached tokens are part of the prompt, reasoning of the output', () => {
    const said = {
      input_tokens: 100,
      input_tokens_details: { cached_tokens: 60 },
      output_tokens: 20,
      output_tokens_details: { reasoning_tokens: 15 },
    };
    expect(readOpenAiUsage(said)).toEqual(usage({ input: 40, cached: 60, output: 20, reasoning: 15 }));
  });

  test('of chat completions', () => {
    const said = { prompt_tokens: 100, completion_tokens: 20, prompt_tokens_details: { cached_tokens: 60 } };
    expect(readOpenAiUsage(said)).toEqual(usage({ input: 40, cached: 60, output: 20 }));
  });

  test('of Messages: cached tokens come besides the prompt, and the end of a stream says the output', () => {
    const started = readAnthropicUsage({
      input_tokens: 10,
      cache_read_input_tokens: 90,
      cache_creation_input_tokens: 7,
      cache_creation: { ephemeral_1h_input_tokens: 5, ephemeral_5m_input_tokens: 2 },
      output_tokens: 1,
    });
    expect(readAnthropicUsage({ output_tokens: 33 }, started)).toEqual(
      usage({ input: 10, cached: 90, cacheWrite: 2, cacheWriteHour: 5, output: 33 }),
    );
  });

  test.each([
    [undefined],
    ['many'],
    [{ input_tokens: -1, output_tokens: 1 }],
    [{ input_tokens: 1.5, output_tokens: 1 }],
  ])('is none if it is %j', (said) => {
    expect(readOpenAiUsage(said)).toBeUndefined();
  });
});
