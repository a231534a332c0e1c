/** Small JSON files that are replaced atomically and that only their owner can read. */
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';

/** True for a JSON object of which every value passes. */
export function isRecordOf<T>(value: unknown, passes: (value: unknown) => value is T): value is Record<string, T> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && Object.values(value).every(passes);
}

/** Replaces the file atomically. */
export function writeJsonFile(path: string, value: unknown): void {
  writePrivateFile(path, `${JSON.stringify(value)}\n`);
}

/** Reads the file; undefined if it does not exist, is not JSON, or does not satisfy `fits`. */
export function readJsonFile<T>(path: string, fits: (value: unknown) => value is T): T | undefined {
  try {
    const value: unknown = JSON.parse(readFileSync(path, 'utf8'));
    return fits(value) ? value : undefined;
  } catch (error) {
    if (error instanceof SyntaxError || (error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Writes a file of mode 0600 atomically. */
export function writePrivateFile(path: string, content: string): void {
  const unfinished = `${path}.${process.pid}.new`;
  rmSync(unfinished, { force: true });
  writeFileSync(unfinished, content, { mode: 0o600, flag: 'wx', flush: true });
  renameSync(unfinished, path);
}
