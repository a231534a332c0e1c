/** The processes of the embedded default, and how they are told about each other. */
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { createLocalRuntime } from '../adapters/local-runtime/runtime.ts';
import { ApiRefusal, createApiClient, type ApiAddress } from '../api-client/api-client.ts';
import { CommandProblem } from '../terminal/problems.ts';
import { readLabelsFile } from '../app/config/labels-file.ts';
import { migrateDatabase } from '../app/process/migrate.ts';
import { readRunLimits } from '../app/config/run-limits.ts';
import { OWNER } from './accounts.ts';
import { cacheDirectory } from './files/cache-directory.ts';
import {
  claimDataDirectory,
  createDataDirectory,
  resolveDataDirectory,
  writeReady,
  type Ready,
} from './data-directory.ts';
import { writePrivateFile } from './files/json-file.ts';
import { prepareCluster, type StartCluster } from './kubernetes.ts';
import { choosePorts, OTHER_PORTS, type Ports } from './files/ports.ts';
import { embeddedPostgres } from './postgres/postgres.ts';
import { stopLeftovers } from './processes/process-record.ts';
import { openSecrets, secretFile } from './secrets.ts';
import type { ProcessSpec } from './processes/supervised-process.ts';
import { createSupervisor, stopOnSignal } from './processes/supervisor.ts';
import { readTemporalDev } from './temporal/dev-settings.ts';
import { resolveTemporal } from './temporal/executable.ts';
import { temporalServer } from './temporal/temporal.ts';

export interface StackOptions {
  readonly data?: string | undefined;
  readonly env: NodeJS.ProcessEnv;
  /** Told what is going on, a line at a time. */
  readonly report: (message: string) => void;
  /** Where agents run: beside the worker unless told. */
  readonly runtime?: 'local' | 'kubernetes' | undefined;
  /** Makes the cluster for the runtime `kubernetes`, unless KUBECONFIG names one. */
  readonly startCluster: StartCluster;
  /** The PATH of our processes. */
  readonly path: string;
}

export interface Stack {
  readonly directory: string;
  readonly ready: Ready;
  /** Resolves with the exit code when a signal has stopped everything. */
  untilStopped(onStopping: (signal: string) => void): Promise<number>;
  /** Stops everything that was started, agents too. */
  stop(): Promise<void>;
}

const CLI = fileURLToPath(new URL(`../cli/cli.${import.meta.url.endsWith('.ts') ? 'ts' : 'js'}`, import.meta.url));
const TEMPORAL_DEV = new URL('../../temporal-dev.yaml', import.meta.url);

/** Variables of ours that a person may set for the processes that `up` starts. */
const PASSED_ON =
  /^(CODEXK8S_(AGENT_|ALLOW_UNENFORCED_|WORKSPACE_|LOG_LEVEL|GIT_BOT_|RUN_LIMITS$|SWEEP_|WORKER_|WORKFLOW_BUNDLE$|GITHUB_WRITES_|KILL_POINTS$|FAULTS$)|HOME$|LANG$|LC_ALL$|TZ$|TMPDIR$|SSL_CERT_FILE$|NODE_EXTRA_CA_CERTS$)/;

/** GitHub's are not the stand-in's; whoever wants to see them at work sets them. */
const NO_WRITE_LIMITS = { CODEXK8S_GITHUB_WRITES_PER_MINUTE: '0', CODEXK8S_GITHUB_WRITES_PER_HOUR: '0' };

