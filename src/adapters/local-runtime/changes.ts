/** Changes in a directory, for those who would otherwise look again and again. */
import { watch, type FSWatcher } from 'node:fs';
import { createChangeSignal, type ChangeSignal } from '../change-signal.ts';

export interface Changes extends Pick<ChangeSignal, 'next'>, Disposable {}

/** Watches from now on, so that what changes while the caller looks is not missed. */
export function changesIn(directory: string): Changes {
  const changes = createChangeSignal();
  const watcher = watched(directory, changes.notify);
  return { next: changes.next, [Symbol.dispose]: () => watcher?.close() };
}

/** A machine that has no watches left, or a directory that is gone, gives no changes: then time alone does. */
function watched(directory: string, onChange: () => void): FSWatcher | undefined {
  try {
    return watch(directory, onChange).on('error', onChange);
  } catch {
    return undefined;
  }
}
