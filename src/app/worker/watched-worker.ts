/**
 * A worker that tells of every workflow task that failed: a build that parts from the histories (`[TMPRL1100]`), or
 * workflow code that throws. Temporal tries such a task again for ever and the workflow stays as it is, so nothing else
 * would tell people (docs/reliability.md T32). The SDK's own line comes with a first attempt only.
 *
 * It leans on what the SDK keeps for itself: the emitter of evictions, their reasons, and how a failure is printed. The SDK's
 * version is pinned, and test/app/worker/watched-worker.test.ts fails when another one differs there.
 */
import type { Client } from '@temporalio/client';
import { Worker, type WorkerOptions } from '@temporalio/worker';
import { EvictionReason, type RemoveFromCache } from '@temporalio/worker/lib/replay.js';
import { announce } from '../../store/connection/changes.ts';
import type { Database } from '../../store/connection/database.ts';
import { taskKey } from '../process/failing-tasks.ts';
import type { Logger } from '../process/log.ts';

/** A failed task takes its workflow out of the worker's cache, for one of these. */
const FAILED: ReadonlySet<unknown> = new Set([EvictionReason.NONDETERMINISM, EvictionReason.LANG_FAIL]);

/** A class only because the SDK shows evictions to none but its own kind. */
export class WatchedWorker extends Worker {
  /** As `Worker.create`; calls back with Temporal's run id and the words of the failure. */
  static async createWatched(
    options: WorkerOptions,
    onTaskFailed: (runId: string, failure: string) => void,
  ): Promise<Worker> {
    const worker = (await this.create(options)) as WatchedWorker;
    worker.watch(onTaskFailed);
    return worker;
  }

  protected watch(onTaskFailed: (runId: string, failure: string) => void): void {
    this.evictionsEmitter.on('eviction', (eviction: { runId: string; evictJob: RemoveFromCache }) => {
      const { reason, message } = eviction.evictJob;
      if (FAILED.has(reason)) onTaskFailed(eviction.runId, wordsOf(message ?? ''));
    });
  }
}

/** Core prints a failure as Rust does. */
function wordsOf(failure: string): string {
  return /message: "((?:[^"\\]|\\.)*)"/.exec(failure)?.[1] ?? failure.slice(0, 500);
}

/** Raises the alarm: a line in the worker's log for every attempt, and word to the servers, which keep an eye on it. */
export function createTaskAlarm({
  client,
  db,
  log,
}: {
  client: Client;
  db: Database;
  log: Logger;
}): (runId: string, failure: string) => void {
  async function raise(runId: string, failure: string): Promise<void> {
    const workflowId = await workflowOf(client, runId).catch(() => undefined);
    log.error({ workflowId, runId, failure }, 'workflow.task_failing');
    if (workflowId !== undefined) await announce(db, { kind: 'task_failing', key: taskKey({ workflowId, runId }) });
  }
  // The next attempt tells again.
  return (runId, failure) => void raise(runId, failure).catch(() => undefined);
}

async function workflowOf(client: Client, runId: string): Promise<string | undefined> {
  for await (const { workflowId } of client.workflow.list({ query: `RunId = '${runId}'` })) return workflowId;
  return undefined;
}
