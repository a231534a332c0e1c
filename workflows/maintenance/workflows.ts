/**
 * Sweeps: what Schedules start so that nothing that went missing stays missing (docs/decisions.md, 3; docs/reliability.md T28,
 * T47). Their results say in Temporal Web what was found. A sweep that cannot go on ends; the next one comes soon.
 */
import { isCancellation, log, proxyActivities, rootCause, sleep, workflowInfo } from '@temporalio/workflow';
import type { Activities } from '../../activities/index.ts';
import type {
  LeftOut,
  OrphansReport,
  ReconcileReport,
  RedeliveryReport,
  RunsReport,
} from '../../activities/maintenance/sweeps.ts';
import type { WorkspaceSweepInput, ReconcileInput } from '../messages.ts';

/** Repositories that one activity goes through. */
const CHUNK = 25;

/** Deliveries that GitHub is asked for in one sweep: far below what it allows, and soon enough for any outage. */
const RESENT = 150;

/** Workspaces that are removed in one sweep (docs/reliability.md T47). */
const REMOVED = 20;

/** A sweep looks back beyond the one before it: what was too young then is looked at again, and clocks differ. */
const OVERLAP_MS = 15 * 60_000;
const OVERLAP_GRACES = 20;
/** How far the first one looks back. */
const FIRST_MS = 3 * 24 * 3_600_000;

/** A repository that was left out, named in a result; more of them are in the log. */
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
  summary: 'Have failed deliveries sent again',
});
const { reconcileRepositories } = proxyActivities<Pick<Activities, 'reconcileRepositories'>>({
  ...options,
  summary: 'Ask GitHub for what nobody told of',
});
const { endLostRuns } = proxyActivities<Pick<Activities, 'endLostRuns'>>({
  ...options,
  summary: 'Look for runs that ended without a word',
});
const { findAbandonedIssues } = proxyActivities<Pick<Activities, 'findAbandonedIssues'>>({
  ...options,
  summary: 'Look for issues without a workflow',
});
const { findOrphans, removeOrphans } = proxyActivities<Pick<Activities, 'findOrphans' | 'removeOrphans'>>({
  ...options,
  summary: "Look for workspaces that are nobody's",
});

interface SweepResult {
  readonly repositories: number;
  /** Why it ended before all repositories had their turn; null when they had. */
  readonly endedEarly: string | null;
}

export type RedeliveryResult = SweepResult & RedeliveryReport;

/** Has GitHub send again what failed and was not kept. */
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
  /** Before this moment nothing is missing, but for the repositories that are `behind`. ISO 8601. */
  readonly until: string;
  /** Since when repositories have to be looked through, by id, where that is longer ago. */
  readonly behind: Readonly<Record<string, string>>;
  readonly runs: RunsReport | null;
}

/** Compares GitHub and Temporal with what the platform knows, from where the last sweep ended. */
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
  /** Issues that are shown as open and have no workflow. */
  readonly abandoned: readonly string[];
}

/** Removes workspaces that are nobody's: found once, looked at again after the grace, then removed. */
export async function workspaceSweep({ ageSeconds, graceSeconds }: WorkspaceSweepInput): Promise<WorkspaceSweepResult> {
  const abandoned = (await findAbandonedIssues({ ageSeconds }).catch(leftForNext)) ?? [];
  const orphans = await findOrphans({ ageSeconds, limit: REMOVED });
  if (orphans.length === 0) return { removed: [], kept: [], abandoned };
  await sleep(graceSeconds * 1000, { summary: 'Before a second look' });
  return { ...(await removeOrphans({ orphans, ageSeconds })), abandoned };
}

/** Says why it stopped, or null. What one activity cannot do in time, another one will not do either. */
async function inChunks<Item>(
  items: readonly Item[],
  act: (chunk: readonly Item[]) => Promise<void>,
): Promise<string | null> {
  for (let start = 0; start < items.length; start += CHUNK) {
    try {
      await act(items.slice(start, start + CHUNK));
    } catch (error) {
      if (isCancellation(error)) throw error;
      log.warn('a sweep ends early', { done: start, of: items.length, error: String(rootCause(error) ?? error) });
      return rootCause(error) ?? String(error);
    }
  }
  return null;
}

function leftForNext(error: unknown): null {
  if (isCancellation(error)) throw error;
  log.warn('left for the next sweep', { error: String(rootCause(error) ?? error) });
  return null;
}
