/** Temporal for a test file, and a worker whose activities are the test's own. */
import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { Connection } from '@temporalio/client';
import { msToTs } from '@temporalio/common/lib/time.js';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import { DefaultLogger, Runtime, Worker } from '@temporalio/worker';
import type { Activities } from '../../activities/index.ts';
import { beatEvery } from '../../src/temporal/activity-heartbeats.ts';
import { bundleWorkflows } from '../../src/temporal/workflow-code.ts';
import { convergeNamespace } from '../../src/embedded/temporal/namespace.ts';
import { dataConverter } from '../../src/temporal/data-converter.ts';
import { TASK_QUEUE } from '../../workflows/messages.ts';
import { shared } from './shared.ts';
import { eventually } from './stack.ts';
import { startTemporalServer, TEMPORAL_DEV, type TemporalServer } from './temporal-server.ts';

// Tests end workflows and workers in the middle of their work on purpose: what Core warns of then is no news.
Runtime.install({
  logger: new DefaultLogger('ERROR'),
  telemetryOptions: { logging: { filter: { core: 'ERROR', other: 'ERROR' }, forward: {} } },
});

let bundle: Promise<{ readonly code: string }> | undefined;

export { dataConverter };

/** The workflows of the working tree: those that were bundled for the whole run, or bundled once for this file. */
export function workflowBundle(): Promise<{ readonly code: string }> {
  bundle ??= shared('workflows').then(async (file) =>
    file === undefined ? bundleWorkflows(new DefaultLogger('ERROR')) : { code: await readFile(file, 'utf8') },
  );
  return bundle;
}

/** A namespace of this file's own, on the server that all files share; it has the search attributes of temporal-dev.yaml. */
export async function openTemporal(): Promise<TestWorkflowEnvironment> {
  const address = await shared('temporal');
  if (address === undefined) return startTemporal();
  const namespace = `test-${randomBytes(6).toString('hex')}`;
  await createNamespace(address, namespace);
  return TestWorkflowEnvironment.createFromExistingServer({ address, namespace });
}

/** A server of this file's own, for what only a server's dynamic config says: `dynamicConfig` is added to that of temporal-dev.yaml. */
export async function startTemporal(
  dynamicConfig: Record<string, string | number> = {},
): Promise<TestWorkflowEnvironment> {
  const server = await startTemporalServer(dynamicConfig);
  try {
    return stopWith(server, await TestWorkflowEnvironment.createFromExistingServer({ address: server.at }));
  } catch (error) {
    await server.stop();
    throw error;
  }
}

function stopWith(server: TemporalServer, environment: TestWorkflowEnvironment): TestWorkflowEnvironment {
  const disconnect = environment.teardown.bind(environment);
  return Object.assign(environment, {
    async teardown() {
      await disconnect();
      await server.stop();
    },
  });
}

const DAY_MS = 24 * 60 * 60 * 1000;

/** Resolves when the namespace can be used. */
async function createNamespace(address: string, name: string): Promise<void> {
  const connection = await Connection.connect({ address });
  try {
    await connection.workflowService.registerNamespace({
      namespace: name,
      workflowExecutionRetentionPeriod: msToTs(DAY_MS),
    });
  } finally {
    await connection.close();
  }
  // The server's parts see a new namespace one after the other.
  const settings = { ...TEMPORAL_DEV, namespace: { name, retentionDays: 1 } };
  await eventually(`the namespace ${name}`, () => convergeNamespace(address, settings).catch(() => undefined), 30_000);
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
    interceptors: { activity: [beatEvery(1000)] },
    maxHeartbeatThrottleInterval: '1 second',
  });
}
