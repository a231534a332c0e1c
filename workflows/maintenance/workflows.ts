/**
 * Sweeps, which Schedules start so that nothing that went missing stays missing (docs/decisions.md, 3; docs/reliability.md T28,
 * T47). Their results are readable in Temporal Web. A sweep that cannot continue ends; the next one comes soon.
 */
import { isCancellation, log, proxyActivities, rootCause, sleep, workflowInfo } from '@temporalio/workflow';
import type { Activities } from '../../activities/index.ts';
import type { RetentionReport } from '../../activities/maintenance/retention.ts';
import type { Retention } from '../../src/domain/maintenance/retention.ts';
import type {
  LeftOut,
  OrphansReport,
  ReconcileReport,
  RedeliveryReport,
  RunsReport,
} from '../../activities/maintenance/sweeps.ts';
import type { WorkspaceSweepInput, ReconcileInput } from '../messages.ts';

/** Repositories in one activity. */
const CHUNK = 25;

/** Redeliveries in one sweep: far below GitHub's limit, and enough for any outage. */
const RESENT = 150;

/** Workspaces that are removed in one sweep (docs/reliability.md T47). */
const REMOVED = 20;

/** A sweep overlaps with the one before it: events that were too recent then are read again, and clocks differ. */
const OVERLAP_MS = 15 * 60_000;
const OVERLAP_GRACES = 20;
/** How far back the first sweep reads. */
const FIRST_MS = 3 * 24 * 3_600_000;

/** A repository that was skipped, named in a result; the log has all of them. */
const NAMED = 20;

const options = {
  startToCloseTimeout: '10 minutes',
  scheduleToCloseTimeout: '20 minutes',
  heartbeatTimeout: '30 seconds',
  retry: { initialInterval: '1 second', maximumInterval: '30 seconds' },
} as const;

const { listSweptRepositories } = proxyActivities<Pick<Activities, 'listSweptRepositories'>>({
  ...options,
  summary: 'List the bound repositories',
});
const { redeliverFailed } = proxyActivities<Pick<Activities, 'redeliverFailed'>>({
  ...options,
  summary: 'Ask GitHub to redeliver failed deliveries',
});
const { reconcileRepositories } = proxyActivities<Pick<Activities, 'reconcileRepositories'>>({
  ...options,
  summary: 'Find events that no webhook reported',
});
const { endLostRuns } = proxyActivities<Pick<Activities, 'endLostRuns'>>({
  ...options,
  summary: 'Find runs that ended without reporting it',
});
const { findAbandonedIssues } = proxyActivities<Pick<Activities, 'findAbandonedIssues'>>({
  ...options,
  summary: 'Find open issues without a workflow',
});
const { findOrphans, removeOrphans } = proxyActivities<Pick<Activities, 'findOrphans' | 'removeOrphans'>>({
  ...options,
  summary: 'Find orphaned workspaces',
});

const { pruneRecords } = proxyActivities<Pick<Activities, 'pruneRecords'>>({
  ...options,
  summary: 'Remove records that are kept long enough',
});

interface SweepResult {
  readonly repositories: number;
  /** Why the sweep ended before all repositories were done; null when they were. */
  readonly endedEarly: string | null;
}

export type RedeliveryResult = SweepResult & RedeliveryReport;

/** Asks GitHub to redeliver deliveries that failed and were not stored. */
export async function redeliverySweep(): Promise<RedeliveryResult> {
  const repositories = await listSweptRepositories();
  const total = { resent: 0, waiting: 0, givenUp: 0, recovered: 0, cutShort: 0 };
  const leftOut: LeftOut[] = [];
  const endedEarly = await inChunks(repositories, async (chunk) => {
    const report = await redeliverFailed({ repositories: chunk, limit: RESENT - total.resent });
    for (const key of Object.keys(total) as (keyof typeof total)[]) total[key] += report[key];
    leftOut.push(...report.leftOut);
  });
  return { repositories: repositories.length, endedEarly, ...total, leftOut: leftOut.slice(0, NAMED) };
}

