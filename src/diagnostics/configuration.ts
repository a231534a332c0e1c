/** The configuration: is everything set that a process needs, and can it be used? */
import { BadConfiguration, serverConfig, workerConfig } from '../app/config/config.ts';
import { failed, ok, warning, type Answer, type Check } from './check.ts';

export type PlatformProcess = 'server' | 'worker';

const READ = { server: serverConfig, worker: workerConfig };

/** Characters; shorter ones are accepted at the start, and easier to guess. */
const LONG_SECRET = 32;

/** One finding for each variable that is wrong. */
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
          return failed(`${setting}: ${said}`, `set ${placeOf(setting)}; docs/operations.md says what it means`);
        });
      }
    },
  };
}

/** Whether the webhook's secrets are long enough to be secret. */
export function webhookSecretsCheck(secrets: readonly string[]): Check {
  const advice = 'make one with "openssl rand -hex 32", and put it on top of CODEXK8S_WEBHOOK_SECRETS_FILE';
  return {
    name: 'webhook secrets',
    async run(): Promise<Answer> {
      const short = secrets.filter((secret) => secret.length < LONG_SECRET).length;
      if (short > 0) return warning(`${short} of ${secrets.length} shorter than ${LONG_SECRET} characters`, advice);
      return ok(`${secrets.length}, of ${LONG_SECRET} characters or more`);
    },
  };
}

/** The address holds a password, so the file is the better place. */
function placeOf(setting: string): string {
  return setting === 'DATABASE_URL' ? 'CODEXK8S_DATABASE_URL_FILE (or DATABASE_URL)' : setting;
}
