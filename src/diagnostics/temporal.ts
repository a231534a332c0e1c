/** Checks Temporal: connection, version, namespace, retention, search attributes and workers. */
import { Connection } from '@temporalio/client';
import { connectionOptions, type TemporalAccess } from '../temporal/access.ts';
import { optionalTsToDate, optionalTsToMs } from '../temporal/times.ts';
import { TASK_QUEUE } from '../../workflows/messages.ts';
import type { TemporalDev } from '../embedded/temporal/dev-settings.ts';
import { indexedValueType } from '../embedded/temporal/namespace.ts';
import { incompatibility } from '../embedded/temporal/version.ts';
import { failed, ok, warning, type Answer, type Check } from './check.ts';

const DAY_MS = 24 * 60 * 60 * 1000;

/** A worker polls again after a minute at most. */
const POLL_MS = 90_000;

/** gRPC status NOT_FOUND. */
const NOT_FOUND = 5;
/** TASK_QUEUE_TYPE_WORKFLOW of Temporal's API. */
const WORKFLOW_QUEUE = 1;

/** Creates the check of Temporal. A server older than `advised` has known vulnerabilities. */
export function temporalCheck(temporal: TemporalAccess, settings: TemporalDev, advised?: string): Check {
  return {
    name: 'Temporal',
    remedy: `start Temporal at ${temporal.address}, or correct CODEXK8S_TEMPORAL_ADDRESS`,
    async run() {
      const connection = await Connection.connect({ ...connectionOptions(temporal), connectTimeout: '5 seconds' });
      try {
        const deadline = Date.now() + 5000;
        return await connection.withDeadline(deadline, async () => questions(connection, temporal, settings, advised));
      } finally {
        await connection.close();
      }
    },
  };
}

async function questions(
  connection: Connection,
  temporal: TemporalAccess,
  settings: TemporalDev,
  advised: string | undefined,
): Promise<Answer[]> {
  const answers = [await version(connection, temporal, settings, advised)];
  const retention = await retentionOf(connection, temporal.namespace);
  if (retention === undefined)
    return [
      ...answers,
      failed(
        `namespace ${temporal.namespace}: not found`,
        `temporal operator namespace create --address ${temporal.address} --namespace ${temporal.namespace} --retention ${settings.namespace.retentionDays}d`,
      ),
    ];
  return [
    ...answers,
    retentionAnswer(temporal, retention, settings),
    await searchAttributes(connection, temporal, settings),
    await workers(connection, temporal),
  ];
}

async function version(
  connection: Connection,
  { address }: TemporalAccess,
  { server }: TemporalDev,
  advised = server,
): Promise<Answer> {
  const { serverVersion } = await connection.workflowService.getSystemInfo({});
  const why = incompatibility(serverVersion, server);
  if (why !== undefined) return failed(`answers at ${address}: ${why}`, `upgrade Temporal to ${server} or later`);
  if (incompatibility(serverVersion, advised) !== undefined)
    return warning(
      `answers at ${address}, version ${serverVersion}, which has known vulnerabilities`,
      `upgrade Temporal to ${advised} or later`,
    );
  return ok(`answers at ${address}, version ${serverVersion}`);
}

/** Milliseconds, or undefined when there is no such namespace. */
async function retentionOf({ workflowService }: Connection, namespace: string): Promise<number | undefined> {
  try {
    const { config } = await workflowService.describeNamespace({ namespace });
    return optionalTsToMs(config?.workflowExecutionRetentionTtl) ?? 0;
  } catch (error) {
    if ((error as { code?: unknown }).code === NOT_FOUND) return undefined;
    throw error;
  }
}

function retentionAnswer({ namespace }: TemporalAccess, retentionMs: number, settings: TemporalDev): Answer {
  const days = Math.round((retentionMs / DAY_MS) * 10) / 10;
  const wanted = settings.namespace.retentionDays;
  if (days >= wanted) return ok(`namespace ${namespace}: retention ${days} days`);
  return warning(
    `namespace ${namespace}: retention ${days} days`,
    `"read-model rebuild" needs histories; raise the retention to ${wanted} days: temporal operator namespace update --namespace ${namespace} --retention ${wanted}d`,
  );
}

async function searchAttributes(
  { operatorService }: Connection,
  { namespace }: TemporalAccess,
  { searchAttributes: wanted }: TemporalDev,
): Promise<Answer> {
  const { customAttributes } = await operatorService.listSearchAttributes({ namespace });
  const names = Object.entries(wanted);
  const missing = names.filter(([name]) => customAttributes[name] === undefined);
  if (missing.length > 0)
    return failed(
      `search attributes: ${missing.map(([name]) => name).join(', ')} missing`,
      `temporal operator search-attribute create --namespace ${namespace}${missing.map(([name, type]) => ` --name ${name} --type ${type}`).join('')}`,
    );
  const other = names.filter(([name, type]) => Number(customAttributes[name]) !== indexedValueType(type));
  if (other.length > 0)
    return failed(
      `search attributes: ${other.map(([name, type]) => `${name} is not of type ${type}`).join(', ')}`,
      'use a separate namespace for codex-k8s',
    );
  return ok(`search attributes: all ${names.length} registered`);
}

async function workers({ workflowService }: Connection, { namespace }: TemporalAccess): Promise<Answer> {
  const { pollers } = await workflowService.describeTaskQueue({
    namespace,
    taskQueue: { name: TASK_QUEUE },
    taskQueueType: WORKFLOW_QUEUE,
  });
  const living = (pollers ?? []).filter(
    ({ lastAccessTime }) => Date.now() - (optionalTsToDate(lastAccessTime)?.getTime() ?? 0) < POLL_MS,
  );
  const workers = new Set(living.map(({ identity }) => identity)).size;
  if (workers === 0)
    return warning('workers: none polls the task queue', 'start "codex-k8s worker"; if it is running, see its log');
  return ok(`workers: ${workers} polling the task queue`);
}