export interface ReconcileResult extends SweepResult, Omit<ReconcileReport, 'unfinished'> {
  /** Up to this time nothing is missing, except in the repositories that are `behind`. ISO 8601. */
  readonly until: string;
  /** The times from which repositories that are behind have to be read, by id. */
  readonly behind: Readonly<Record<string, string>>;
  readonly runs: RunsReport | null;
}

/** Compares GitHub and Temporal with the platform's records, from where the last sweep ended. */
export async function reconcileSweep({ graceSeconds }: ReconcileInput): Promise<ReconcileResult> {
  const { startTime, lastResult } = workflowInfo();
  const until = startTime.toISOString();
  const last = lastResult as ReconcileResult | undefined;
  const overlap = Math.max(OVERLAP_MS, OVERLAP_GRACES * graceSeconds * 1000);
  const usual = new Date(last ? Date.parse(last.until) - overlap : startTime.getTime() - FIRST_MS).toISOString();
  const repositories = (await listSweptRepositories()).map((id) => ({ id, since: last?.behind[id] ?? usual }));

  const behind = Object.fromEntries(repositories.map(({ id, since }) => [id, since]));
  const found: ReconcileReport['found'][number][] = [];
  const leftOut: LeftOut[] = [];
  let made = 0;
  const endedEarly = await inChunks(repositories, async (chunk) => {
    const report = await reconcileRepositories({ repositories: chunk, graceSeconds });
    found.push(...report.found);
    leftOut.push(...report.leftOut);
    made += report.made;
    const failed = new Set(report.leftOut.map(({ repository }) => repository));
    for (const { id } of chunk) if (!failed.has(id)) delete behind[id];
    for (const { repository, since } of report.unfinished) behind[repository] = since;
  });
  const runs = await endLostRuns({ graceSeconds }).catch(leftForNext);
  return {
    repositories: repositories.length,
    endedEarly,
    until,
    behind,
    made,
    found: found.slice(0, NAMED),
    leftOut: leftOut.slice(0, NAMED),
    runs,
  };
}

export interface WorkspaceSweepResult extends OrphansReport {
  /** Open issues without a workflow. */
  readonly abandoned: readonly string[];
}

/** Removes orphaned workspaces: found once, checked again after the grace period, then removed. */
export async function workspaceSweep({ ageSeconds, graceSeconds }: WorkspaceSweepInput): Promise<WorkspaceSweepResult> {
  const abandoned = (await findAbandonedIssues({ ageSeconds }).catch(leftForNext)) ?? [];
  const orphans = await findOrphans({ ageSeconds, limit: REMOVED });
  if (orphans.length === 0) return { removed: [], kept: [], abandoned };
  await sleep(graceSeconds * 1000, { summary: 'Grace period of orphaned workspaces' });
  return { ...(await removeOrphans({ orphans, ageSeconds })), abandoned };
}

/** Calls of one sweep; what is left is removed by the next. */
const PRUNINGS = 20;

/** Removes bodies of deliveries, logs, conversations and status comments that are older than the installation keeps them. */
export async function retentionSweep(retention: Retention): Promise<Omit<RetentionReport, 'more'>> {
  const total = { bodies: 0, logs: 0, conversations: 0, statusComments: 0 };
  for (let calls = 0; calls < PRUNINGS; calls += 1) {
    const report = await pruneRecords(retention);
    for (const key of Object.keys(total) as (keyof typeof total)[]) total[key] += report[key];
    if (!report.more) break;
  }
  return total;
}

/** Returns why it stopped early, or null. If one activity fails or times out, the following ones are not tried. */
async function inChunks<Item>(
  items: readonly Item[],
  act: (chunk: readonly Item[]) => Promise<void>,
): Promise<string | null> {
  for (let start = 0; start < items.length; start += CHUNK) {
    try {
      await act(items.slice(start, start + CHUNK));
    } catch (error) {
      if (isCancellation(error)) throw error;
      log.warn('sweep ended early', { done: start, of: items.length, error: String(rootCause(error) ?? error) });
      return rootCause(error) ?? String(error);
    }
  }
  return null;
}

function leftForNext(error: unknown): null {
  if (isCancellation(error)) throw error;
  log.warn('step left to the next sweep', { error: String(rootCause(error) ?? error) });
  return null;
}
