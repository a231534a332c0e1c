/** Retries for a bounded time. */
import { setTimeout as delay } from 'node:timers/promises';

/** Milliseconds of retries: longer than a restart of the platform takes. */
const PATIENCE_MS = 10 * 60_000;

const FIRST_WAIT_MS = 100;
const LONGEST_WAIT_MS = 5_000;

export interface Persistence {
  /** True for failures that may be temporary. */
  readonly isTransient: (error: unknown) => boolean;
  /** Stops the retries; its reason is thrown. */
  readonly signal?: AbortSignal | undefined;
  readonly patienceMs?: number | undefined;
  /** Called once, at the first failure. */
  readonly onTrouble?: ((error: unknown) => void) | undefined;
}

/** Retries with growing pauses. Throws an error that is not transient, or the last error once `patienceMs` are over. */
export async function persist<T>(attempt: () => Promise<T>, how: Persistence): Promise<T> {
  let troubleSince: number | undefined;
  let wait = FIRST_WAIT_MS;
  for (;;) {
    how.signal?.throwIfAborted();
    try {
      return await attempt();
    } catch (error) {
      how.signal?.throwIfAborted();
      if (!how.isTransient(error)) throw error;
      if (troubleSince === undefined) how.onTrouble?.(error);
      troubleSince ??= Date.now();
      if (Date.now() + wait - troubleSince > (how.patienceMs ?? PATIENCE_MS)) throw error;
    }
    await pause(wait * (0.75 + Math.random() / 2), how.signal);
    wait = Math.min(wait * 2, LONGEST_WAIT_MS);
  }
}

async function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  await delay(ms, undefined, signal ? { signal } : {}).catch(() => signal?.throwIfAborted());
}
