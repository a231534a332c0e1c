/** The settings of all processes together, for diagnostics and tests. */
import { DATABASE_URL_FILE, databaseFromFile } from './read-config.ts';
import { ServerSettings, type ServerConfig } from './server-config.ts';
import { WorkerSettings, type WorkerConfig } from './worker-config.ts';

/** Settings of server and worker, as far as they are set and valid: for looking at a configuration that is not complete. */
export type UsableSettings = Readonly<Partial<ServerConfig & WorkerConfig>>;

/** The settings of both processes that are valid, each by itself. */
export function usableSettings(env: NodeJS.ProcessEnv = process.env): UsableSettings {
  let database: { DATABASE_URL?: string } = {};
  try {
    database = databaseFromFile(env);
  } catch {
    // Whoever reads the whole configuration reports it.
  }
  const given: NodeJS.Dict<string> = { ...env, ...database };
  const usable: Record<string, unknown> = {};
  for (const [setting, schema] of Object.entries({ ...ServerSettings.shape, ...WorkerSettings.shape })) {
    const parsed = schema.safeParse(given[setting]);
    if (parsed.success) usable[setting] = parsed.data;
  }
  return Object.freeze(usable);
}

/** The names of all settings, by the process that reads them. */
export const SETTINGS: Readonly<Record<'server' | 'worker', readonly string[]>> = {
  server: [DATABASE_URL_FILE, ...Object.keys(ServerSettings.shape)],
  worker: [DATABASE_URL_FILE, ...Object.keys(WorkerSettings.shape)],
};
