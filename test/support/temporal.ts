/** A real Temporal development server for a test file, and a worker whose activities are the test's own. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { Connection } from '@temporalio/client';
import { TypedSearchAttributes } from '@temporalio/common';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import {
  bundleWorkflowCode,
  DefaultLogger,
  Runtime,
  Worker,
  type WorkflowBundleWithSourceMap,
} from '@temporalio/worker';
import type { Activities } from '../../activities/index.ts';
import { beatWhileRunning } from '../../src/app/worker/activity-heartbeats.ts';
import { cacheDirectory } from '../../src/embedded/files/cache-directory.ts';
import { accepts } from '../../src/embedded/files/ports.ts';
import { resolveTemporal } from '../../src/embedded/temporal/executable.ts';
import { readTemporalDev } from '../../src/embedded/temporal/dev-settings.ts';
import { dataConverter } from '../../src/app/process/data-converter.ts';
import { searchAttributes, TASK_QUEUE } from '../../workflows/messages.ts';
import { freePort } from './free-port.ts';
import { eventually } from './stack.ts';

Runtime.install({ logger: new DefaultLogger('ERROR') });

let bundle: Promise<WorkflowBundleWithSourceMap> | undefined;

export { dataConverter };

/** The workflows of the working tree, bundled once for a file. */
export function workflowBundle(): Promise<WorkflowBundleWithSourceMap> {
  bundle ??= bundleWorkflowCode({
    workflowsPath: fileURLToPath(new URL('../../workflows/index.ts', import.meta.url)),
    ...dataConverter,
    logger: new DefaultLogger('ERROR'),
  });
  return bundle;
}

/**
 * Starts a server; `dynamicConfig` is added to its own. Not with `createLocal`, which gives a server five seconds to start.
 */
export async function startTemporal(
  dynamicConfig: Record<string, string | number> = {},
): Promise<TestWorkflowEnvironment> {
  const dev = readTemporalDev(new URL('../../temporal-dev.yaml', import.meta.url));
  const { path } = await resolveTemporal({
    cli: dev.cli,
    server: dev.server,
    cacheDirectory: cacheDirectory(process.env),
    env: process.env,
    report: () => {},
  });
  const port = await freePort();
  const address = `127.0.0.1:${port}`;
  const server = spawn(path, serverArguments(port, dynamicConfig), { stdio: ['ignore', 'ignore', 'inherit'] });
  const ended = once(server, 'exit');
  async function stop(): Promise<void> {
    server.kill('SIGKILL');
    await ended;
  }
  try {
    await eventually('Temporal answers', async () => {
      if (server.exitCode !== null) throw new Error(`Temporal ended with ${server.exitCode}`);
      return (await accepts(port)) && knowsNamespace(address);
    });
    const environment = await TestWorkflowEnvironment.createFromExistingServer({ address });
    const disconnect = environment.teardown.bind(environment);
    environment.teardown = async () => {
      await disconnect();
      await stop();
    };
    return environment;
  } catch (error) {
    await stop();
    throw error;
  }
}

function serverArguments(port: number, dynamicConfig: Record<string, string | number>): string[] {
  const types = Object.values(searchAttributes).map(
    ({ name, type }) => `${name}=${TypedSearchAttributes.toMetadataType(type)}`,
  );
  const config = {
    'frontend.enableServerVersionCheck': false,
    'frontend.enableUpdateWorkflowExecution': true,
    'frontend.enableUpdateWorkflowExecutionAsyncAccepted': true,
    ...dynamicConfig,
  };
  const flags = ['--ip', '127.0.0.1', '--port', String(port), '--namespace', 'default', '--log-level', 'error'];
  const given = [
    ...types.map((type) => ['--search-attribute', type]),
    ...Object.entries(config).map(([name, value]) => ['--dynamic-config-value', `${name}=${JSON.stringify(value)}`]),
  ];
  return ['server', 'start-dev', '--headless', '--log-format', 'pretty', ...flags, ...given.flat()];
}

/** Whether its one namespace can be used: it may take connections before. */
async function knowsNamespace(address: string): Promise<boolean> {
  const connection = Connection.lazy({ address });
  try {
    await connection.workflowService.describeNamespace({ namespace: 'default' });
    return true;
  } catch {
    return false;
  } finally {
    await connection.close();
  }
}

/** A worker on the workflows' queue. Activities that the test does not give are not there. */
export async function createTestWorker(
  environment: TestWorkflowEnvironment,
  activities: Partial<Activities>,
): Promise<Worker> {
  return Worker.create({
    connection: environment.nativeConnection,
    namespace: environment.namespace ?? 'default',
    taskQueue: TASK_QUEUE,
    workflowBundle: await workflowBundle(),
    dataConverter,
    activities,
    // As those of the product: one that waits for its test is not taken for lost.
    interceptors: { activity: [beatWhileRunning] },
    maxHeartbeatThrottleInterval: '1 second',
  });
}
