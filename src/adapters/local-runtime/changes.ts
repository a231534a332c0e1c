/** Changes in a directory, for those who would otherwise look again and again. */
import { watch, type FSWatcher } from 'node:fs';

export interface Changes extends Disposable {
  /**
   * Resolves when something has changed since the call before, and after `atMostMs` milliseconds in any case: a change is
   * a hint, and what it may mean is for the caller to look at. Rejects with the signal's reason.
   */
  next(atMostMs: number, signal?: AbortSignal): Promise<void>;
}

/** Watches from now on, so that what changes while the caller looks is not missed. */
export function changesIn(directory: string): Changes {
  let changed = false;
  let tell = (): void => {};
  const watcher = watched(directory, () => {
    changed = true;
    tell();
  });

  return {
    async next(atMostMs, signal) {
      signal?.throwIfAborted();
      if (!changed) await hint(atMostMs, signal);
      changed = false;
      signal?.throwIfAborted();
    },
    [Symbol.dispose]: () => watcher?.close(),
  };

  async function hint(atMostMs: number, signal: AbortSignal | undefined): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    tell = resolve;
    const timer = setTimeout(resolve, atMostMs);
    signal?.addEventListener('abort', tell);
    await promise;
    clearTimeout(timer);
    signal?.removeEventListener('abort', tell);
  }
}

/** A machine that has no watches left, or a directory that is gone, gives no hints: then time alone does. */
function watched(directory: string, onChange: () => void): FSWatcher | undefined {
  try {
    return watch(directory, onChange).on('error', onChange);
  } catch {
    return undefined;
  }
}
