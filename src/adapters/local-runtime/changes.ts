/** Changes in a directory, for those who would otherwise look again and again. */
import { watch, type FSWatcher } from 'node:fs';
import { createHints, type Hints } from '../change-signal.ts';

export interface Changes extends Pick<Hints, 'next'>, Disposable {}

/** Watches from now on, so that what changes while the caller looks is not missed. */
export function changesIn(directory: string): Changes {
  const hints = createHints();
  const watcher = watched(directory, hints.give);
  return { next: hints.next, [Symbol.dispose]: () => watcher?.close() };
}

/** A machine that has no watches left, or a directory that is gone, gives no hints: then time alone does. */
function watched(directory: string, onChange: () => void): FSWatcher | undefined {
  try {
    return watch(directory, onChange).on('error', onChange);
  } catch {
    return undefined;
  }
}
