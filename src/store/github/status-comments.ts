/**
 * Wanted status comments, and who may write them now. A comment has one writer at a time, who holds it until it has answered or
 * its hold expires, and is written at most once in two seconds. Time is the clock of Postgres.
 */
import { and, desc, eq, gte, inArray, isNotNull, sql, type SQL } from 'drizzle-orm';
import { WORKSPACE_EVENTS, type WorkspaceEvent } from '../../domain/messages/workspace-removal.ts';
import type { IssueRef } from '../../domain/issue/facts.ts';
import { LATEST_OUTPUT, type OutputLine } from '../../domain/messages/latest-output.ts';
import type { Database } from '../connection/database.ts';
import { flowEvents, repositories, runLogLines, runs, statusComments } from '../connection/schema.ts';

export type StatusComment = typeof statusComments.$inferSelect;

/** Milliseconds. */
export interface CommentPace {
  /** Between two writes of a comment. */
  readonly betweenWritesMs: number;
  /** Between two writes that change only the agent's output. */
  readonly betweenOutputsMs: number;
  /** Until the hold of a crashed writer expires; a live one renews it. */
  readonly holdMs: number;
  /** Until a waiting writer checks again. */
  readonly lookMs: number;
}

export const COMMENT_PACE: CommentPace = {
  betweenWritesMs: 2000,
  betweenOutputsMs: 20_000,
  holdMs: 10_000,
  lookMs: 250,
};

/** A body that a run's comment should have. */
export interface WantedComment {
  readonly runId: string;
  /** The issue or pull request that the comment is on. */
  readonly place: Pick<IssueRef, 'repositoryId' | 'number'>;
  readonly body: string;
  /** Counts the bodies of a run. */
  readonly revision: number;
  /** GitHub's id of the comment, if the workflow knows it. */
  readonly commentId: number | null;
}

/** Stores a body, unless a newer one is there. Returns the wanted comment. */
export async function wantComment(
  db: Database,
  { runId, place, body, revision, commentId }: WantedComment,
): Promise<StatusComment> {
  const newer = sql`${statusComments.revision} <= excluded.revision`;
  const [row] = await db
    .insert(statusComments)
    .values({ runId, repositoryId: place.repositoryId, number: place.number, body, commentId, revision })
    .onConflictDoUpdate({
      target: statusComments.runId,
      set: {
        body: sql`case when ${newer} then excluded.body else ${statusComments.body} end`,
        revision: sql`greatest(${statusComments.revision}, excluded.revision)`,
        commentId: sql`coalesce(${statusComments.commentId}, excluded.comment_id)`,
        updatedAt: sql`now()`,
      },
    })
    .returning();
  if (!row) throw new Error('status_comments: upsert returned no row');
  return row;
}

/** The wanted comment of a run, or undefined. */
export async function findComment(db: Database, runId: string): Promise<StatusComment | undefined> {
  const [row] = await db.select().from(statusComments).where(eq(statusComments.runId, runId));
  return row;
}

/** The issue or pull request of a comment, with the repository's present name; undefined if it is not bound any more. */
export async function findCommentSubject(
  db: Database,
  { repositoryId, number }: Pick<StatusComment, 'repositoryId' | 'number'>,
): Promise<IssueRef | undefined> {
  const [row] = await db
    .select({ owner: repositories.owner, name: repositories.name })
    .from(repositories)
    .where(eq(repositories.id, repositoryId));
  return row && { repositoryId, number, ...row };
}

/**
 * Takes the comment for a writer, or returns in how many milliseconds to ask again. `outputOnly`: a write of the agent's
 * output, which may wait longer unless a newer body is waiting too.
 */
export async function holdComment(
  db: Database,
  runId: string,
  pace: CommentPace,
  { outputOnly = false }: { outputOnly?: boolean } = {},
): Promise<{ readonly held: StatusComment } | { readonly waitMs: number }> {
  const { betweenWritesMs, betweenOutputsMs, holdMs, lookMs } = pace;
  const betweenMs = outputOnly
    ? sql`(case when written_revision = revision then ${betweenOutputsMs}::int else ${betweenWritesMs}::int end)`
    : sql`${betweenWritesMs}::int`;
  const free = sql`greatest(claimed_until, written_at + ${betweenMs} * interval '1 millisecond')`;
  const [held] = await db
    .update(statusComments)
    .set({ claims: sql`${statusComments.claims} + 1`, claimedUntil: holdEnds(holdMs) })
    .where(and(eq(statusComments.runId, runId), sql`coalesce(${free}, '-infinity') <= clock_timestamp()`))
    .returning();
  if (held) return { held };
  const [row] = await db.execute<{ wait_ms: number | null; held: boolean }>(sql`
    select ceil(extract(epoch from ${free} - clock_timestamp()) * 1000)::float as wait_ms,
      coalesce(claimed_until > clock_timestamp(), false) as held
    from ${statusComments} where run_id = ${runId}`);
  return { waitMs: row?.held ? lookMs : Math.max(20, row?.wait_ms ?? 0) };
}

