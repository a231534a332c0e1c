/** In-process change signals, for loops that would otherwise poll. */
import { setTimeout as delay } from 'node:timers/promises';

export interface ChangeSignal {
  /** Signals that something may have changed. */
  readonly notify: () => void;
  /**
   * Resolves after a notification since the previous call, and after `atMostMs` milliseconds in any case. A notification says
   * no more than that: the caller reads the state itself. Rejects with the abort signal's reason.
   */
  readonly next: (atMostMs: number, signal?: AbortSignal) => Promise<void>;
}

/** Creates a change signal; notifications within `gatherMs` milliseconds after the first count as one. */
export function createChangeSignal({ gatherMs = 0 }: { gatherMs?: number } = {}): ChangeSignal {
  let notified = false;
  let wake = (): void => {};

  async function waitForNotification(atMostMs: number, signal: AbortSignal | undefined): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    wake = () => resolve();
    const timer = setTimeout(wake, atMostMs);
    signal?.addEventListener('abort', wake);
    await promise;
    clearTimeout(timer);
    signal?.removeEventListener('abort', wake);
  }

  return {
    notify() {
      notified = true;
      wake();
    },
    async next(atMostMs, signal) {
      signal?.throwIfAborted();
      if (!notified) await waitForNotification(atMostMs, signal);
      signal?.throwIfAborted();
      if (gatherMs > 0)
        await delay(gatherMs, undefined, { ...(signal && { signal }) }).catch(() => signal?.throwIfAborted());
      notified = false;
    },
  };
}
