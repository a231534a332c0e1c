/**
 * What models cost: US dollars for a million tokens, which is micro-dollars for a token. From models.dev at f3fc692 (2 July 2026);
 * `flex` after OpenAI's documentation of flex processing (half of the price). Prices change: an installation corrects them in
 * CODEXK8S_MODEL_PRICES_FILE (docs/operations.md).
 */

/** US dollars for a million tokens of each kind. */
export interface Price {
  /** Tokens of the prompt that come from no cache. */
  readonly input: number;
  /** Tokens read from the provider's cache; as `input` where it is left out. */
  readonly cachedInput?: number;
  /** Tokens written to the provider's cache for minutes; as `input` where it is left out. */
  readonly cacheWrite?: number;
  /** Tokens written to it for an hour; as `cacheWrite` where it is left out. */
  readonly cacheWriteHour?: number;
  readonly output: number;
  /** Tokens of reasoning, where they cost something else than `output`. */
  readonly reasoning?: number;
}

export interface ModelPrice extends Price {
  /** The price of the whole request when its prompt has more tokens than `above`, cached ones included. */
  readonly long?: Price & { readonly above: number };
  /** Prices of service tiers other than the usual one. */
  readonly tiers?: Readonly<Record<string, Price>>;
}

export interface PriceList {
  /** When the prices were looked up: YYYY-MM-DD. */
  readonly date: string;
  readonly source: string;
  readonly models: Readonly<Record<string, ModelPrice>>;
}

