/** Where the commands for people find the platform: CODEXK8S_URL and a token, else a running `up`. */
import { readFileSync } from 'node:fs';
import { createDataDirectory, requireUp, resolveDataDirectory } from './up/data-directory.ts';
import { secretFile } from './up/secrets.ts';

export interface ApiAddress {
  readonly url: string;
  readonly staffToken: string;
}

/** Something the person at the terminal can put right; its message says how. */
export class PlainError extends Error {
  override readonly name = 'PlainError';
}

/** `data` is the value of --data, when it was given. */
export async function resolveApi(data?: string, env: NodeJS.ProcessEnv = process.env): Promise<ApiAddress> {
  const url = env['CODEXK8S_URL'];
  if (url !== undefined) {
    const file = env['CODEXK8S_STAFF_TOKEN_FILE'];
    if (file === undefined)
      throw new PlainError('CODEXK8S_URL is set: set CODEXK8S_STAFF_TOKEN_FILE to a file with the staff token too.');
    return { url: url.replace(/\/+$/, ''), staffToken: readFileSync(file, 'utf8').trim() };
  }
  const directory = resolveDataDirectory(data ?? env['CODEXK8S_DATA'], env);
  createDataDirectory(directory);
  try {
    return {
      url: requireUp(directory).url,
      staffToken: readFileSync(secretFile(directory, 'staff-token'), 'utf8').trim(),
    };
  } catch (error) {
    throw new PlainError(error instanceof Error ? error.message : String(error));
  }
}
