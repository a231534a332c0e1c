/** Chance that can be had again: the same seed gives the same choices. */

export type Random = ReturnType<typeof createRandom>;

/** The generator is mulberry32; `seed` is any whole number. */
export function createRandom(seed: number) {
  let state = seed >>> 0;

  /** At least 0, less than 1. */
  function next(): number {
    state = (state + 0x6d_2b_79_f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  }

  function below(limit: number): number {
    return Math.floor(next() * limit);
  }

  return {
    next,
    /** A whole number from 0 to `limit` - 1. */
    below,
    /** A number from `least` on, below `most`. */
    between: (least: number, most: number): number => least + next() * (most - least),
    /** One of them, each as likely as the other. */
    pick<Value>(values: readonly Value[]): Value {
      const value = values[below(values.length)];
      if (value === undefined) throw new Error('there is nothing to pick from');
      return value;
    },
    /** The same in another order. */
    shuffled<Value>(values: readonly Value[]): Value[] {
      const rest = [...values];
      return values.map(() => rest.splice(below(rest.length), 1)[0] as Value);
    },
  };
}
