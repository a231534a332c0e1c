/** Texts with JSON's escapes read as what they mean, to find what stands behind them. */

/** A character as `\u0067`, or a slash as `\/`; within JSON that stands in a JSON string the backslash is doubled, and so on. */
const ESCAPED = /(?<!\\)\\+(?:u([0-9a-fA-F]{4})|\/)/g;

/** How often escapes are looked for in what the escapes before gave (`\u005cu0067`). */
const MOST_TIMES = 3;

export interface Unescaped {
  readonly text: string;
  /** Where the character at `index` of the text begins in the original; for the text's length, the original's length. */
  originOf(index: number): number;
}

/**
 * The text without escapes of characters and slashes; undefined if it has none. Other escapes (`\n`, `\"`) stay, since secrets
 * end there.
 */
export function unescaped(original: string): Unescaped | undefined {
  let text = original;
  const steps: Step[] = [];
  while (steps.length < MOST_TIMES) {
    const step = unescapedOnce(text);
    if (!step) break;
    ({ text } = step);
    steps.push(step);
  }
  if (steps.length === 0) return undefined;
  return { text, originOf: (index) => steps.reduceRight((at, step) => step.originOf(at), index) };
}

type Step = Unescaped;

function unescapedOnce(original: string): Step | undefined {
  /** Of each escape: the place after its character in the text, and after the escape in the original. */
  const after: number[] = [];
  const origins: number[] = [];
  let text = '';
  let copied = 0;
  for (const { 0: escape, 1: code, index } of original.matchAll(ESCAPED)) {
    text += original.slice(copied, index) + (code === undefined ? '/' : String.fromCharCode(Number.parseInt(code, 16)));
    copied = index + escape.length;
    after.push(text.length);
    origins.push(copied);
  }
  if (after.length === 0) return undefined;
  text += original.slice(copied);
  return {
    text,
    originOf(index) {
      const escapesBefore = countUpTo(after, index);
      if (escapesBefore === 0) return index;
      return (origins[escapesBefore - 1] ?? 0) + index - (after[escapesBefore - 1] ?? 0);
    },
  };
}

/** How many of the ascending numbers are at most the limit. */
function countUpTo(numbers: readonly number[], limit: number): number {
  let [from, to] = [0, numbers.length];
  while (from < to) {
    const middle = (from + to) >>> 1;
    if ((numbers[middle] ?? 0) <= limit) from = middle + 1;
    else to = middle;
  }
  return from;
}
