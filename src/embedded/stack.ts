/** The processes of the embedded default, and their configuration. */
import { join } from 'node:path';
import { createLocalRuntime } from '../adapters/local-runtime/runtime.ts';
import { CommandProblem } from '../terminal/problems.ts';
import { cacheDirectory } from './files/cache-directory.ts';
import {
  claimDataDirectory,
  createDataDirectory,
  resolveDataDirectory,
  writeReady,
  type Ready,
} from './data-directory.ts';
import { accepts, choosePorts, OTHER_PORTS } from './files/ports.ts';
import { chooseModel, platformEnvironment, sharedEnvironment } from './platform-environment.ts';
import { postgresServer } from './postgres/postgres.ts';
import { answers } from './processes/local-http.ts';
import { stopLeftovers } from './processes/process-record.ts';
import { openSecrets } from './secrets.ts';
import type { SetUp } from './set-up/set-up.ts';
import type { StackOptions } from './start.ts';
import type { ProcessSpec } from './processes/supervised-process.ts';
import { createSupervisor, stopOnSignal, type Supervisor } from './processes/supervisor.ts';
import { temporalServer } from './temporal/temporal.ts';

export interface Stack {
  readonly directory: string;
  readonly ready: Ready;
  /** Resolves with the exit code when a signal has stopped all processes. */
  untilStopped(onStopping: (signal: string) => void): Promise<number>;
  /** Stops all processes and agents. */
  stop(): Promise<void>;
}

/** Claims the data directory, starts the processes and supervises them. Throws a `CommandProblem`. */
export async function startIn(
  options: StackOptions & { setUp: SetUp; labelsFile: string | undefined },
): Promise<Stack> {
  const { report } = options;
  const directory = resolveDataDirectory(options.data, options.env);
  createDataDirectory(directory);
  const claim = claimDataDirectory(directory);
  const supervisor = createSupervisor({
    dataDirectory: directory,
    onEvent(event) {
      if (event.kind === 'exited')
        report(`${event.name} exited (${event.reason}) and is restarted. See ${directory}/logs/${event.name}.log`);
      if (event.kind === 'restarted' && ready) writeReady(directory, { ...ready, processes: supervisor.pids() });
    },
  });
  const workspaces = join(directory, 'workspaces');
  const agents = createLocalRuntime({ root: workspaces, command: ['none'], platformUrl: '', env: {} });
  let ready: Ready | undefined;

  async function stop(): Promise<void> {
    await supervisor.stop();
    await agents.stopAll();
    claim.release();
  }

  try {
    for (const name of await stopLeftovers(directory)) report(`Stopped ${name}, left over from an earlier start`);
    const started = await startProcesses({
      ...options,
      directory,
      supervisor,
      workspaces,
      stopAgents: () => agents.stopAll(),
    });
    ready = started.ready;
    writeReady(directory, ready);
    claim.announce(ready.url);
    const { stopped } = started;
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

async function startProcesses({
  env,
  report,
  runtime,
  self,
  path,
  directory,
  setUp,
  labelsFile,
  supervisor,
  workspaces,
  stopAgents,
}: StackOptions & {
  directory: string;
  setUp: SetUp;
  labelsFile: string | undefined;
  supervisor: Supervisor;
  workspaces: string;
  stopAgents: () => Promise<void>;
}): Promise<{ ready: Ready; stopped: StopOnSignal }> {
  const secrets = openSecrets(directory);
  const ports = await choosePorts({
    dataDirectory: directory,
    cacheDirectory: cacheDirectory(env),
    report,
    ...(directory === resolveDataDirectory(undefined, env) ? {} : { preferred: OTHER_PORTS }),
  });
  const temporal = temporalServer({
    ...(await setUp.perform('temporal', { cacheDirectory: cacheDirectory(env) })),
    dataDirectory: directory,
    port: ports.temporal,
    uiPort: ports.temporalUi,
    convergeNamespace: (address, settings) => setUp.perform('temporalNamespace', { address, settings }),
  });
  const external = env['DATABASE_URL'];
  const password = secrets['postgres-password'];
  const postgres = external
    ? undefined
    : postgresServer(await setUp.perform('postgres', { dataDirectory: directory, password }), {
        port: ports.postgres,
        password,
        ensureDatabase: async (serverUrl) =>
          (await accepts(ports.postgres)) && setUp.perform('database', { serverUrl }),
      });
  const databaseUrl = external ?? postgres?.url ?? '';
  const model = chooseModel(directory, ports, env);
  const githubUrl = `http://127.0.0.1:${ports.github}`;
  const url = `http://127.0.0.1:${ports.server}`;
  const shared = sharedEnvironment(env, { path, labelsFile });
  const platform = platformEnvironment({
    directory,
    databaseUrl,
    githubUrl,
    url,
    model,
    ports,
    temporal,
    workspaces,
  });
  const program = (command: string, args: readonly string[], more: Record<string, string>): ProcessSpec => ({
    name: command,
    command: process.execPath,
    args: [...self, command, ...args],
    env: { ...shared, ...more },
  });

  const stopped = stopOnSignalOnce(supervisor);
  const cluster =
    runtime === 'kubernetes' ? await setUp.perform('cluster', { directory, gatewaysPort: ports.gateways }) : undefined;
  report('Starting Temporal, Postgres and the GitHub emulator');
  const emulated = ['--data', directory, '--github-port', `${ports.github}`, '--model-port', `${ports.model}`];
  await supervisor.start([
    ...(postgres ? [postgres.spec] : []),
    temporal.spec,
    { ...program('emulators', emulated, {}), ready: () => answers(`${githubUrl}/zen`) },
  ]);
  report('Bringing the database up to date');
  await setUp.perform('migration', { databaseUrl });
  report('Starting server and worker');
  const configuration = { ...platform, ...cluster?.environment };
  await supervisor.start([
    { ...program('server', [], configuration), ready: () => answers(`${url}/readyz`) },
    // Agents are stopped after the worker, so that it does not launch them again, and before the server, which gets their last log lines.
    { ...program('worker', [], configuration), stopWithinMs: 30_000, afterStop: stopAgents },
  ]);
  await setUp.perform('owner', { url, staffToken: secrets['staff-token'] });
  return {
    stopped,
    ready: {
      ready: true,
      url,
      githubUrl,
      githubOwnerToken: secrets['github-owner-token'],
      webhookSecret: secrets['webhook-secret'],
      temporalAddress: temporal.address,
      temporalUi: temporal.ui,
      databaseUrl,
      ...(labelsFile === undefined ? {} : { labelsFile }),
      ...(cluster ? { kubeconfig: cluster.kubeconfig } : {}),
      processes: supervisor.pids(),
      model: model.kind,
    },
  };
}

interface StopOnSignal {
  readonly promise: Promise<void>;
  onStopping(tell: (signal: string) => void): void;
}

/** Handles signals from the first process on, also while others are still starting. */
function stopOnSignalOnce(supervisor: Supervisor): StopOnSignal {
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
