/** Queries of the sweeps: received deliveries, active issues and bound repositories, to compare with GitHub and Temporal. */
import { and, asc, desc, eq, inArray, isNotNull, like, ne } from 'drizzle-orm';
import { receivedOf, type IssueRecords } from '../../domain/maintenance/reconcile.ts';
import type { Database } from '../connection/database.ts';
import { deliveries, issues, repositories, runs } from '../connection/schema.ts';

export interface SweptRepository {
  readonly id: number;
  readonly owner: string;
  readonly name: string;
  readonly hookId: number | null;
  /** ISO 8601. */
  readonly boundAt: string;
}

/** The ids of all bound repositories. */
export async function listBoundRepositories(db: Database): Promise<number[]> {
  const rows = await db.select({ id: repositories.id }).from(repositories).orderBy(asc(repositories.id));
  return rows.map(({ id }) => id);
}

/** The repositories among these that are still bound. */
export async function readSweptRepositories(db: Database, ids: readonly number[]): Promise<SweptRepository[]> {
  const rows = await db
    .select()
    .from(repositories)
    .where(inArray(repositories.id, [...ids]))
    .orderBy(asc(repositories.id));
  return rows.map(({ id, owner, name, hookId, createdAt }) => ({
    id,
    owner,
    name,
    hookId,
    boundAt: createdAt.toISOString(),
  }));
}

/** The deliveries among these that are stored. */
export async function keptDeliveries(db: Database, ids: readonly string[]): Promise<Set<string>> {
  if (ids.length === 0) return new Set();
  const rows = await db
    .select({ id: deliveries.id })
    .from(deliveries)
    .where(inArray(deliveries.id, [...ids]));
  return new Set(rows.map(({ id }) => id));
}

/** Issues of a repository with an open workflow, by the number of their pull request. */
export async function issuesWithPullRequests(db: Database, repositoryId: number): Promise<Map<number, number>> {
  const rows = await db
    .select({ number: issues.number, pullRequest: issues.pullRequest })
    .from(issues)
    .where(and(eq(issues.repositoryId, repositoryId), ne(issues.state, 'closed'), isNotNull(issues.pullRequest)));
  return new Map(rows.map(({ number, pullRequest }) => [pullRequest ?? 0, number]));
}

/** The issues among these that have an open workflow, as far as it has recorded itself. */
export async function livingIssues(db: Database, repositoryId: number): Promise<Set<number>> {
  const rows = await db
    .select({ number: issues.number })
    .from(issues)
    .where(and(eq(issues.repositoryId, repositoryId), ne(issues.state, 'closed')));
  return new Set(rows.map(({ number }) => number));
}

/** The most deliveries that are read for an issue; older ones do not matter. */
const RECEIVED = 300;

/** All records of an issue, by its key. */
export async function readIssueRecords(db: Database, key: string): Promise<IssueRecords> {
  const [shown] = await db.select().from(issues).where(eq(issues.key, key));
  const known = await db.select().from(runs).where(eq(runs.issueKey, key));
  const received = await db
    .select({
      event: deliveries.event,
      action: deliveries.action,
      status: deliveries.status,
      body: deliveries.body,
    })
    .from(deliveries)
    .where(
      and(
        eq(deliveries.issueKey, key),
        inArray(deliveries.action, ['labeled', 'unlabeled', 'closed', 'reopened', 'submitted']),
      ),
    )
    .orderBy(desc(deliveries.receivedAt))
    .limit(RECEIVED);
  const reconciled = await db
    .select({ id: deliveries.id })
    .from(deliveries)
    .where(and(eq(deliveries.issueKey, key), like(deliveries.id, 'reconcile-%')));
  return {
    shown: shown ? { state: shown.state, activeRunId: shown.activeRunId, pullRequest: shown.pullRequest } : null,
    runs: known.map(({ startedAt, ...run }) => ({ ...run, startedAt: startedAt?.toISOString() ?? null })),
    received: received.flatMap(({ body, ...delivery }) => receivedOf(delivery, parsed(body)) ?? []),
    deliveries: new Set(reconciled.map(({ id }) => id)),
  };
}

function parsed(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8')) ?? {};
  } catch {
    return {};
  }
}

export interface WorkingIssue {
  readonly key: string;
  readonly runId: string;
  /** When its workflow last recorded it, ISO 8601. */
  readonly shownAt: string;
  readonly issue: {
    readonly repositoryId: number;
    readonly owner: string;
    readonly name: string;
    readonly number: number;
    readonly title: string;
    readonly url: string;
  };
}

/** Active issues, the longest unchanged first. `key`: only this one. */
export async function workingIssues(db: Database, limit: number, key?: string): Promise<WorkingIssue[]> {
  const rows = await db
    .select({ issue: issues, owner: repositories.owner, name: repositories.name })
    .from(issues)
    .innerJoin(repositories, eq(repositories.id, issues.repositoryId))
    .where(and(isNotNull(issues.activeRunId), key === undefined ? undefined : eq(issues.key, key)))
    .orderBy(asc(issues.updatedAt))
    .limit(limit);
  return rows.map(({ issue, owner, name }) => ({
    key: issue.key,
    runId: issue.activeRunId ?? '',
    shownAt: issue.updatedAt.toISOString(),
    issue: {
      repositoryId: issue.repositoryId,
      owner,
      name,
      number: issue.number,
      title: issue.title,
      url: issue.url,
    },
  }));
}

/** The open issues of a repository in the read model. */
export async function openIssuesIn(db: Database, repositoryId: number): Promise<WorkingIssue['issue'][]> {
  const rows = await db
    .select({ issue: issues, owner: repositories.owner, name: repositories.name })
    .from(issues)
    .innerJoin(repositories, eq(repositories.id, issues.repositoryId))
    .where(and(eq(issues.repositoryId, repositoryId), ne(issues.state, 'closed')));
  return rows.map(({ issue: { number, title, url }, owner, name }) => ({
    repositoryId,
    owner,
    name,
    number,
    title,
    url,
  }));
}

/** Issues that should have an open workflow, the longest unchanged first. */
export async function openIssues(db: Database, limit: number): Promise<{ key: string; shownAt: string }[]> {
  const rows = await db
    .select({ key: issues.key, updatedAt: issues.updatedAt })
    .from(issues)
    .where(ne(issues.state, 'closed'))
    .orderBy(asc(issues.updatedAt))
    .limit(limit);
  return rows.map(({ key, updatedAt }) => ({ key, shownAt: updatedAt.toISOString() }));
}
