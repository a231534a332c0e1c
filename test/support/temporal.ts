/** A real Temporal development server for a test file, and a worker whose activities are the test's own. */
import { fileURLToPath } from 'node:url';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import {
  bundleWorkflowCode,
  DefaultLogger,
  Runtime,
  Worker,
  type WorkflowBundleWithSourceMap,
} from '@temporalio/worker';
import type { Activities } from '../../activities/index.ts';
import { cacheDirectory } from '../../src/app/up/cache-directory.ts';
import { resolveTemporal } from '../../src/app/up/temporal-executable.ts';
import { readTemporalDev } from '../../src/app/up/temporal-dev.ts';
import { dataConverter } from '../../src/app/data-converter.ts';
import { searchAttributes, TASK_QUEUE } from '../../workflows/messages.ts';

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

/** Starts a server; `dynamicConfig` is added to its own. */
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
  return TestWorkflowEnvironment.createLocal({
    server: {
      executable: { type: 'existing-path', path },
      searchAttributes: Object.values(searchAttributes),
      extraArgs: Object.entries(dynamicConfig).flatMap(([name, value]) => [
        '--dynamic-config-value',
        `${name}=${JSON.stringify(value)}`,
      ]),
      log: { format: 'pretty', level: 'error' },
    },
  });
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
  });
}
