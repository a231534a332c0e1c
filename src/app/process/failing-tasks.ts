/**
 * The server's eye on workflows whose tasks fail, from when a worker told of one (watched-worker.ts) until it goes on:
 * for `/readyz`, `/metrics` and the log (docs/reliability.md T32).
 */
import { WorkflowNotFoundError, type Client } from '@temporalio/client';
import type { Logger } from './log.ts';

export interface FailingTask {
  readonly workflowId: string;
  readonly runId: string;
}

/** As a worker announces it (changes.ts). */
export function taskKey({ workflowId, runId }: FailingTask): string {
  return `${workflowId} ${runId}`;
}

export interface FailingTasks {
  /** Takes what a worker announced. */
  note(key: string): void;
  /** Workflows whose tasks fail, as of the last look. */
  count(): number;
  stop(): void;
}

/** Milliseconds between looks at those that are known to fail, and looks between two lines in the log about each. */
const LOOK_MS = 15_000;
const LOOKS_PER_LINE = 4;

/** Keeps an eye on the workflows whose tasks fail, until they go on; says so in the log, once a minute for each. */
export function createFailingTasks({
  client,
  log,
  lookMs = LOOK_MS,
}: {
  client: Client;
  log: Logger;
  lookMs?: number;
}): FailingTasks {
  const failing = new Map<string, FailingTask & { looks: number }>();
  let looking: Promise<void> | undefined;
  const timer = setInterval(() => {
    looking ??= look().finally(() => {
      looking = undefined;
    });
  }, lookMs);
  timer.unref();

  async function look(): Promise<void> {
    for (const [key, { looks, ...task }] of failing) {
      const goesOn = await isFailing(client, task).catch(() => true);
      if (!goesOn) {
        failing.delete(key);
        log.info(task, 'workflow.task_recovered');
        continue;
      }
      failing.set(key, { ...task, looks: looks + 1 });
      if ((looks + 1) % LOOKS_PER_LINE === 0) log.error(task, 'workflow.task_failing');
    }
  }

  return {
    note(key) {
      const [workflowId = '', runId = ''] = key.split(' ');
      if (failing.has(key)) return;
      failing.set(key, { workflowId, runId, looks: 0 });
      log.error({ workflowId, runId }, 'workflow.task_failing');
    },
    count: () => failing.size,
    stop: () => clearInterval(timer),
  };
}

/** Temporal counts the attempts of a task that is tried again; one that succeeds begins anew. */
async function isFailing(client: Client, { workflowId, runId }: FailingTask): Promise<boolean> {
  try {
    const { raw } = await client.workflow.getHandle(workflowId, runId).describe();
    return (raw.pendingWorkflowTask?.attempt ?? 1) > 1;
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return false;
    throw error;
  }
}

/** Why `/readyz` calls the workflows degraded. */
export class WorkflowTasksFailing extends Error {
  override readonly name = 'WorkflowTasksFailing';
}
