/**
 * The sweeps' activities: they find with GitHub and Temporal what no webhook or signal reported, and report it. Each may run
 * twice at once, and may be canceled at any point: its effects have deterministic ids, or are idempotent.
 */
import { ApplicationFailure, log } from '@temporalio/activity';
import pLimit from 'p-limit';
import type { Fact, GoneReason, IssueRef, ObservedFact } from '../../src/domain/issue/facts.ts';
import { fullName } from '../../src/domain/issue/names.ts';
import type { RunOutcome } from '../../src/domain/run/runs.ts';
import {
  isLostRun,
  isOrphan,
  type ListedWorkspace,
  type WorkflowStatus,
} from '../../src/domain/maintenance/orphans.ts';
import { DELIVERIES_KEPT_MS, planRedelivery, type DeliveryAttempt } from '../../src/domain/maintenance/redelivery.ts';
import type { Database } from '../../src/store/connection/database.ts';
import type { Intake } from '../../src/store/intake/intake.ts';
import {
  keptDeliveries,
  listBoundRepositories,
  openIssues,
  openIssuesIn,
  readSweptRepositories,
  workingIssues,
  type SweptRepository,
} from '../../src/store/github/sweeps.ts';
import { presentRepository, type RepositoryIdentity } from '../../src/store/projects/present-repository.ts';
import { releaseNamespace } from '../../src/store/workspaces/slots.ts';
import { classified, toFailure } from '../failures.ts';
import { createReconciler, type Found, type GitHubHistory, type RepositoryName } from './reconcile.ts';

/** GitHub's records of its deliveries and of events. */
export interface GitHubRecords extends GitHubHistory {
  listFailedDeliveries(
    hook: RepositoryName & { hookId: number },
    since: string,
  ): Promise<{ attempts: DeliveryAttempt[]; complete: boolean }>;
  /** Fails for a repository that GitHub does not show. */
  readRepository(
    repository: RepositoryName & { repositoryId: number },
  ): Promise<RepositoryIdentity & { readonly archived: boolean }>;
  redeliver(hook: RepositoryName & { hookId: number }, delivery: number): Promise<void>;
}

/** Temporal's records of workflows. */
export interface WorkflowRecords {
  statusOf(workflowId: string): Promise<WorkflowStatus>;
  /** The outcome of a run whose workflow completed. */
  outcomeOf(runId: string): Promise<RunOutcome | undefined>;
  /** The keys of all issues with an open workflow; a new one may be missing for a moment. */
  openIssues(): Promise<Set<string>>;
  /** False when there is no workflow to signal. */
  signal(issue: IssueRef & { title: string; url: string }, facts: readonly ObservedFact[]): Promise<boolean>;
}

export interface SweepPorts {
  readonly db: Database;
  readonly intake: Intake;
  readonly github: GitHubRecords;
  readonly runtime: {
    listWorkspaces(): Promise<ListedWorkspace[]>;
    removeWorkspace(workspace: { name: string; owner: string }): Promise<{ readonly held?: string }>;
  };
  readonly workflows: WorkflowRecords;
  /** The login under which agents act. */
  readonly agentLogin?: string;
  /** Whether the server can accept a delivery now. */
  readonly serverAnswers: () => Promise<boolean>;
}

/** A repository that was skipped, and why; the next sweep tries again. */
export interface LeftOut {
  readonly repository: number;
  readonly reason: string;
}

export interface RedeliveryReport {
  /** Deliveries that GitHub was asked to redeliver. */
  readonly resent: number;
  readonly waiting: number;
  readonly givenUp: number;
  /** Deliveries of the last three days that failed at first and were stored since. */
  readonly recovered: number;
  /** Repositories with more failed deliveries than are read at once. */
  readonly cutShort: number;
  readonly leftOut: readonly LeftOut[];
}

export interface ReconcileReport {
  /** Deliveries that were made; the first of them are named. */
  readonly made: number;
  readonly found: readonly Found[];
  /** Repositories with more changes than one sweep reads, and the time from which the next one continues. */
  readonly unfinished: readonly { readonly repository: number; readonly since: string }[];
  readonly leftOut: readonly LeftOut[];
}

