/**
 * Runs that were asked for while no worker takes tasks: their facts are in the inbox, and nobody has decided on them yet, so they
 * have no row (docs/reliability.md T37).
 */
import { and, desc, eq, gte, inArray, notExists, sql } from 'drizzle-orm';
import type { Fact } from '../../domain/issue/facts.ts';
import { branchName } from '../../domain/issue/names.ts';
import type { Database } from '../../store/connection/database.ts';
import { flowEvents, inboxes, issueFacts, repositories, runs } from '../../store/connection/schema.ts';
import { ofRepository, repositoryName } from './repositories.ts';
import type { RunFilter, RunRecord } from './runs.ts';

/** Milliseconds before a worker is known to be absent, in which it may have been absent already. */
const UNNOTICED_MS = 10 * 60_000;
/** The most that are listed. */
const MOST = 100;

type Asking = Extract<Fact, { kind: 'trigger_label_added' | 'changes_requested' }>;
const ASKING: readonly Asking['kind'][] = ['trigger_label_added', 'changes_requested'];

/** They, newest first, as queued runs. `absentSince`: since when no worker takes tasks; undefined while one does. */
export async function listRequestedRuns(
  db: Database,
  absentSince: Date | undefined,
  filter: RunFilter = {},
): Promise<RunRecord[]> {
  if (!absentSince || (filter.status !== undefined && filter.status !== 'queued')) return [];
  const kind = sql<string>`${issueFacts.fact} ->> 'kind'`;
  const runId = sql`(${issueFacts.fact} ->> 'runId')::uuid`;
  // What was decided on has an event beside that of its delivery.
  const decided = and(
    eq(flowEvents.chain, issueFacts.issueKey),
    eq(flowEvents.correlationId, issueFacts.deliveryId),
    sql`${flowEvents.type} ~ '^(run|trigger|review)[.]'`,
  );
  const rows = await db
    .select({
      issueKey: issueFacts.issueKey,
      fact: issueFacts.fact,
      createdAt: issueFacts.createdAt,
      issue: inboxes.issue,
      repository: repositoryName,
    })
    .from(issueFacts)
    .innerJoin(inboxes, eq(inboxes.issueKey, issueFacts.issueKey))
    .leftJoin(repositories, eq(repositories.id, sql`(${inboxes.issue} ->> 'repositoryId')::bigint`))
    .where(
      and(
        gte(issueFacts.createdAt, new Date(absentSince.getTime() - UNNOTICED_MS)),
        inArray(kind, ASKING),
        filter.issueKey === undefined ? undefined : eq(issueFacts.issueKey, filter.issueKey),
        filter.repository && ofRepository(filter.repository),
        filter.idPrefix === undefined ? undefined : sql`${issueFacts.fact} ->> 'runId' like ${`${filter.idPrefix}%`}`,
        notExists(db.select({ id: runs.id }).from(runs).where(eq(runs.id, runId))),
        notExists(db.select({ id: flowEvents.id }).from(flowEvents).where(decided)),
      ),
    )
    .orderBy(desc(issueFacts.createdAt), desc(issueFacts.seq))
    .limit(MOST);
  return rows.map(({ fact, ...row }) => asRun(fact as Asking, row));
}

interface Around {
  readonly issueKey: string;
  readonly createdAt: Date;
  readonly issue: {
    readonly repositoryId: number;
    readonly number: number;
    readonly title: string;
    readonly url: string;
  };
  readonly repository: string | null;
}

function asRun(fact: Asking, { issueKey, createdAt, issue, repository }: Around): RunRecord {
  // The stage of a review is decided on later; most are those of `dev`.
  const target = fact.kind === 'trigger_label_added' ? fact.target : ({ stage: 'dev', kind: 'revise' } as const);
  return {
    id: fact.runId,
    issueKey,
    repositoryId: issue.repositoryId,
    issueNumber: issue.number,
    ...target,
    trigger: fact.kind === 'trigger_label_added' ? `label:${fact.event ?? 0}` : `review:${fact.review}`,
    triggeredBy: fact.by.login,
    correlationId: fact.delivery,
    status: 'queued',
    failure: null,
    detail: null,
    branch: branchName(issue.number, 1),
    workspace: null,
    pullRequest: fact.kind === 'changes_requested' ? fact.pullRequest : null,
    pullRequestUrl: fact.kind === 'changes_requested' ? fact.pullRequestUrl : null,
    statusCommentUrl: null,
    cli: null,
    model: null,
    reasoningEffort: null,
    threadId: null,
    wait: null,
    revision: 0,
    createdAt,
    startedAt: null,
    finishedAt: null,
    repository,
    issueTitle: issue.title,
    issueUrl: issue.url,
    request: null,
    cost: 0,
    tokens: 0,
    taskSource: null,
    taskVersion: null,
  };
}
