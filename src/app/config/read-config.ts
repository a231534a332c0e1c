/**
 * Reads configuration from the environment: once, checked, frozen. Secrets come from files and none has a default, so
 * that none shows in a process list or in an environment (docs/operations.md lists every setting).
 */
import { readFileSync } from 'node:fs';
import type { z } from 'zod';

/** One variable, and what is wrong with it. */
export interface SettingProblem {
  readonly setting: string;
  readonly message: string;
}

/** Configuration that cannot be used; the message names every variable that is wrong, and no value. */
export class BadConfiguration extends Error {
  readonly problems: readonly SettingProblem[];
  constructor(problems: readonly SettingProblem[]) {
    const lines = problems.map(({ setting, message }) => `  ${setting}: ${message}`);
    super(`The configuration is not complete:\n${lines.join('\n')}\nSee docs/operations.md.`);
    this.problems = problems;
  }
}

/** Names a file that holds DATABASE_URL, which contains a password. */
export const DATABASE_URL_FILE = 'CODEXK8S_DATABASE_URL_FILE';

/** The settings of `schema`; throws {@link BadConfiguration}. */
export function readConfig<Schema extends z.ZodType>(
  schema: Schema,
  env: NodeJS.ProcessEnv,
): Readonly<z.infer<Schema>> {
  const parsed = schema.safeParse({ ...env, ...databaseFromFile(env) });
  if (parsed.success) return Object.freeze(parsed.data as object) as Readonly<z.infer<Schema>>;
  throw new BadConfiguration(parsed.error.issues.map(({ path, message }) => ({ setting: path.join('.'), message })));
}

/** DATABASE_URL from its file, if a file is named; throws {@link BadConfiguration} if it cannot be read. */
export function databaseFromFile(env: NodeJS.ProcessEnv): { DATABASE_URL?: string } {
  const file = env[DATABASE_URL_FILE];
  if (file === undefined) return {};
  try {
    return { DATABASE_URL: readFileSync(file, 'utf8').trim() };
  } catch {
    throw new BadConfiguration([{ setting: DATABASE_URL_FILE, message: `cannot be read: ${file}` }]);
  }
}