export interface RunsReport {
  readonly looked: number;
  /** Runs whose end was reported to their issue. */
  readonly ended: readonly string[];
  /** Issues that have no workflow to report to. */
  readonly unsignaled: readonly string[];
}

export interface OrphansReport {
  readonly removed: readonly string[];
  readonly kept: readonly { readonly name: string; readonly reason: string }[];
}

/** The result of removing an orphaned workspace: why it is still there, or null if it is gone. */
interface Fate {
  readonly name: string;
  readonly reason: string | null;
}

/** Workspaces that are removed at the same time: each removal may take long, and the cluster has other work. */
const REMOVED_AT_ONCE = 5;

/** The most redeliveries of one repository, and in one call of the activity. */
const RESENT_OF_REPOSITORY = 50;

/** After so many repositories in a row without an answer, GitHub counts as down. */
const IN_A_ROW = 5;

/** Rows that are read at once when all issues are read. */
const ISSUES = 20_000;
/** Names in a report; the log has the number of the others. */
const NAMED = 50;

export function createSweepActivities(ports: SweepPorts) {
  const { db, github, runtime, workflows, serverAnswers } = ports;
  const reconcile = createReconciler(ports);

  /** Goes through repositories one by one: an error of one does not stop the others, but a rate limit stops all. */
  async function each(
    repositories: readonly number[],
    act: (repository: SweptRepository) => Promise<void>,
  ): Promise<LeftOut[]> {
    const leftOut: LeftOut[] = [];
    let inARow = 0;
    for (const repository of await readSweptRepositories(db, repositories)) {
      try {
        await act(repository);
        inARow = 0;
      } catch (error) {
        const failure = toFailure(error);
        if (isPassing(failure)) inARow += 1;
        if (!isOfOneRepository(failure) || inARow === IN_A_ROW) throw failure;
        log.warn('repository skipped in a sweep', { repository: fullName(repository), error: String(failure) });
        leftOut.push({ repository: repository.id, reason: reasonOf(failure) });
      }
    }
    return leftOut;
  }

  /**
   * Reports a repository that GitHub does not show any more, because it was deleted or the platform has lost access
   * (docs/reliability.md T21), or that is archived. Every open issue gets the fact and asks GitHub itself, so nothing is lost
   * if the repository is back by then.
   */
  async function endIssuesOf(repository: SweptRepository, reason: GoneReason): Promise<void> {
    const at = new Date().toISOString();
    const by = { id: 0, login: 'GitHub' };
    const fact: Fact = { kind: 'repository_gone', delivery: `gone-${repository.id}`, by, at, reason };
    for (const issue of await openIssuesIn(db, repository.id)) await workflows.signal(issue, [{ seq: null, fact }]);
  }

  return {
    async listSweptRepositories(): Promise<number[]> {
      return listBoundRepositories(db);
    },

    /** Asks GitHub to redeliver what failed in the last three days and was not stored; at most `limit` deliveries. */
    async redeliverFailed({
      repositories,
      limit,
    }: {
      repositories: readonly number[];
      limit: number;
    }): Promise<RedeliveryReport> {
      const report = { resent: 0, waiting: 0, givenUp: 0, recovered: 0, cutShort: 0 };
      const leftOut = await each(repositories, async (repository) => {
        const { hookId, ...rest } = repository;
        if (hookId === null) return;
        const hook = { ...rest, hookId };
        const since = new Date(Date.now() - DELIVERIES_KEPT_MS).toISOString();
        const { attempts, complete } = await github.listFailedDeliveries(hook, since);
        const kept = await keptDeliveries(db, [...new Set(attempts.map(({ guid }) => guid))]);
        const left = Math.min(RESENT_OF_REPOSITORY, limit - report.resent);
        const plan = planRedelivery(attempts, kept, { now: Date.now(), limit: left });
        // Attempts are limited, so none is wasted on a server that is down.
        const resend = plan.resend.length > 0 && (await serverAnswers()) ? plan.resend : [];
        for (const { id } of resend) {
          await github.redeliver(hook, id);
          report.resent += 1;
        }
        report.waiting += plan.waiting + plan.resend.length - resend.length;
        report.givenUp += plan.givenUp;
        report.recovered += plan.recovered;
        report.cutShort += complete ? 0 : 1;
        if (resend.length > 0)
          log.info('GitHub was asked to redeliver failed deliveries', {
            repository: fullName(repository),
            resent: resend.length,
            waiting: plan.waiting,
          });
      });
      return { ...report, leftOut };
    },

    /** Makes deliveries of all events since a time that no webhook reported. */
    async reconcileRepositories({
      repositories,
      graceSeconds,
    }: {
      repositories: readonly { readonly id: number; readonly since: string }[];
      graceSeconds: number;
    }): Promise<ReconcileReport> {
      const found: Found[] = [];
      const unfinished: { repository: number; since: string }[] = [];
      const sinceOf = new Map(repositories.map(({ id, since }) => [id, since]));
      const leftOut = await each([...sinceOf.keys()], async (repository) => {
        const since = sinceOf.get(repository.id) ?? repository.boundAt;
        const looked = async (): ReturnType<typeof reconcile> => {
          const { archived } = await github.readRepository({ ...repository, repositoryId: repository.id });
          await presentRepository(db, github, repository.id);
          if (!archived) return reconcile(repository, since, { graceMs: graceSeconds * 1000 });
          await endIssuesOf(repository, 'archived');
          return { found: [], left: null };
        };
        const result = await looked().catch(async (error) => {
          if (isGone(error)) await endIssuesOf(repository, 'not_shown');
          throw error;
        });
        found.push(...result.found);
        if (result.left !== null) unfinished.push({ repository: repository.id, since: result.left });
      });
      for (const { issue, what, delivery } of found)
        log.warn('missed event found on GitHub', { issue, what, delivery });
      return { made: found.length, found: found.slice(0, NAMED), unfinished, leftOut };
    },

    /** Reports the end of runs whose workflows ended without reporting it. */
    async endLostRuns({ graceSeconds }: { graceSeconds: number }): Promise<RunsReport> {
      const when = { now: Date.now(), graceMs: graceSeconds * 1000 };
      const ended: string[] = [];
      const unsignaled: string[] = [];
      const working = await workingIssues(db, ISSUES);
      for (const { key, runId, shownAt, issue } of working) {
        const status = await workflows.statusOf(`run:${runId}`);
        if (!isLostRun(status, shownAt, when)) continue;
        // Its end may have been recorded meanwhile.
        const [again] = await workingIssues(db, 1, key);
        if (again?.runId !== runId) continue;
        const fact = await endOf(runId, status);
        if (await workflows.signal(issue, [{ seq: null, fact }])) ended.push(runId);
        else unsignaled.push(key);
        log.warn('run ended without reporting to its issue', { issue: key, runId, status: status.status });
      }
      return { looked: working.length, ended: ended.slice(0, NAMED), unsignaled: unsignaled.slice(0, NAMED) };
    },

    /** Issues that are open in the read model and have no workflow, older than `ageSeconds`: a person has to look at them. */
    async findAbandonedIssues({ ageSeconds }: { ageSeconds: number }): Promise<string[]> {
      const open = await workflows.openIssues();
      const abandoned: string[] = [];
      for (const { key, shownAt } of await openIssues(db, ISSUES)) {
        if (open.has(key) || Date.parse(shownAt) > Date.now() - ageSeconds * 1000) continue;
        if ((await workflows.statusOf(key)).status !== 'open') abandoned.push(key);
      }
      if (abandoned.length > 0)
        log.warn('open issues without a workflow', {
          count: abandoned.length,
          issues: abandoned.slice(0, NAMED),
        });
      return abandoned.slice(0, NAMED);
    },

    /** Workspaces of this platform without an owner. Nothing is removed yet. */
    async findOrphans({ ageSeconds, limit }: { ageSeconds: number; limit: number }): Promise<ListedWorkspace[]> {
      const orphans: ListedWorkspace[] = [];
      for (const workspace of await runtime.listWorkspaces()) {
        if (orphans.length >= limit) break;
        if (await isNobodys(workspace, ageSeconds)) orphans.push(workspace);
      }
      return orphans;
    },

    /** Removes orphaned workspaces, if they are still orphaned. */
    async removeOrphans({
      orphans,
      ageSeconds,
    }: {
      orphans: readonly ListedWorkspace[];
      ageSeconds: number;
    }): Promise<OrphansReport> {
      const present = new Map((await runtime.listWorkspaces()).map((workspace) => [workspace.name, workspace]));
      const fates = await pLimit(REMOVED_AT_ONCE).map(orphans, (orphan) =>
        remove(orphan, present.get(orphan.name), ageSeconds),
      );
      return {
        removed: fates.flatMap(({ name, reason }) => (reason === null ? [name] : [])),
        kept: fates.flatMap(({ name, reason }) => (reason === null ? [] : [{ name, reason }])),
      };
    },
  };

  /** Removes a workspace that is still orphaned: it was found a while ago. */
  async function remove(
    { name, owner }: ListedWorkspace,
    present: ListedWorkspace | undefined,
    ageSeconds: number,
  ): Promise<Fate> {
    if (present?.owner !== owner || !(await isNobodys(present, ageSeconds)))
      return { name, reason: present ? 'it is wanted again' : 'it is gone' };
    try {
      const { held } = await classified(() => runtime.removeWorkspace({ name, owner }));
      if (held !== undefined) {
        log.warn('orphaned workspace is still being deleted', { workspace: name, held });
        return { name, reason: held };
      }
      await releaseNamespace(db, owner);
      log.warn('orphaned workspace removed', { workspace: name, owner });
      return { name, reason: null };
    } catch (error) {
      log.warn('orphaned workspace could not be removed', { workspace: name, error: String(error) });
      return { name, reason: reasonOf(error) };
    }
  }

  async function isNobodys(workspace: ListedWorkspace, ageSeconds: number): Promise<boolean> {
    const when = { now: Date.now(), ageMs: ageSeconds * 1000 };
    if (!isOrphan(workspace, [], when)) return false;
    const wanting = [workspace.owner, ...workspace.runs.map((run) => `run:${run}`)];
    return isOrphan(workspace, await Promise.all(wanting.map((id) => workflows.statusOf(id))), when);
  }

  async function endOf(runId: string, status: WorkflowStatus): Promise<Fact> {
    const outcome = status.status === 'closed' ? await workflows.outcomeOf(runId) : undefined;
    if (outcome) return { kind: 'run_finished', runId, outcome };
    const detail =
      status.status === 'closed'
        ? "the run's workflow was ended from outside"
        : "Temporal does not know the run's workflow any more";
    return { kind: 'run_lost', runId, outcome: { status: 'failed', failure: 'platform_error', detail } };
  }
}

/** An error of GitHub concerns one repository; a rate limit or a database error concerns all. */
function isOfOneRepository(failure: unknown): boolean {
  return (
    failure instanceof ApplicationFailure &&
    failure.type !== 'GitHubRateLimited' &&
    String(failure.type).startsWith('GitHub')
  );
}

/** Whether GitHub itself failed, not the request for this repository. */
function isPassing(failure: unknown): boolean {
  return failure instanceof ApplicationFailure && failure.type === 'GitHubFailed';
}

function reasonOf(failure: unknown): string {
  if (failure instanceof ApplicationFailure) return `${failure.type}: ${failure.message}`.slice(0, 300);
  return (failure instanceof Error ? failure.message : String(failure)).slice(0, 300);
}

/** GitHub's answers for a repository that does not exist, or that the platform has no access to. */
function isGone(error: unknown): boolean {
  return [404, 410, 451].includes((error as { status?: number }).status ?? 0);
}
