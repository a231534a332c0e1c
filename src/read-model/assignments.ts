/** What agents are given, and what they bring back. */
import { and, desc, eq, isNotNull, isNull, sql } from 'drizzle-orm';
import type { AgentReport } from '../domain/runs.ts';
import { announce } from './changes.ts';
import type { Database } from './database.ts';
import { agentAssignments, agentConversations, runLogLines, runs } from './schema.ts';

/** A line of an agent's log; `n` counts from 0 within the run, `at` is ISO 8601. */
interface LogLine {
  readonly n: number;
  readonly at: string;
  readonly kind: string;
  readonly text: string;
}

export type AssignmentRow = typeof agentAssignments.$inferSelect;

/** Stores what a run's agent is to do. Safe to repeat: the first one stands. */
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
    Partial<Pick<AssignmentRow, 'snapshot' | 'snapshotSha256' | 'sinceSha' | 'startSha'>>,
): Promise<void> {
  await db.insert(agentAssignments).values(row).onConflictDoNothing();
}

/** The assignment of a run, or undefined. */
export async function findAssignment(db: Database, runId: string): Promise<AssignmentRow | undefined> {
  const [row] = await db.select().from(agentAssignments).where(eq(agentAssignments.runId, runId));
  return row;
}

/**
 * The head of a branch before the run on it that went out of its scope, when that was the last one; undefined otherwise. What
 * such a run has left there is not made good by coming back to it.
 */
export async function startBeforeViolation(
  db: Database,
  key: string,
  branch: string,
): Promise<{ readonly startSha: string | null } | undefined> {
  const [last] = await db
    .select({ failure: runs.failure, startSha: agentAssignments.startSha })
    .from(runs)
    .innerJoin(agentAssignments, eq(agentAssignments.runId, runs.id))
    .where(and(eq(runs.issueKey, key), eq(runs.branch, branch), isNotNull(runs.finishedAt)))
    .orderBy(desc(runs.createdAt))
    .limit(1);
  return last?.failure === 'scope_violation' ? { startSha: last.startSha } : undefined;
}

/** From now on only the token of this attempt opens anything. Never goes back. */
export async function beginAttempt(db: Database, runId: string, attempt: number): Promise<void> {
  await db
    .update(agentAssignments)
    .set({ attempt: sql`greatest(${agentAssignments.attempt}, ${attempt})` })
    .where(eq(agentAssignments.runId, runId));
}

/** Closes a run's assignment: its token opens nothing any more. */
export async function closeAssignment(db: Database, runId: string): Promise<void> {
  await db
    .update(agentAssignments)
    .set({ closedAt: sql`now()` })
    .where(and(eq(agentAssignments.runId, runId), isNull(agentAssignments.closedAt)));
}

/** Keeps the agent's report; the first one counts. */
export async function storeReport(db: Database, runId: string, report: AgentReport): Promise<void> {
  await db.transaction(async (tx) => {
    await tx
      .update(agentAssignments)
      .set({ report, reportedAt: sql`now()` })
      .where(and(eq(agentAssignments.runId, runId), isNull(agentAssignments.report)));
    await announce(tx, { kind: 'run', key: runId });
  });
}

/** The stored conversation of a run, or undefined. */
export async function findConversation(
  db: Database,
  runId: string,
): Promise<typeof agentConversations.$inferSelect | undefined> {
  const [row] = await db.select().from(agentConversations).where(eq(agentConversations.runId, runId));
  return row;
}

/** Keeps the newest state of a run's conversation. */
export async function storeConversation(db: Database, runId: string, threadId: string, rollout: Buffer): Promise<void> {
  await db
    .insert(agentConversations)
    .values({ runId, threadId, rollout })
    .onConflictDoUpdate({ target: agentConversations.runId, set: { threadId, rollout, updatedAt: sql`now()` } });
}

/** The number of the first line that is not taken: an agent that follows an interrupted one goes on counting there. */
export async function nextLogLine(db: Database, runId: string): Promise<number> {
  const [row] = await db
    .select({ next: sql<number>`coalesce(max(${runLogLines.n}) + 1, 0)::int` })
    .from(runLogLines)
    .where(eq(runLogLines.runId, runId));
  return row?.next ?? 0;
}

/** Keeps the end of a lost agent's output as the last lines of its run's log. Repeated, it adds nothing. */
export async function storeLastLog(
  db: Database,
  { runId, attempt }: { runId: string; attempt: number },
  output: string,
): Promise<void> {
  const title = `The end of what attempt ${attempt} wrote:`;
  const [there] = await db
    .select({ n: runLogLines.n })
    .from(runLogLines)
    .where(and(eq(runLogLines.runId, runId), eq(runLogLines.text, title)))
    .limit(1);
  if (there) return;
  const first = await nextLogLine(db, runId);
  const at = new Date().toISOString();
  const texts = [title, ...output.split('\n').filter(Boolean)].map((text) => text.slice(0, LINE_CHARACTERS));
  await storeLogLines(
    db,
    runId,
    texts.map((text, index) => ({ n: first + index, at, kind: 'error', text })),
  );
}

/** Characters of a line of a lost agent's output. */
const LINE_CHARACTERS = 4000;

/** Keeps log lines; a line that is there already stays as it is. NUL cannot be stored and is shown as a space. */
export async function storeLogLines(db: Database, runId: string, lines: readonly LogLine[]): Promise<void> {
  if (lines.length === 0) return;
  await db.transaction(async (tx) => {
    await tx
      .insert(runLogLines)
      .values(
        lines.map((line) => ({
          ...line,
          runId,
          at: new Date(line.at),
          text: line.text.toWellFormed().replaceAll('\0', ' '),
        })),
      )
      .onConflictDoNothing();
    await announce(tx, { kind: 'log', key: runId });
  });
}
