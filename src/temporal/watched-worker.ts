/**
 * A worker that reports every workflow task that failed: a build whose commands differ from the history (`[TMPRL1100]`), or
 * workflow code that throws. Temporal retries such a task for ever and the workflow does not proceed, so nothing else
 * would report it (docs/reliability.md T32). The SDK itself logs the first attempt only.
 *
 * It uses internals of the SDK: the emitter of evictions, their reasons, and how a failure is printed. The SDK's version is
 * pinned, and test/temporal/watched-worker.test.ts fails when another version differs there.
 */
import type { Client } from '@temporalio/client';
import { Worker, type WorkerOptions } from '@temporalio/worker';
import { EvictionReason, type RemoveFromCache } from '@temporalio/worker/lib/replay.js';
import type { Logger } from 'pino';
import { taskKey } from './failing-tasks.ts';

/** A failed task evicts its workflow from the worker's cache for one of these reasons. */
const FAILED: ReadonlySet<unknown> = new Set([EvictionReason.NONDETERMINISM, EvictionReason.LANG_FAIL]);

/** A class, since the SDK's emitter of evictions is protected. */
export class WatchedWorker extends Worker {
  /** As `Worker.create`; `onTaskFailed` gets Temporal's run id and the failure's message. */
  static async createWatched(
    options: WorkerOptions,
    onTaskFailed: (temporalRunId: string, failure: string) => void,
  ): Promise<Worker> {
    const worker = (await this.create(options)) as WatchedWorker;
    worker.watch(onTaskFailed);
    return worker;
  }

  protected watch(onTaskFailed: (temporalRunId: string, failure: string) => void): void {
    this.evictionsEmitter.on('eviction', (eviction: { runId: string; evictJob: RemoveFromCache }) => {
      const { reason, message } = eviction.evictJob;
      if (FAILED.has(reason)) onTaskFailed(eviction.runId, messageOf(message ?? ''));
    });
  }
}

/** The message of a failure, which the SDK's core prints as Rust's debug format. */
function messageOf(failure: string): string {
  return /message: "((?:[^"\\]|\\.)*)"/.exec(failure)?.[1] ?? failure.slice(0, 500);
}

/** For `onTaskFailed`: logs every failed attempt, and passes the workflow to `announce`, for the servers (failing-tasks.ts). */
export function createTaskFailureReporter({
  client,
  announce,
  log,
}: {
  client: Client;
  announce: (task: string) => Promise<void>;
  log: Logger;
}): (temporalRunId: string, failure: string) => void {
  async function report(temporalRunId: string, failure: string): Promise<void> {
    const workflowId = await workflowOf(client, temporalRunId).catch(() => undefined);
    log.error({ workflowId, temporalRunId, failure }, 'workflow.task_failing');
    if (workflowId !== undefined) await announce(taskKey({ workflowId, temporalRunId }));
  }
  // An error here is dropped: the next attempt of the task reports again.
  return (temporalRunId, failure) => void report(temporalRunId, failure).catch(() => undefined);
}

async function workflowOf(client: Client, temporalRunId: string): Promise<string | undefined> {
  for await (const { workflowId } of client.workflow.list({ query: `RunId = '${temporalRunId}'` })) return workflowId;
  return undefined;
}
