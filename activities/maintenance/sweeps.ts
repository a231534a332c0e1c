/**
 * What sweeps do: ask GitHub and Temporal for what nobody told of, and tell it. Every one of them may run twice at once,
 * and may be given up in the middle: what it does is found again by a deterministic id, or changes nothing.
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
import { releaseNamespace } from '../../src/store/workspaces/slots.ts';
import { classified, toFailure } from '../failures.ts';
import { createReconciler, type Found, type GitHubHistory, type RepositoryName } from './reconcile.ts';

/** GitHub's own record of what it sent, and of what happened. */
export interface GitHubRecords extends GitHubHistory {
  listFailedDeliveries(
    hook: RepositoryName & { hookId: number },
    since: string,
  ): Promise<{ attempts: DeliveryAttempt[]; complete: boolean }>;
  /** Whether nothing in a repository can be changed; fails for one that is not shown. */
  readRepository(repository: RepositoryName & { repositoryId: number }): Promise<{ readonly archived: boolean }>;
  redeliver(hook: RepositoryName & { hookId: number }, delivery: number): Promise<void>;
}

/** What Temporal knows of workflows. */
export interface WorkflowRecords {
  statusOf(workflowId: string): Promise<WorkflowStatus>;
  /** How a run ended whose workflow came to its end by itself. */
  outcomeOf(runId: string): Promise<RunOutcome | undefined>;
  /** The keys of all issues whose workflows live; new ones may be missing for a moment. */
  openIssues(): Promise<Set<string>>;
  /** False when there is nobody to tell. */
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
  /** The login under which agents commit. */
  readonly agentLogin?: string;
  /** Whether the server would keep a delivery now. */
  readonly serverAnswers: () => Promise<boolean>;
}

/** A repository that was left out, and why; the next sweep tries again. */
export interface LeftOut {
  readonly repository: number;
  readonly reason: string;
}

export interface RedeliveryReport {
  /** Deliveries that GitHub was asked to send again. */
  readonly resent: number;
  readonly waiting: number;
  readonly givenUp: number;
  /** Deliveries of the last three days that failed at first and were kept since. */
  readonly recovered: number;
  /** Repositories with more failures than are read at once. */
  readonly cutShort: number;
  readonly leftOut: readonly LeftOut[];
}

export interface ReconcileReport {
  /** Synthetic deliveries that were made; the first of them are named. */
  readonly made: number;
  readonly found: readonly Found[];
  /** Repositories with more changes than are looked at in one sweep, and since when something is left. */
  readonly unfinished: readonly { readonly repository: number; readonly since: string }[];
  readonly leftOut: readonly LeftOut[];
}

export interface RunsReport {
  readonly looked: number;
  /** Runs whose issue was told of their end. */
  readonly ended: readonly string[];
  /** Issues that could not be told: they have no workflow. */
  readonly unsignaled: readonly string[];
}

export interface OrphansReport {
  readonly removed: readonly string[];
  readonly kept: readonly { readonly name: string; readonly reason: string }[];
}

/** What became of a workspace that was nobody's; the reason why it is kept, or null for one that is gone. */
interface Fate {
  readonly name: string;
  readonly reason: string | null;
}

/** Workspaces that are removed at the same time: each may be waited for, and the cluster has others to serve. */
const REMOVED_AT_ONCE = 5;

/** GitHub is asked for so many deliveries of one repository, and of all in one call of the activity. */
const RESENT_OF_REPOSITORY = 50;

/** GitHub does not answer for so many repositories in a row: then it does for none. */
const IN_A_ROW = 5;

/** Rows that are read at once, when all issues are gone through. */
const ISSUES = 20_000;
/** Names in a report; the number of the others is in the log. */
const NAMED = 50;

