/** The checks of an embedded `up`: is it running, and does each of its parts answer? */
import { findUp, type Ready } from '../embedded/data-directory.ts';
import { readTemporalDev } from '../embedded/temporal/dev-settings.ts';
import { failed, ok, type Check } from './check.ts';
import { TEMPORAL_DEV } from './deployment.ts';
import { gitHubCheck } from './github.ts';
import { serverCheck } from './http.ts';
import { postgresCheck } from './postgres.ts';
import { temporalCheck } from './temporal.ts';

/** What can be asked of the `up` in a data directory, and which of its values may be shown nowhere. */
export function embeddedChecks(directory: string): { checks: Check[]; secrets: string[] } {
  const ready = findUp(directory);
  if (ready === undefined) return { checks: [notRunning(directory)], secrets: [] };
  const settings = readTemporalDev(TEMPORAL_DEV);
  return {
    checks: [
      processes(ready),
      serverCheck(ready.url, 'failed'),
      postgresCheck(ready.databaseUrl),
      temporalCheck({ address: ready.temporalAddress, namespace: settings.namespace.name }, settings),
      gitHubCheck({ apiUrl: ready.githubUrl, token: ready.githubOwnerToken }, async () => []),
    ],
    secrets: [
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
        `none is ready in ${directory}`,
        `start one with "codex-k8s up"; ${directory}/logs says why one does not start. For a deployment, set its CODEXK8S_ variables`,
      ),
  };
}

/** The processes that `up` started, by their records. */
function processes({ processes: pids }: Ready): Check {
  return {
    name: 'up',
    async run() {
      const names = Object.keys(pids);
      const dead = names.filter((name) => !lives(pids[name] ?? 0));
      if (dead.length > 0)
        return failed(`${dead.join(', ')} not running`, '"up" starts it again; its log says why it died');
      return ok(`runs, with ${names.join(', ')}`);
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