/** Renews the hold. */
export async function keepHold(db: Database, held: StatusComment, { holdMs }: CommentPace): Promise<void> {
  await db
    .update(statusComments)
    .set({ claimedUntil: holdEnds(holdMs) })
    .where(mine(held));
}

/** A successful write. */
export interface WrittenComment {
  readonly id: number;
  readonly url: string;
  /** The whole text, with the agent's output. */
  readonly text: string;
}

/** Releases the comment. Without `written` it is unknown what is on GitHub now. */
export async function releaseComment(db: Database, held: StatusComment, written?: WrittenComment): Promise<void> {
  await db
    .update(statusComments)
    .set({
      claimedUntil: null,
      writtenAt: sql`clock_timestamp()`,
      ...(written
        ? { written: written.text, writtenRevision: held.revision, commentId: written.id, url: written.url }
        : { written: null }),
    })
    .where(mine(held));
}

/** Releases the comment unchanged: there was nothing to write. */
export async function leaveComment(db: Database, held: StatusComment): Promise<void> {
  await db.update(statusComments).set({ claimedUntil: null }).where(mine(held));
}

/** Restores of one comment in a minute: whoever edits it more often is a program. */
const RESTORES = 5;

/** Counts a restore, or returns in how many milliseconds there may be another. */
export async function countRestore(db: Database, runId: string): Promise<number | undefined> {
  const lately = sql`array(
    select made from unnest(${statusComments.restored}) as made
    where made > clock_timestamp() - interval '1 minute' order by made)`;
  const counted = await db
    .update(statusComments)
    .set({ restored: sql`${lately} || clock_timestamp()` })
    .where(and(eq(statusComments.runId, runId), sql`cardinality(${lately}) < ${RESTORES}::int`))
    .returning({ runId: statusComments.runId });
  if (counted.length > 0) return undefined;
  const [row] = await db.execute<{ wait_ms: number | null }>(sql`
    select ceil(extract(epoch from min(made) + interval '1 minute' - clock_timestamp()) * 1000)::float as wait_ms
    from ${statusComments}, unnest(restored) as made
    where run_id = ${runId} and made > clock_timestamp() - interval '1 minute'`);
  return Math.max(1000, row?.wait_ms ?? 0);
}

/** Lines in which messages are looked for. */
const LINES_READ = 5000;

/** The last messages of a run's agent, oldest first. */
export async function readLatestOutput(db: Database, runId: string): Promise<OutputLine[]> {
  const recent = db
    .select({ n: runLogLines.n, at: runLogLines.at, kind: runLogLines.kind, text: runLogLines.text })
    .from(runLogLines)
    .where(eq(runLogLines.runId, runId))
    .orderBy(desc(runLogLines.n))
    .limit(LINES_READ)
    .as('recent');
  const messages = await db
    .select({ at: recent.at, text: recent.text })
    .from(recent)
    .where(and(eq(recent.kind, 'message'), sql`${recent.text} ~ '\\S'`))
    .orderBy(desc(recent.n))
    .limit(LATEST_OUTPUT);
  return messages.toReversed();
}

/**
 * What happened to a run's workspace after the run: the first event about its end, else the newest one about why it is kept;
 * undefined if there is none.
 */
export async function readWorkspaceEnd(db: Database, runId: string): Promise<WorkspaceEvent | undefined> {
  const [run] = await db
    .select({ issueKey: runs.issueKey, finishedAt: runs.finishedAt })
    .from(runs)
    .where(eq(runs.id, runId));
  if (!run?.finishedAt) return undefined;
  const isKept = sql`(${flowEvents.type} = 'run.namespace.cleanup_skipped')`;
  const [event] = await db
    .select({ type: flowEvents.type, at: flowEvents.occurredAt, payload: flowEvents.payload })
    .from(flowEvents)
    .where(
      and(
        eq(flowEvents.chain, run.issueKey),
        gte(flowEvents.occurredAt, run.finishedAt),
        inArray(flowEvents.type, [...WORKSPACE_EVENTS]),
      ),
    )
    .orderBy(isKept, sql`case when ${isKept} then -${flowEvents.seq} else ${flowEvents.seq} end`)
    .limit(1);
  return event as WorkspaceEvent | undefined;
}

/** The newest runs of an issue that had a workspace, the newest first. */
export async function runsInWorkspaces(db: Database, issueKey: string, limit: number): Promise<string[]> {
  const rows = await db
    .select({ id: runs.id })
    .from(runs)
    .where(and(eq(runs.issueKey, issueKey), isNotNull(runs.workspace), isNotNull(runs.finishedAt)))
    .orderBy(desc(runs.createdAt))
    .limit(limit);
  return rows.map(({ id }) => id);
}

function holdEnds(holdMs: number): SQL {
  return sql`clock_timestamp() + ${holdMs}::int * interval '1 millisecond'`;
}

/** True while no other writer has taken it. */
function mine({ runId, claims }: StatusComment): SQL | undefined {
  return and(eq(statusComments.runId, runId), eq(statusComments.claims, claims));
}
