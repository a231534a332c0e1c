/** Assignments of agents, their attempts and reports. */
import { and, desc, eq, inArray, isNotNull, isNull, sql } from 'drizzle-orm';
import type { AgentReport } from '../../domain/run/runs.ts';
import { stageRow } from '../../domain/stages/stages.ts';
import { announce } from '../connection/changes.ts';
import type { Database } from '../connection/database.ts';
import { agentAssignments, agentAttempts, runs } from '../connection/schema.ts';

export type AssignmentRow = typeof agentAssignments.$inferSelect;

/** Stores a run's assignment. Idempotent: the first one counts. */
export async function storeAssignment(
  db: Database,
  row: Pick<
    AssignmentRow,
    | 'runId'
    | 'repositoryId'
    | 'repositoryFullName'
    | 'branch'
    | 'baseBranch'
    | 'kind'
    | 'prompt'
    | 'promptSha256'
    | 'model'
    | 'reasoningEffort'
    | 'resumeThreadId'
    | 'resumeRunId'
  > &
    Partial<
      Pick<
        AssignmentRow,
        | 'issueKey'
        | 'project'
        | 'stage'
        | 'cli'
        | 'command'
        | 'snapshot'
        | 'snapshotSha256'
        | 'sinceSha'
        | 'startSha'
        | 'learning'
        | 'taskSource'
        | 'taskVersion'
        | 'taskSha256'
      >
    >,
): Promise<void> {
  await db.insert(agentAssignments).values(row).onConflictDoNothing();
}

/** The assignment of a run, or undefined. */
export async function findAssignment(db: Database, runId: string): Promise<AssignmentRow | undefined> {
  const [row] = await db.select().from(agentAssignments).where(eq(agentAssignments.runId, runId));
  return row;
}

/** What the agent of a run was told. `task`: where its task was from; null for a run of a version before 0.5.0. */
export interface RunPrompt {
  readonly runId: string;
  readonly prompt: string;
  readonly sha256: string;
  readonly task: { readonly source: string; readonly version: string; readonly sha256: string } | null;
}

/** The prompt of a run, or undefined. */
export async function findRunPrompt(db: Database, runId: string): Promise<RunPrompt | undefined> {
  const row = await findAssignment(db, runId);
  if (!row) return undefined;
  const { taskSource: source, taskVersion: version, taskSha256: sha256 } = row;
  const task = source === null || version === null || sha256 === null ? null : { source, version, sha256 };
  return { runId, prompt: row.prompt, sha256: row.promptSha256, task };
}

const LEAVES_WORK = inArray(runs.kind, ['work', 'revise']);

/**
 * The head of the branch before the last run on it, if that run had a scope and did not succeed; undefined otherwise. What it has
 * pushed was not held against its scope, so the next run's check begins there too.
 */
export async function startBeforeFailure(
  db: Database,
  key: string,
  branch: string,
): Promise<{ readonly startSha: string | null } | undefined> {
  const [last] = await db
    .select({ status: runs.status, stage: runs.stage, startSha: agentAssignments.startSha })
    .from(runs)
    .innerJoin(agentAssignments, eq(agentAssignments.runId, runs.id))
    .where(and(eq(runs.issueKey, key), eq(runs.branch, branch), isNotNull(runs.finishedAt), LEAVES_WORK))
    .orderBy(desc(runs.createdAt))
    .limit(1);
  if (!last || last.status === 'succeeded' || stageRow(last.stage).scope === 'code') return undefined;
  return { startSha: last.startSha };
}

/**
 * Makes the token of this attempt the only valid one; never goes back to an earlier attempt. `message`: the platform's message
 * to the attempt's agent; the first one counts.
 */
export async function beginAttempt(db: Database, runId: string, attempt: number, message?: string): Promise<void> {
  await db.transaction(async (tx) => {
    await tx
      .update(agentAssignments)
      .set({ attempt: sql`greatest(${agentAssignments.attempt}, ${attempt})` })
      .where(eq(agentAssignments.runId, runId));
    await tx
      .insert(agentAttempts)
      .values({ runId, attempt, message: message ?? null })
      .onConflictDoNothing();
  });
}

/** An attempt of a run, or undefined. */
export async function findAttempt(
  db: Database,
  runId: string,
  attempt: number,
): Promise<typeof agentAttempts.$inferSelect | undefined> {
  const [row] = await db
    .select()
    .from(agentAttempts)
    .where(and(eq(agentAttempts.runId, runId), eq(agentAttempts.attempt, attempt)));
  return row;
}

/** Revokes the tokens of a run's attempts up to this one; the next attempt has its own. Idempotent. */
export async function revokeAttempt(db: Database, runId: string, attempt: number): Promise<void> {
  await db
    .update(agentAssignments)
    .set({ revokedAttempt: sql`greatest(${agentAssignments.revokedAttempt}, ${attempt})` })
    .where(eq(agentAssignments.runId, runId));
}

/** Closes a run's assignment: its tokens are invalid from now on, also those of attempts to come. */
export async function closeAssignment(db: Database, runId: string): Promise<void> {
  await db
    .update(agentAssignments)
    .set({ closedAt: sql`now()` })
    .where(and(eq(agentAssignments.runId, runId), isNull(agentAssignments.closedAt)));
}

/** Stores the report of an attempt's agent; the first one counts. */
export async function storeReport(db: Database, runId: string, attempt: number, report: AgentReport): Promise<void> {
  await db.transaction(async (tx) => {
    await tx
      .insert(agentAttempts)
      .values({ runId, attempt, report, reportedAt: sql`now()` })
      .onConflictDoUpdate({
        target: [agentAttempts.runId, agentAttempts.attempt],
        set: { report, reportedAt: sql`now()` },
        setWhere: isNull(agentAttempts.report),
      });
    await announce(tx, { kind: 'run', key: runId });
  });
}

/** The report of the last attempt that has one, or undefined. */
export async function findLastReport(db: Database, runId: string): Promise<AgentReport | undefined> {
  const [row] = await db
    .select({ report: agentAttempts.report })
    .from(agentAttempts)
    .where(and(eq(agentAttempts.runId, runId), isNotNull(agentAttempts.report)))
    .orderBy(desc(agentAttempts.attempt))
    .limit(1);
  return row?.report ?? undefined;
}