export const PRICE_LIST: PriceList = {
  date: '2026-07-02',
  source: 'https://models.dev (f3fc692)',
  models: {
    'gpt-4.1-mini': { input: 0.4, cachedInput: 0.1, output: 1.6 },
    'gpt-4.1-nano': { input: 0.1, cachedInput: 0.025, output: 0.4 },
    'gpt-4.1': { input: 2, cachedInput: 0.5, output: 8 },
    'gpt-5-chat-latest': { input: 1.25, cachedInput: 0.125, output: 10 },
    'gpt-5-codex': { input: 1.25, cachedInput: 0.125, output: 10 },
    'gpt-5-mini': {
      input: 0.25,
      cachedInput: 0.025,
      output: 2,
      tiers: { flex: { input: 0.125, cachedInput: 0.0125, output: 1 } },
    },
    'gpt-5-nano': {
      input: 0.05,
      cachedInput: 0.005,
      output: 0.4,
      tiers: { flex: { input: 0.025, cachedInput: 0.0025, output: 0.2 } },
    },
    'gpt-5-pro': { input: 15, output: 120 },
    'gpt-5.1-chat-latest': { input: 1.25, cachedInput: 0.125, output: 10 },
    'gpt-5.1-codex-max': { input: 1.25, cachedInput: 0.125, output: 10 },
    'gpt-5.1-codex-mini': { input: 0.25, cachedInput: 0.025, output: 2 },
    'gpt-5.1-codex': { input: 1.25, cachedInput: 0.125, output: 10 },
    'gpt-5.1': {
      input: 1.25,
      cachedInput: 0.125,
      output: 10,
      tiers: { flex: { input: 0.625, cachedInput: 0.0625, output: 5 } },
    },
    'gpt-5.2-chat-latest': { input: 1.75, cachedInput: 0.175, output: 14 },
    'gpt-5.2-codex': { input: 1.75, cachedInput: 0.175, output: 14 },
    'gpt-5.2-pro': { input: 21, output: 168 },
    'gpt-5.2': {
      input: 1.75,
      cachedInput: 0.175,
      output: 14,
      tiers: { flex: { input: 0.875, cachedInput: 0.0875, output: 7 } },
    },
    'gpt-5.3-chat-latest': { input: 1.75, cachedInput: 0.175, output: 14 },
    'gpt-5.3-codex-spark': { input: 1.75, cachedInput: 0.175, output: 14 },
    'gpt-5.3-codex': { input: 1.75, cachedInput: 0.175, output: 14 },
    'gpt-5.4-mini': {
      input: 0.75,
      cachedInput: 0.075,
      output: 4.5,
      tiers: {
        flex: { input: 0.375, cachedInput: 0.0375, output: 2.25 },
        priority: { input: 1.5, cachedInput: 0.15, output: 9 },
      },
    },
    'gpt-5.4-nano': { input: 0.2, cachedInput: 0.02, output: 1.25 },
    'gpt-5.4-pro': { input: 30, output: 180, long: { above: 272000, input: 60, output: 270 } },
    'gpt-5.4': {
      input: 2.5,
      cachedInput: 0.25,
      output: 15,
      long: { above: 272000, input: 5, cachedInput: 0.5, output: 22.5 },
      tiers: {
        flex: { input: 1.25, cachedInput: 0.125, output: 7.5 },
        priority: { input: 5, cachedInput: 0.5, output: 30 },
      },
    },
    'gpt-5.5-pro': { input: 30, output: 180, long: { above: 272000, input: 60, output: 270 } },
    'gpt-5.5': {
      input: 5,
      cachedInput: 0.5,
      output: 30,
      long: { above: 272000, input: 10, cachedInput: 1, output: 45 },
      tiers: {
        flex: { input: 2.5, cachedInput: 0.25, output: 15 },
        priority: { input: 12.5, cachedInput: 1.25, output: 75 },
      },
    },
    'gpt-5': {
      input: 1.25,
      cachedInput: 0.125,
      output: 10,
      tiers: { flex: { input: 0.625, cachedInput: 0.0625, output: 5 } },
    },
    'o3-mini': { input: 1.1, cachedInput: 0.55, output: 4.4 },
    'o3-pro': { input: 20, output: 80 },
    o3: { input: 2, cachedInput: 0.5, output: 8, tiers: { flex: { input: 1, cachedInput: 0.25, output: 4 } } },
    'o4-mini': {
      input: 1.1,
      cachedInput: 0.275,
      output: 4.4,
      tiers: { flex: { input: 0.55, cachedInput: 0.1375, output: 2.2 } },
    },
    'claude-fable-5': { input: 10, cachedInput: 1, cacheWrite: 12.5, cacheWriteHour: 20, output: 50 },
    'claude-haiku-4-5-20251001': { input: 1, cachedInput: 0.1, cacheWrite: 1.25, cacheWriteHour: 2, output: 5 },
    'claude-haiku-4-5': { input: 1, cachedInput: 0.1, cacheWrite: 1.25, cacheWriteHour: 2, output: 5 },
    'claude-opus-4-0': { input: 15, cachedInput: 1.5, cacheWrite: 18.75, cacheWriteHour: 30, output: 75 },
    'claude-opus-4-1-20250805': { input: 15, cachedInput: 1.5, cacheWrite: 18.75, cacheWriteHour: 30, output: 75 },
    'claude-opus-4-1': { input: 15, cachedInput: 1.5, cacheWrite: 18.75, cacheWriteHour: 30, output: 75 },
    'claude-opus-4-20250514': { input: 15, cachedInput: 1.5, cacheWrite: 18.75, cacheWriteHour: 30, output: 75 },
    'claude-opus-4-5-20251101': { input: 5, cachedInput: 0.5, cacheWrite: 6.25, cacheWriteHour: 10, output: 25 },
    'claude-opus-4-5': { input: 5, cachedInput: 0.5, cacheWrite: 6.25, cacheWriteHour: 10, output: 25 },
    'claude-opus-4-6': {
      input: 5,
      cachedInput: 0.5,
      cacheWrite: 6.25,
      cacheWriteHour: 10,
      output: 25,
      tiers: { fast: { input: 30, cachedInput: 3, cacheWrite: 37.5, cacheWriteHour: 60, output: 150 } },
    },
    'claude-opus-4-7': {
      input: 5,
      cachedInput: 0.5,
      cacheWrite: 6.25,
      cacheWriteHour: 10,
      output: 25,
      tiers: { fast: { input: 30, cachedInput: 3, cacheWrite: 37.5, cacheWriteHour: 60, output: 150 } },
    },
    'claude-opus-4-8': {
      input: 5,
      cachedInput: 0.5,
      cacheWrite: 6.25,
      cacheWriteHour: 10,
      output: 25,
      tiers: { fast: { input: 10, cachedInput: 1, cacheWrite: 12.5, cacheWriteHour: 20, output: 50 } },
    },
    'claude-sonnet-4-0': { input: 3, cachedInput: 0.3, cacheWrite: 3.75, cacheWriteHour: 6, output: 15 },
    'claude-sonnet-4-20250514': { input: 3, cachedInput: 0.3, cacheWrite: 3.75, cacheWriteHour: 6, output: 15 },
    'claude-sonnet-4-5-20250929': { input: 3, cachedInput: 0.3, cacheWrite: 3.75, cacheWriteHour: 6, output: 15 },
    'claude-sonnet-4-5': { input: 3, cachedInput: 0.3, cacheWrite: 3.75, cacheWriteHour: 6, output: 15 },
    'claude-sonnet-4-6': { input: 3, cachedInput: 0.3, cacheWrite: 3.75, cacheWriteHour: 6, output: 15 },
    'claude-sonnet-5': { input: 2, cachedInput: 0.2, cacheWrite: 2.5, cacheWriteHour: 4, output: 10 },
  },
};
