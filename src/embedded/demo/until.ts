import { setTimeout as delay } from 'node:timers/promises';
import { ApiAway, ApiRefusal } from '../../api-client/api-client.ts';

/**
 * Polls a condition and returns its value. A server or database that is unavailable for a moment, as during a rolling restart, is
 * asked again. After `limitMs` throws an error that names `what`, or what was unavailable.
 */
export async function until<Value>(
  what: string,
  limitMs: number,
  condition: () => Promise<Value | undefined | null | false>,
): Promise<Value> {
  const limit = Date.now() + limitMs;
  for (;;) {
    let unavailable: unknown;
    const value = await condition().catch((error: unknown) => {
      if (!isTransient(error)) throw error;
      unavailable = error;
    });
    if (value) return value;
    if (Date.now() > limit)
      throw new Error(`timed out after ${Math.round(limitMs / 1000)} s: ${what}`, { cause: unavailable });
    await delay(150);
  }
}

function isTransient(error: unknown): boolean {
  return error instanceof ApiAway || (error instanceof ApiRefusal && error.status === 503);
}
