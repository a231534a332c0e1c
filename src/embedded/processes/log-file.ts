/** The log of a supervised process: a file that the process itself writes, so that logging outlives `up`. */
import { copyFileSync, openSync, renameSync, statSync, truncateSync } from 'node:fs';

const LOG_LIMIT_BYTES = 20 * 1024 * 1024;

/** Opens the log for a process to append to. */
export function openLog(path: string): number {
  return openSync(path, 'a', 0o600);
}

/** Renames the log of an earlier `up` to `<path>.1`. */
export function startNewLog(path: string): void {
  if (sizeOf(path) > 0) renameSync(path, `${path}.1`);
}

/** Truncates a log larger than `limit` bytes while its process writes to it; its content is copied to `<path>.1`. */
export function limitLog(path: string, limit = LOG_LIMIT_BYTES): void {
  if (sizeOf(path) <= limit) return;
  copyFileSync(path, `${path}.1`);
  truncateSync(path, 0);
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}
