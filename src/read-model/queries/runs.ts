/** Runs, as pages and the API show them. */
import { and, asc, desc, eq, getTableColumns, gte, isNull, lte, ne, or, sql, type SQL } from 'drizzle-orm';
import type { PromptSource } from '../../domain/agent/prompt-overrides.ts';
import type { RunStatus } from '../../domain/run/runs.ts';
import type { Database } from '../../store/connection/database.ts';
import type { Request } from '../../domain/run/requests.ts';
import { agentAssignments, issues, repositories, requests, runs } from '../../store/connection/schema.ts';
import { after, bounded, byteOrder, cutPage, type Page, type PageRequest } from './page.ts';
import { ofRepository, repositoryName, type RepositoryName } from './repositories.ts';

/** A run with the names around it; they are null when nothing is known of the issue or the repository. */
export type RunRecord = typeof runs.$inferSelect & {
  /** `owner/name`. */
  readonly repository: string | null;
  readonly issueTitle: string | null;
  readonly issueUrl: string | null;
  /** What it asks people, while it waits for their answer. */
  readonly request: Request | null;
  /** What its calls of the model have cost, in micro-dollars, and the tokens that they read and wrote. */
  readonly cost: number;
  readonly tokens: number;
  /** Where the task of its prompt is from, and the version there; null before it is prepared. */
  readonly taskSource: PromptSource | null;
  readonly taskVersion: string | null;
};

export interface RunFilter {
  readonly status?: RunStatus | undefined;
  readonly issueKey?: string | undefined;
  readonly repository?: RepositoryName | undefined;
  /** The beginning of a run's id: hexadecimal digits and hyphens, as a UUID has them. */
  readonly idPrefix?: string | undefined;
}

/** Runs, newest first. */
export async function listRuns(db: Database, filter: RunFilter, request: PageRequest): Promise<Page<RunRecord>> {
  const limit = bounded(request.limit);
  const rows = await selectRuns(db)
    .where(
      and(
        filter.status && eq(runs.status, filter.status),
        filter.issueKey === undefined ? undefined : eq(runs.issueKey, filter.issueKey),
        filter.repository && ofRepository(filter.repository),
        filter.idPrefix === undefined ? undefined : startsWith(filter.idPrefix),
        after(request.cursor, runs.createdAt, runs.id),
      ),
    )
    .orderBy(desc(runs.createdAt), desc(byteOrder(runs.id)))
    .limit(limit + 1);
  return cutPage(rows, limit, (run) => ({ at: run.createdAt, id: run.id }));
}

/** One run, or undefined. */
export async function findRunRecord(db: Database, id: string): Promise<RunRecord | undefined> {
  const [row] = await selectRuns(db).where(eq(runs.id, id));
  return row;
}

/**
 * The place of a run that waits among those of its issue, counted from 1; undefined for one that does not wait, and for the
 * issue's active run, which may wait for its turn in the project.
 */
export async function queuePosition(
  db: Database,
  run: Pick<RunRecord, 'id' | 'issueKey'>,
): Promise<number | undefined> {
  const waiting = await db
    .select({ id: runs.id })
    .from(runs)
    .leftJoin(issues, eq(issues.key, runs.issueKey))
    .where(
      and(
        eq(runs.issueKey, run.issueKey),
        eq(runs.status, 'queued'),
        or(isNull(issues.activeRunId), ne(issues.activeRunId, runs.id)),
      ),
    )
    .orderBy(asc(runs.createdAt), asc(runs.id))
    .limit(1000);
  const index = waiting.findIndex(({ id }) => id === run.id);
  return index === -1 ? undefined : index + 1;
}

function selectRuns(db: Database) {
  return db
    .select({
      ...getTableColumns(runs),
      repository: repositoryName,
      issueTitle: issues.title,
      issueUrl: issues.url,
      request: requests.request,
      cost: sql<number>`(select coalesce(sum(cost), 0)::float8 from model_calls where run_id = ${runs.id})`,
      tokens: sql<number>`(select coalesce(sum(input + cached + cache_write + output), 0)::float8 from model_calls where run_id = ${runs.id})`,
      taskSource: agentAssignments.taskSource,
      taskVersion: agentAssignments.taskVersion,
    })
    .from(runs)
    .leftJoin(repositories, eq(repositories.id, runs.repositoryId))
    .leftJoin(issues, eq(issues.key, runs.issueKey))
    .leftJoin(agentAssignments, eq(agentAssignments.runId, runs.id))
    .leftJoin(requests, eq(requests.id, sql`${runs.wait} ->> 'request'`));
}

/** A range over the primary key: all ids between the prefix filled up with 0 and with f. */
function startsWith(prefix: string): SQL | undefined {
  const shape = '00000000-0000-0000-0000-000000000000';
  const least = prefix + shape.slice(prefix.length);
  const most = prefix + shape.replaceAll('0', 'f').slice(prefix.length);
  return and(gte(runs.id, least), lte(runs.id, most));
}
