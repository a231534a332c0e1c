/** The checks of a real deployment, from the environment of its processes. */
import type { StoredNetworkFinding } from '../store/workspaces/cluster-findings.ts';
import { usableSettings, type UsableSettings } from '../app/config/all-settings.ts';
import { checkTemporal, temporalAccess, TemporalSettings } from '../app/config/temporal-config.ts';
import { readTemporalDev } from '../embedded/temporal/dev-settings.ts';
import type { Check } from './check.ts';
import { configurationCheck, webhookSecretsCheck, type PlatformProcess } from './configuration.ts';
import { gitHubCheck } from './github.ts';
import { modelCheck, serverCheck } from './http.ts';
import { kubernetesChecks } from './kubernetes/checks.ts';
import { boundRepositories, isMemberByLogin, postgresCheck, recordedNetworkProbe } from './postgres.ts';
import { temporalCheck } from './temporal.ts';

export const TEMPORAL_DEV = new URL('../../temporal-dev.yaml', import.meta.url);

/** The checks that the given settings allow; `processes` are those that the settings belong to. */
export function deploymentChecks(processes: readonly PlatformProcess[], env: NodeJS.ProcessEnv): Check[] {
  const settings = usableSettings(env);
  const isServer = processes.includes('server');
  return [
    ...processes.map((process) => configurationCheck(process, env)),
    ...(isServer ? serverSecrets(settings) : []),
    ...stores(settings, env),
    ...gitHub(settings),
    ...server(processes, settings),
    ...(isServer ? model(settings) : []),
    ...(processes.includes('worker') && settings.CODEXK8S_RUNTIME === 'kubernetes'
      ? kubernetesChecks({ settings, networkProbe: async () => networkProbe(settings) })
      : []),
  ];
}

/** Secret values, which are redacted in the report. */
export function secretsOf(env: NodeJS.ProcessEnv): string[] {
  const settings = usableSettings(env);
  const database = settings.DATABASE_URL;
  const secrets = [
    ...Object.entries(settings).flatMap(([name, value]) => (isSecretFile(name) ? [value].flat() : [])),
    ...(database === undefined ? [] : passwordOf(database)),
  ];
  return secrets.filter((secret): secret is string => typeof secret === 'string' && secret.length > 3);
}

function isSecretFile(name: string): boolean {
  return name.endsWith('_FILE') && name !== 'CODEXK8S_LABELS_FILE';
}

function passwordOf(address: string): string[] {
  const { password } = new URL(address);
  return password === '' ? [] : [address, password, decodeURIComponent(password)];
}

/** Reads the recorded network probe; a database error is reported by another check. */
async function networkProbe({ DATABASE_URL: database }: UsableSettings): Promise<StoredNetworkFinding | undefined> {
  return database === undefined ? undefined : recordedNetworkProbe(database).catch(() => undefined);
}

function serverSecrets({ CODEXK8S_WEBHOOK_SECRETS_FILE: secrets }: UsableSettings): Check[] {
  return secrets === undefined ? [] : [webhookSecretsCheck(secrets)];
}

function stores({ DATABASE_URL: database }: UsableSettings, env: NodeJS.ProcessEnv): Check[] {
  // With a part of them wrong, the connection would fail for another reason than people have to mend.
  const temporal = TemporalSettings.superRefine(checkTemporal).safeParse(env);
  const dev = readTemporalDev(TEMPORAL_DEV);
  return [
    ...(database === undefined ? [] : [postgresCheck(database)]),
    ...(temporal.success ? [temporalCheck(temporalAccess(temporal.data), dev, dev.production)] : []),
  ];
}

function gitHub({
  CODEXK8S_GITHUB_API_URL: apiUrl,
  CODEXK8S_GITHUB_TOKEN_FILE: token,
  DATABASE_URL: database,
}: UsableSettings): Check[] {
  if (apiUrl === undefined || token === undefined) return [];
  return [
    gitHubCheck(
      { apiUrl, token },
      async (most) => (database === undefined ? [] : boundRepositories(database, most)),
      async (login) => database !== undefined && isMemberByLogin(database, login),
    ),
  ];
}

/** Checks the server. In the server's own pod its local port is used, since network policies may block its own Service. */
function server(processes: readonly PlatformProcess[], settings: UsableSettings): Check[] {
  const { CODEXK8S_INTERNAL_URL: url, CODEXK8S_PORT: port, CODEXK8S_METRICS_PORT: metricsPort } = settings;
  const own = metricsPort ?? port;
  const token = metricsPort === undefined ? settings.CODEXK8S_STAFF_TOKEN_FILE : undefined;
  const withToken = token === undefined ? {} : { token };
  if (processes.length === 1 && processes[0] === 'server' && own !== undefined)
    return [serverCheck({ url: `http://127.0.0.1:${own}`, ...withToken }, 'warning')];
  if (url === undefined) return [];
  return [serverCheck(token === undefined ? { url, path: '/healthz' } : { url, token }, 'warning')];
}

function model({ CODEXK8S_MODEL_URL: url, CODEXK8S_MODEL_KEY_FILE: key }: UsableSettings): Check[] {
  return url === undefined || key === undefined ? [] : [modelCheck(url, key)];
}