export async function startStack({ data, env, report, path, runtime, startCluster }: StackOptions): Promise<Stack> {
  const labels = labelsFile(env);
  checkRunLimits(env);
  const directory = resolveDataDirectory(data, env);
  createDataDirectory(directory);
  const claim = claimDataDirectory(directory);
  const root = join(directory, 'workspaces');
  const supervisor = createSupervisor({
    dataDirectory: directory,
    onEvent(event) {
      if (event.kind === 'died')
        report(`${event.name} died (${event.reason}); it is started again. See ${directory}/logs/${event.name}.log`);
      if (event.kind === 'restarted' && ready) writeReady(directory, { ...ready, processes: supervisor.pids() });
    },
  });
  const agents = createLocalRuntime({ root, command: ['none'], platformUrl: '', env: {} });
  let ready: Ready | undefined;

  async function stop(): Promise<void> {
    await supervisor.stop();
    await agents.stopAll();
    claim.release();
  }

  try {
    for (const name of await stopLeftovers(directory)) report(`Stopped ${name}, left over from an earlier start`);
    const secrets = openSecrets(directory);
    const ports = await choosePorts({
      dataDirectory: directory,
      cacheDirectory: cacheDirectory(env),
      report,
      ...(directory === resolveDataDirectory(undefined, env) ? {} : { preferred: OTHER_PORTS }),
    });
    const settings = readTemporalDev(TEMPORAL_DEV);
    const executable = await resolveTemporal({ ...settings, cacheDirectory: cacheDirectory(env), env, report });
    const temporal = temporalServer({
      executable: executable.path,
      dataDirectory: directory,
      port: ports.temporal,
      uiPort: ports.temporalUi,
      settings,
    });
    const external = env['DATABASE_URL'];
    const postgres = external
      ? undefined
      : await embeddedPostgres({
          dataDirectory: directory,
          port: ports.postgres,
          password: secrets['postgres-password'],
          report,
        });
    const databaseUrl = external ?? postgres?.url ?? '';
    const model = chooseModel(directory, ports, env);

    const stopped = stopOnSignalOnce(supervisor);
    const ours = { ...NO_WRITE_LIMITS, ...passedOn(env), ...labels, PATH: path };
    const program = (
      name: string,
      args: readonly string[],
      more: Record<string, string>,
      after: readonly string[],
      url?: string,
    ): ProcessSpec => ({
      name,
      command: process.execPath,
      args: [CLI, ...args],
      env: { ...ours, ...more },
      after,
      ...(url === undefined ? {} : { ready: () => answers(url) }),
    });
    const githubUrl = `http://127.0.0.1:${ports.github}`;
    const url = `http://127.0.0.1:${ports.server}`;
    const databaseUrlFile = join(directory, 'secrets', 'database-url');
    writePrivateFile(databaseUrlFile, databaseUrl);
    const apiUrl = standInFront(env) ?? githubUrl;
    const platform = platformEnvironment({
      directory,
      databaseUrlFile,
      githubUrl,
      apiUrl,
      url,
      model,
      ports,
      temporal,
      root,
    });

    const cluster =
      runtime === 'kubernetes'
        ? await prepareCluster({ directory, gatewaysPort: ports.gateways, env, report, startCluster })
        : undefined;
    report('Starting Temporal, Postgres and the GitHub emulator');
    await supervisor.start([
      ...(postgres ? [postgres.spec] : []),
      temporal.spec,
      program(
        'emulators',
        ['emulators', '--data', directory, '--github-port', `${ports.github}`, '--model-port', `${ports.model}`],
        {},
        [],
        `${githubUrl}/zen`,
      ),
    ]);
    report('Bringing the database up to date');
    await migrateDatabase(databaseUrl);
    report('Starting server and worker');
    await supervisor.start([
      program('server', ['server'], { ...platform, ...cluster?.environment }, [], `${url}/readyz`),
      // Agents end between worker and server: nobody starts them again, and the server hears their last words.
      {
        ...program('worker', ['worker'], { ...platform, ...cluster?.environment }, []),
        stopWithinMs: 30_000,
        afterStop: () => agents.stopAll(),
      },
    ]);
    await introduceOwner({ url, staffToken: secrets['staff-token'] });

    ready = {
      ready: true,
      url,
      githubUrl,
      githubOwnerToken: secrets['github-owner-token'],
      webhookSecret: secrets['webhook-secret'],
      temporalAddress: temporal.address,
      temporalUi: temporal.ui,
      databaseUrl,
      ...(labels.CODEXK8S_LABELS_FILE === undefined ? {} : { labelsFile: labels.CODEXK8S_LABELS_FILE }),
      ...(cluster ? { kubeconfig: cluster.kubeconfig } : {}),
      processes: supervisor.pids(),
      model: model.kind,
    };
    writeReady(directory, ready);
    claim.announce(url);
    return {
      directory,
      ready,
      stop,
      async untilStopped(onStopping) {
        stopped.onStopping(onStopping);
        await stopped.promise;
        await stop();
        return 0;
      },
    };
  } catch (error) {
    await stop();
    if (error instanceof CommandProblem) throw error;
    const message = error instanceof Error ? error.message : String(error);
    throw new CommandProblem(`codex-k8s could not be started: ${message}\nLogs: ${join(directory, 'logs')}`);
  }
}

