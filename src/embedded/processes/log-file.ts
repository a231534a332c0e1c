/** The log of a supervised process: a file that the process writes itself, so it survives the death of `up`. */
import { copyFileSync, openSync, renameSync, statSync, truncateSync } from 'node:fs';

const LOG_LIMIT_BYTES = 20 * 1024 * 1024;

/** Opens the log for a process to append to. */
export function openLog(path: string): number {
  return openSync(path, 'a', 0o600);
}

/** Puts the log of an earlier `up` aside, as `<path>.1`. */
export function startNewLog(path: string): void {
  if (sizeOf(path) > 0) renameSync(path, `${path}.1`);
}

/** Empties a log that has grown past the limit while its process writes to it; what it held is `<path>.1` from then on. */
export function limitLog(path: string, limit = LOG_LIMIT_BYTES): void {
  if (sizeOf(path) <= limit) return;
  copyFileSync(path, `${path}.1`);
  truncateSync(path, 0);
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}
