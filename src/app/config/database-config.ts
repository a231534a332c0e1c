/** The database: all that `migrate` reads, and a part of what server and worker read. */
import { z } from 'zod';
import { readConfig } from './read-config.ts';

export const DatabaseSettings = z.object({
  /** Contains a password: better kept in a file that CODEXK8S_DATABASE_URL_FILE names. */
  DATABASE_URL: z.url({ protocol: /^postgres(ql)?$/ }),
});

/** The database's URL; throws a `BadConfiguration`. */
export function databaseUrl(env: NodeJS.ProcessEnv = process.env): string {
  return readConfig(DatabaseSettings, env).DATABASE_URL;
}
