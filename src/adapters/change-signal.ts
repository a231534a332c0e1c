/** Hints that something has changed, for those who would otherwise look again and again. */
import { setTimeout as delay } from 'node:timers/promises';

export interface Hints {
  /** Says that something has changed. */
  readonly give: () => void;
  /**
   * Resolves when a hint was given since the call before, and after `atMostMs` milliseconds in any case: a change is a hint,
   * and what it may mean is for the caller to look at. Rejects with the signal's reason.
   */
  readonly next: (atMostMs: number, signal?: AbortSignal) => Promise<void>;
}

/** `gatherMs`: hints that come so soon after the first are one with it. */
export function createHints({ gatherMs = 0 }: { gatherMs?: number } = {}): Hints {
  let given = false;
  let tell = (): void => {};

  async function hint(atMostMs: number, signal: AbortSignal | undefined): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    tell = () => resolve();
    const timer = setTimeout(tell, atMostMs);
    signal?.addEventListener('abort', tell);
    await promise;
    clearTimeout(timer);
    signal?.removeEventListener('abort', tell);
  }

  return {
    give() {
      given = true;
      tell();
    },
    async next(atMostMs, signal) {
      signal?.throwIfAborted();
      if (!given) await hint(atMostMs, signal);
      signal?.throwIfAborted();
      if (gatherMs > 0)
        await delay(gatherMs, undefined, { ...(signal && { signal }) }).catch(() => signal?.throwIfAborted());
      given = false;
    },
  };
}
