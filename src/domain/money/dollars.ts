/** Money for people: micro-dollars (a millionth of a US dollar) as dollars and back. */

/** `$1.23`; less than a cent as `<$0.01`. */
export function dollars(micros: number): string {
  if (micros > 0 && micros < 10_000) return '<$0.01';
  return `$${(micros / 1_000_000).toFixed(2)}`;
}

/** Micro-dollars of an amount of dollars. */
export function microsOf(amount: number): number {
  return Math.round(amount * 1_000_000);
}
