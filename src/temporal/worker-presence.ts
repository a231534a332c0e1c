/** Whether a worker takes tasks: without one runs wait, and people are told (docs/reliability.md T37). */
import type { Client } from '@temporalio/client';
import { TASK_QUEUE } from '../../workflows/messages.ts';
import { optionalTsToDate, optionalTsToMs } from './times.ts';

export interface WorkerPresence {
  /** Since when no worker is known; undefined while there is one, and before the first look. */
  absentSince(): Date | undefined;
  stop(): void;
}

/** What Temporal tells of a task queue. Milliseconds; dates as milliseconds since 1970. */
export interface QueueReport {
  /** When each worker last asked for a task. */
  readonly polledAt: readonly number[];
  /** How long the oldest task waits that nobody has taken; 0 if none does. */
  readonly backlogAgeMs: number;
}

/** A worker asks again after a minute at most. */
const POLL_MS = 90_000;
/** A worker takes a task at once, unless it has more than it can do. */
const TAKEN_MS = 20_000;

/**
 * No worker has asked for a task for longer than one waits between two requests; or a task waits, and no worker has asked since.
 * The second is known sooner.
 */
export function isAbsent({ polledAt, backlogAgeMs }: QueueReport, now: number): boolean {
  const newest = Math.max(0, ...polledAt);
  return now - newest > POLL_MS || (backlogAgeMs > TAKEN_MS && now - newest > backlogAgeMs);
}

const LOOK_MS = 10_000;
/** Milliseconds for one answer. */
const CALL_LIMIT_MS = 5000;
/** TASK_QUEUE_TYPE_WORKFLOW of Temporal's API. */
const WORKFLOW_QUEUE = 1;

/** The port of the process's log that this module uses. */
interface PresenceLog {
  warn(fields: Record<string, unknown>, message: string): void;
  info(fields: Record<string, unknown>, message: string): void;
}

/** Looks at the task queue again and again. While Temporal does not answer, the last known state stays. */
export function watchWorkers({
  client,
  log,
  lookMs = LOOK_MS,
}: {
  client: Client;
  log: PresenceLog;
  lookMs?: number;
}): WorkerPresence {
  let since: Date | undefined;
  /** When it was seen first: a worker that is started with the server is not missed. */
  let suspectedAt: Date | undefined;
  let looking = false;

  async function look(): Promise<void> {
    if (looking) return;
    looking = true;
    try {
      if (!isAbsent(await reportOf(client), Date.now())) {
        if (since !== undefined) log.info({ since, taskQueue: TASK_QUEUE }, 'worker.back');
        [since, suspectedAt] = [undefined, undefined];
      } else if (suspectedAt === undefined) suspectedAt = new Date();
      else if (since === undefined) {
        since = suspectedAt;
        log.warn({ since, taskQueue: TASK_QUEUE }, 'worker.absent');
      }
    } catch {
      // Temporal is away: the check of Temporal says so.
    } finally {
      looking = false;
    }
  }

  void look();
  const timer = setInterval(() => void look(), lookMs);
  timer.unref();
  return { absentSince: () => since, stop: () => clearInterval(timer) };
}

async function reportOf(client: Client): Promise<QueueReport> {
  const { namespace } = client.options;
  const { pollers, stats } = await client.withDeadline(Date.now() + CALL_LIMIT_MS, () =>
    client.workflowService.describeTaskQueue({
      namespace,
      taskQueue: { name: TASK_QUEUE },
      taskQueueType: WORKFLOW_QUEUE,
      reportStats: true,
    }),
  );
  return {
    polledAt: (pollers ?? []).map(({ lastAccessTime }) => optionalTsToDate(lastAccessTime)?.getTime() ?? 0),
    backlogAgeMs: optionalTsToMs(stats?.approximateBacklogAge) ?? 0,
  };
}

/** The reason for which `/readyz` reports `workers` as degraded. */
export class NoWorker extends Error {
  override readonly name = 'NoWorker';
}
