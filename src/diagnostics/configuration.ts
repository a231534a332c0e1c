/** Checks the settings of a process. */
import { BadConfiguration } from '../app/config/read-config.ts';
import { serverConfig } from '../app/config/server-config.ts';
import { workerConfig } from '../app/config/worker-config.ts';
import { failed, ok, warning, type Answer, type Check } from './check.ts';

export type PlatformProcess = 'server' | 'worker';

const READ = { server: serverConfig, worker: workerConfig };

/** Minimum length in characters; shorter secrets are accepted at start, but are easier to guess. */
const LONG_SECRET = 32;

/** Reports one finding for each invalid variable. */
export function configurationCheck(process: PlatformProcess, env: NodeJS.ProcessEnv): Check {
  return {
    name: `configuration of the ${process}`,
    async run() {
      try {
        READ[process](env);
        return ok('complete');
      } catch (error) {
        if (!(error instanceof BadConfiguration)) throw error;
        return error.problems.map(({ setting, message }) => {
          const said = message.includes('received undefined') ? 'is not set' : message;
          return failed(`${setting}: ${said}`, `set ${settingLocation(setting)}; see docs/operations.md`);
        });
      }
    },
  };
}

/** Checks the length of the webhook's secrets. */
export function webhookSecretsCheck(secrets: readonly string[]): Check {
  const advice = 'create one with "openssl rand -hex 32" and add it as the first line of CODEXK8S_WEBHOOK_SECRETS_FILE';
  return {
    name: 'webhook secrets',
    async run(): Promise<Answer> {
      const short = secrets.filter((secret) => secret.length < LONG_SECRET).length;
      if (short > 0) return warning(`${short} of ${secrets.length} shorter than ${LONG_SECRET} characters`, advice);
      return ok(`${secrets.length}, of ${LONG_SECRET} characters or more`);
    },
  };
}

/** The variable to set; for the database URL its file, since the URL contains a password. */
function settingLocation(setting: string): string {
  return setting === 'DATABASE_URL' ? 'CODEXK8S_DATABASE_URL_FILE (or DATABASE_URL)' : setting;
}