export function createSweepActivities(ports: SweepPorts) {
  const { db, github, runtime, workflows, serverAnswers } = ports;
  const reconcile = createReconciler(ports);

  /** Goes through repositories one by one: what is wrong with one holds up no other, but a rate limit holds up all. */
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
        log.warn('a repository was left out of a sweep', { repository: fullName(repository), error: String(failure) });
        leftOut.push({ repository: repository.id, reason: reasonOf(failure) });
      }
    }
    return leftOut;
  }

  /**
   * GitHub does not show the repository any more, since it was deleted or the platform was taken out of it (docs/reliability.md T21),
   * or nothing in it can be changed. Each issue asks for itself and finds the same, so that a repository that is back meanwhile
   * loses nothing.
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

    /** Has GitHub send again what failed in the last three days and was not kept; at most `limit` deliveries. */
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
        // Each further attempt counts, so none is wasted on a server that is away.
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
          log.info('GitHub was asked to send failed deliveries again', {
            repository: fullName(repository),
            resent: resend.length,
            waiting: plan.waiting,
          });
      });
      return { ...report, leftOut };
    },

    /** Makes a delivery of everything that GitHub shows since a moment and nobody told of. */
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
        log.warn('nobody told of it, so it was found by asking', { issue, what, delivery });
      return { made: found.length, found: found.slice(0, NAMED), unfinished, leftOut };
    },

    /** Tells issues of runs whose workflows ended and could not say so. */
    async endLostRuns({ graceSeconds }: { graceSeconds: number }): Promise<RunsReport> {
      const when = { now: Date.now(), graceMs: graceSeconds * 1000 };
      const ended: string[] = [];
      const unsignaled: string[] = [];
      const working = await workingIssues(db, ISSUES);
      for (const { key, runId, shownAt, issue } of working) {
        const status = await workflows.statusOf(`run:${runId}`);
        if (!isLostRun(status, shownAt, when)) continue;
        // Its end may have been shown meanwhile.
        const [again] = await workingIssues(db, 1, key);
        if (again?.runId !== runId) continue;
        const fact = await endOf(runId, status);
        if (await workflows.signal(issue, [{ seq: null, fact }])) ended.push(runId);
        else unsignaled.push(key);
        log.warn('a run ended without a word to its issue', { issue: key, runId, status: status.status });
      }
      return { looked: working.length, ended: ended.slice(0, NAMED), unsignaled: unsignaled.slice(0, NAMED) };
    },

    /** Issues that are shown as open and have no workflow, older than `ageSeconds`: for a person to look at. */
    async findAbandonedIssues({ ageSeconds }: { ageSeconds: number }): Promise<string[]> {
      const open = await workflows.openIssues();
      const abandoned: string[] = [];
      for (const { key, shownAt } of await openIssues(db, ISSUES)) {
        if (open.has(key) || Date.parse(shownAt) > Date.now() - ageSeconds * 1000) continue;
        if ((await workflows.statusOf(key)).status !== 'open') abandoned.push(key);
      }
      if (abandoned.length > 0)
        log.warn('issues are shown as open and have no workflow', {
          count: abandoned.length,
          issues: abandoned.slice(0, NAMED),
        });
      return abandoned.slice(0, NAMED);
    },

    /** Workspaces of ours that nobody can want any more. Nothing is removed yet. */
    async findOrphans({ ageSeconds, limit }: { ageSeconds: number; limit: number }): Promise<ListedWorkspace[]> {
      const orphans: ListedWorkspace[] = [];
      for (const workspace of await runtime.listWorkspaces()) {
        if (orphans.length >= limit) break;
        if (await isNobodys(workspace, ageSeconds)) orphans.push(workspace);
      }
      return orphans;
    },

    /** Removes what was found to be nobody's, if it still is. */
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

  /** Removes what is still nobody's: it was found to be so a while ago. */
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
        log.warn('a workspace that was nobody’s is held', { workspace: name, held });
        return { name, reason: held };
      }
      await releaseNamespace(db, owner);
      log.warn('a workspace that was nobody’s was removed', { workspace: name, owner });
      return { name, reason: null };
    } catch (error) {
      log.warn('a workspace that is nobody’s could not be removed', { workspace: name, error: String(error) });
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

/** What GitHub says of a repository is that one's; a rate limit and a database that does not answer are everybody's. */
function isOfOneRepository(failure: unknown): boolean {
  return (
    failure instanceof ApplicationFailure &&
    failure.type !== 'GitHubRateLimited' &&
    String(failure.type).startsWith('GitHub')
  );
}

/** Whether GitHub failed, and not the repository. */
function isPassing(failure: unknown): boolean {
  return failure instanceof ApplicationFailure && failure.type === 'GitHubFailed';
}

function reasonOf(failure: unknown): string {
  if (failure instanceof ApplicationFailure) return `${failure.type}: ${failure.message}`.slice(0, 300);
  return (failure instanceof Error ? failure.message : String(failure)).slice(0, 300);
}

/** What GitHub answers for a repository that is not there, or not for this platform. */
function isGone(error: unknown): boolean {
  return [404, 410, 451].includes((error as { status?: number }).status ?? 0);
}
