/** The Schedules that start the sweeps: created at the start of every worker, and updated by a newer build. */
import {
  ScheduleAlreadyRunning,
  ScheduleOverlapPolicy,
  type Client,
  type ScheduleDescription,
  type ScheduleOptions,
} from '@temporalio/client';
import type { Retention } from '../domain/maintenance/retention.ts';
import { SCHEDULES, TASK_QUEUE, type WorkspaceSweepInput, type ReconcileInput } from '../../workflows/messages.ts';

/** All in seconds. */
export interface SweepSettings {
  readonly redeliverySeconds: number;
  readonly reconcileSeconds: number;
  readonly workspaceSeconds: number;
  /** Changes younger than this are left to webhooks and to workflows that are starting. */
  readonly graceSeconds: number;
  /** Time since its last use for which a workspace without a workflow is kept. */
  readonly orphanSeconds: number;
  /** In days. */
  readonly retention: Retention;
}

const HOUR_SECONDS = 3600;

/** Milliseconds after which a missed start is skipped (`catchupWindow`): the next sweep does its work. */
const CATCH_UP_MS = 60_000;

/** Limit of a sweep, so that one that hangs does not block the following ones. */
const SWEEP_LIMIT = '1 hour';

/** Creates or updates the Schedules. Safe to repeat, and from several processes at once. */
export async function ensureSchedules(client: Client, settings: SweepSettings): Promise<void> {
  for (const schedule of schedulesOf(settings)) await ensureSchedule(client, schedule);
}

function schedulesOf(settings: SweepSettings): ScheduleOptions[] {
  const reconcile: ReconcileInput = { graceSeconds: settings.graceSeconds };
  const workspaces: WorkspaceSweepInput = {
    ageSeconds: settings.orphanSeconds,
    graceSeconds: settings.graceSeconds,
  };
  return [
    scheduleOf('redeliverySweep', settings.redeliverySeconds, {
      summary: 'Failed deliveries, sent again',
      note: 'Asks GitHub for the deliveries that failed in the last three days, and has those sent again that were not kept.',
      args: [],
    }),
    scheduleOf('reconcileSweep', settings.reconcileSeconds, {
      summary: 'GitHub and Temporal, compared with what is known',
      note: 'Finds labels, reviews and closes that no webhook reported, and runs that ended without a fact to their issue.',
      args: [reconcile],
    }),
    scheduleOf('workspaceSweep', settings.workspaceSeconds, {
      summary: "Workspaces that are nobody's",
      note: 'Removes workspaces of this platform whose issue and runs have no workflow any more.',
      args: [workspaces],
    }),
    scheduleOf('retentionSweep', HOUR_SECONDS, {
      summary: 'Records that are kept long enough, removed',
      note: 'Removes bodies of deliveries, logs, conversations and status comments that are older than the installation keeps them.',
      args: [settings.retention],
    }),
  ];
}

function scheduleOf(
  workflowType: keyof typeof SCHEDULES,
  seconds: number,
  { summary, note, args }: { summary: string; note: string; args: unknown[] },
): ScheduleOptions {
  const scheduleId = SCHEDULES[workflowType];
  return {
    scheduleId,
    spec: { intervals: [{ every: Math.max(1, Math.round(seconds)) * 1000 }] },
    policies: { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: CATCH_UP_MS },
    action: {
      type: 'startWorkflow',
      workflowType,
      workflowId: scheduleId,
      taskQueue: TASK_QUEUE,
      args,
      workflowRunTimeout: SWEEP_LIMIT,
      staticSummary: summary,
      staticDetails: note,
    },
    memo: { summary },
    state: { note },
  };
}

async function ensureSchedule(client: Client, schedule: ScheduleOptions): Promise<void> {
  try {
    await client.schedule.create(schedule);
    return;
  } catch (error) {
    if (!(error instanceof ScheduleAlreadyRunning)) throw error;
  }
  const handle = client.schedule.getHandle(schedule.scheduleId);
  if (isUpToDate(await handle.describe(), schedule)) return;
  const { spec, action, policies } = schedule;
  // A paused Schedule stays paused: its state is not changed.
  await handle.update(({ state }) => ({ spec, action, policies: policies ?? {}, state }));
}

/** An update restarts the interval, so an unchanged Schedule is not updated. */
function isUpToDate(present: ScheduleDescription, { spec, action }: ScheduleOptions): boolean {
  const wanted = [spec.intervals?.map(({ every }) => every), action.workflowType, action.args, action.staticDetails];
  const found = [
    present.spec.intervals?.map(({ every }) => every),
    present.action.workflowType,
    present.action.args,
    present.action.staticDetails,
  ];
  return JSON.stringify(found) === JSON.stringify(wanted) && present.policies.overlap === ScheduleOverlapPolicy.SKIP;
}
