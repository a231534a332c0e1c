/**
 * Workflows whose tasks fail, from a worker's announcement (watched-worker.ts) until they proceed: for the server's
 * `/readyz`, `/metrics` and log (docs/reliability.md T32).
 */
import { WorkflowNotFoundError, type Client } from '@temporalio/client';
import type { Logger } from 'pino';

export interface FailingTask {
  readonly workflowId: string;
  readonly temporalRunId: string;
}

/** The key with which a worker announces a task: workflow id and Temporal run id. */
export function taskKey({ workflowId, temporalRunId }: FailingTask): string {
  return `${workflowId} ${temporalRunId}`;
}

export interface FailingTasks {
  /** Adds a workflow by the {@link taskKey} that a worker announced. */
  add(key: string): void;
  /** Number of workflows whose tasks fail, as of the last check. */
  count(): number;
  stop(): void;
}

/** Milliseconds between checks of the failing workflows, and checks between two log lines for each. */
const CHECK_MS = 15_000;
const CHECKS_PER_LINE = 4;

/** Checks the failing workflows until they proceed, and logs each of them once a minute. */
export function createFailingTasks({
  client,
  log,
  checkMs = CHECK_MS,
}: {
  client: Client;
  log: Logger;
  checkMs?: number;
}): FailingTasks {
  const failing = new Map<string, FailingTask & { checks: number }>();
  let checking: Promise<void> | undefined;
  const timer = setInterval(() => {
    checking ??= check().finally(() => {
      checking = undefined;
    });
  }, checkMs);
  timer.unref();

  async function check(): Promise<void> {
    for (const [key, { checks, ...task }] of failing) {
      const stillFails = await isFailing(client, task).catch(() => true);
      if (!stillFails) {
        failing.delete(key);
        log.info(task, 'workflow.task_recovered');
        continue;
      }
      failing.set(key, { ...task, checks: checks + 1 });
      if ((checks + 1) % CHECKS_PER_LINE === 0) log.error(task, 'workflow.task_failing');
    }
  }

  return {
    add(key) {
      const [workflowId = '', temporalRunId = ''] = key.split(' ');
      if (failing.has(key)) return;
      failing.set(key, { workflowId, temporalRunId, checks: 0 });
      log.error({ workflowId, temporalRunId }, 'workflow.task_failing');
    },
    count: () => failing.size,
    stop: () => clearInterval(timer),
  };
}

/** Temporal counts the attempts of a workflow task; the count starts again after one that succeeds. */
async function isFailing(client: Client, { workflowId, temporalRunId }: FailingTask): Promise<boolean> {
  try {
    const { raw } = await client.workflow.getHandle(workflowId, temporalRunId).describe();
    return (raw.pendingWorkflowTask?.attempt ?? 1) > 1;
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return false;
    throw error;
  }
}

/** The reason for which `/readyz` reports `workflows` as degraded. */
export class WorkflowTasksFailing extends Error {
  override readonly name = 'WorkflowTasksFailing';
}
