/** Resolves the addresses of the platform: from CODEXK8S_URL and a token, else from a running `up`. */
import { readFileSync } from 'node:fs';
import type { ApiAddress } from '../../api-client/api-client.ts';
import { CommandProblem } from '../../terminal/problems.ts';
import { databaseUrl } from '../../app/config/database-config.ts';
import { readConfig } from '../../app/config/read-config.ts';
import { checkTemporal, temporalAccess, TemporalSettings } from '../../app/config/temporal-config.ts';
import type { TemporalAccess } from '../../temporal/access.ts';
import { requireUp, resolveDataDirectory } from '../../embedded/data-directory.ts';
import { secretFile } from '../../embedded/secrets.ts';

/** `data` is the value of --data, when it was given. */
export async function resolveApi(data?: string, env: NodeJS.ProcessEnv = process.env): Promise<ApiAddress> {
  const url = env['CODEXK8S_URL'];
  if (url !== undefined) {
    const file = env['CODEXK8S_STAFF_TOKEN_FILE'];
    if (file === undefined)
      throw new CommandProblem(
        'CODEXK8S_URL is set: set CODEXK8S_STAFF_TOKEN_FILE to a file with the staff token too.',
      );
    return { url: url.replace(/\/+$/, ''), staffToken: readFileSync(file, 'utf8').trim() };
  }
  const directory = resolveDataDirectory(data ?? env['CODEXK8S_DATA'], env);
  return {
    url: requireUp(directory).url,
    staffToken: readFileSync(secretFile(directory, 'staff-token'), 'utf8').trim(),
  };
}

/** How to reach Temporal: the settings, if they name its address, else that of a running `up`. */
export function temporalAddress(data?: string, env: NodeJS.ProcessEnv = process.env): TemporalAccess {
  if (env['CODEXK8S_TEMPORAL_ADDRESS'] !== undefined)
    return temporalAccess(readConfig(TemporalSettings.superRefine(checkTemporal), env));
  const namespace = env['CODEXK8S_TEMPORAL_NAMESPACE'] ?? 'codex-k8s';
  return { address: requireUp(resolveDataDirectory(data ?? env['CODEXK8S_DATA'], env)).temporalAddress, namespace };
}

/** The URL of Postgres, with its password: CODEXK8S_DATABASE_URL_FILE or DATABASE_URL, else that of a running `up`. */
export function databaseAddress(data?: string, env: NodeJS.ProcessEnv = process.env): string {
  if (env['CODEXK8S_DATABASE_URL_FILE'] !== undefined || env['DATABASE_URL'] !== undefined) return databaseUrl(env);
  return requireUp(resolveDataDirectory(data ?? env['CODEXK8S_DATA'], env)).databaseUrl;
}
