/** The checks of a running `up`: its processes, stores, server and model. */
import { findUp, type Ready } from '../embedded/data-directory.ts';
import { openSecrets } from '../embedded/secrets.ts';
import { readTemporalDev } from '../embedded/temporal/dev-settings.ts';
import { failed, ok, type Check } from './check.ts';
import { TEMPORAL_DEV } from './deployment.ts';
import { gitHubCheck } from './github.ts';
import { serverCheck } from './http.ts';
import { isMemberByLogin, postgresCheck } from './postgres.ts';
import { temporalCheck } from './temporal.ts';

/** The checks of the `up` in a data directory, and its secret values, which are redacted. */
export function embeddedChecks(directory: string): { checks: Check[]; secrets: string[] } {
  const ready = findUp(directory);
  if (ready === undefined) return { checks: [notRunning(directory)], secrets: [] };
  const settings = readTemporalDev(TEMPORAL_DEV);
  const { 'github-bot-token': token } = openSecrets(directory);
  return {
    checks: [
      processes(ready),
      serverCheck({ url: ready.url }, 'failed'),
      postgresCheck(ready.databaseUrl),
      temporalCheck({ address: ready.temporalAddress, namespace: settings.namespace.name }, settings),
      gitHubCheck(
        { apiUrl: ready.githubUrl, token },
        async () => [],
        async (login) => isMemberByLogin(ready.databaseUrl, login),
      ),
    ],
    secrets: [
      token,
      ready.githubOwnerToken,
      ready.webhookSecret,
      decodeURIComponent(new URL(ready.databaseUrl).password),
    ].filter((secret) => secret !== ''),
  };
}

function notRunning(directory: string): Check {
  return {
    name: 'up',
    run: async () =>
      failed(
        `not running in ${directory}`,
        `start it with "codex-k8s up"; if it fails to start, see ${directory}/logs. For a deployment, set its CODEXK8S_ variables`,
      ),
  };
}

/** Checks that the processes that `up` recorded are running. */
function processes({ processes: pids }: Ready): Check {
  return {
    name: 'up',
    async run() {
      const names = Object.keys(pids);
      const dead = names.filter((name) => !lives(pids[name] ?? 0));
      if (dead.length > 0)
        return failed(`${dead.join(', ')} not running`, '"up" restarts it; see its log for the cause');
      return ok(`running: ${names.join(', ')}`);
    },
  };
}

function lives(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
