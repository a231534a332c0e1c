import { setTimeout as delay } from 'node:timers/promises';

/** Waits for a condition; returns what it gave. Throws with `what` when it does not come in time. */
export async function until<Value>(
  what: string,
  limitMs: number,
  condition: () => Promise<Value | undefined | null | false>,
): Promise<Value> {
  const limit = Date.now() + limitMs;
  for (;;) {
    const value = await condition();
    if (value) return value;
    if (Date.now() > limit) throw new Error(`waited ${Math.round(limitMs / 1000)} s in vain: ${what}`);
    await delay(150);
  }
}