/** The configuration of server and worker (src/app/config/config.ts): addresses, and files for secrets. */
function platformEnvironment(given: {
  directory: string;
  databaseUrlFile: string;
  githubUrl: string;
  apiUrl: string;
  url: string;
  model: Model;
  ports: Ports;
  temporal: ReturnType<typeof temporalServer>;
  root: string;
}): Record<string, string> {
  const { directory, databaseUrlFile, githubUrl, apiUrl, url, model, ports, temporal, root } = given;
  return {
    CODEXK8S_DATABASE_URL_FILE: databaseUrlFile,
    CODEXK8S_TEMPORAL_ADDRESS: temporal.address,
    CODEXK8S_TEMPORAL_NAMESPACE: temporal.namespace,
    CODEXK8S_TEMPORAL_UI_URL: temporal.ui,
    CODEXK8S_GITHUB_URL: githubUrl,
    CODEXK8S_GITHUB_API_URL: apiUrl,
    CODEXK8S_GITHUB_TOKEN_FILE: secretFile(directory, 'github-bot-token'),
    CODEXK8S_WEBHOOK_SECRETS_FILE: secretFile(directory, 'webhook-secret'),
    CODEXK8S_RUN_TOKEN_KEY_FILE: secretFile(directory, 'run-token-key'),
    CODEXK8S_STAFF_TOKEN_FILE: secretFile(directory, 'staff-token'),
    CODEXK8S_MODEL_URL: model.url,
    CODEXK8S_MODEL_KEY_FILE: model.keyFile,
    CODEXK8S_PORT: `${ports.server}`,
    CODEXK8S_PUBLIC_URL: url,
    CODEXK8S_INTERNAL_URL: url,
    CODEXK8S_DASHBOARD: 'open',
    CODEXK8S_RUNTIME_DIRECTORY: root,
  };
}

/** What tests put in front of the stand-in's API, for faults; on this machine only, since a token goes there. */
function standInFront(env: NodeJS.ProcessEnv): string | undefined {
  const front = env['CODEXK8S_SANDBOX_API_URL'];
  if (front === undefined) return undefined;
  if (!/^http:\/\/127\.0\.0\.1:\d+$/.test(front))
    throw new CommandProblem('CODEXK8S_SANDBOX_API_URL must be like http://127.0.0.1:4000', 2);
  return front;
}

interface Model {
  readonly kind: 'scripted' | 'real';
  readonly url: string;
  readonly keyFile: string;
}

/** The real model with OPENAI_API_KEY, else the scripted one. Either way the platform is given an address and a file. */
function chooseModel(directory: string, ports: Ports, env: NodeJS.ProcessEnv): Model {
  const key = env['OPENAI_API_KEY'];
  const keyFile = join(directory, 'secrets', 'model-key');
  writePrivateFile(keyFile, key || 'scripted');
  if (key) return { kind: 'real', url: env['OPENAI_BASE_URL'] || 'https://api.openai.com/v1', keyFile };
  return { kind: 'scripted', url: `http://127.0.0.1:${ports.model}/v1`, keyFile };
}

/** Checked here, so that what is wrong with the names is said at once. */
function labelsFile(env: NodeJS.ProcessEnv): { CODEXK8S_LABELS_FILE?: string } {
  const path = env['CODEXK8S_LABELS_FILE'];
  if (path === undefined) return {};
  const chosen = readLabelsFile(path);
  if ('problems' in chosen)
    throw new CommandProblem(['CODEXK8S_LABELS_FILE cannot be used:', ...chosen.problems].join('\n  '), 2);
  return { CODEXK8S_LABELS_FILE: resolve(path) };
}

/** Checked here as well, for the same reason. */
function checkRunLimits({ CODEXK8S_RUN_LIMITS: text }: NodeJS.ProcessEnv): void {
  if (text === undefined) return;
  const limits = readRunLimits(text);
  if ('problem' in limits) throw new CommandProblem(`CODEXK8S_RUN_LIMITS: ${limits.problem}`, 2);
}

function passedOn(env: NodeJS.ProcessEnv): Record<string, string> {
  return Object.fromEntries(
    Object.entries(env).flatMap(([name, value]) =>
      value !== undefined && PASSED_ON.test(name) ? [[name, value]] : [],
    ),
  );
}

async function answers(url: string): Promise<boolean> {
  const response = await fetch(url, { signal: AbortSignal.timeout(2000) });
  await response.body?.cancel();
  return response.ok;
}

/** Whoever owns the stand-in owns the platform on it. */
async function introduceOwner(address: ApiAddress): Promise<void> {
  const api = createApiClient(address);
  for (let attempt = 1; ; attempt += 1) {
    try {
      await api.addMember({ login: OWNER, role: 'platform_owner' });
      return;
    } catch (error) {
      const passing = error instanceof ApiRefusal && error.status >= 500;
      if (!passing || attempt === INTRODUCTIONS)
        throw new Error(`the owner could not be made known: ${(error as Error).message}`, { cause: error });
    }
    await delay(500);
  }
}

/** A server that is just ready may have to ask twice for what it needs. */
const INTRODUCTIONS = 10;

/** Signals count from the first process on, also while others still start. */
function stopOnSignalOnce(supervisor: ReturnType<typeof createSupervisor>): {
  promise: Promise<void>;
  onStopping(tell: (signal: string) => void): void;
} {
  let tell: (signal: string) => void = () => {};
  const promise = stopOnSignal(supervisor, (signal) => tell(signal));
  promise.catch(() => undefined);
  return {
    promise,
    onStopping(callback) {
      tell = callback;
    },
  };
}
