import { setTimeout as delay } from 'node:timers/promises';

/** Polls a condition and returns its value. Throws an error that names `what` after `limitMs`. */
export async function until<Value>(
  what: string,
  limitMs: number,
  condition: () => Promise<Value | undefined | null | false>,
): Promise<Value> {
  const limit = Date.now() + limitMs;
  for (;;) {
    const value = await condition();
    if (value) return value;
    if (Date.now() > limit) throw new Error(`timed out after ${Math.round(limitMs / 1000)} s: ${what}`);
    await delay(150);
  }
}
