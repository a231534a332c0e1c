/** The run log: lines that a run's agent wrote. */
import { createHash } from 'node:crypto';
import { and, eq, inArray, sql } from 'drizzle-orm';
import { announce } from '../connection/changes.ts';
import type { Database, Transaction } from '../connection/database.ts';
import { runLogLines } from '../connection/schema.ts';

/** A line of an agent's log; `n` is the agent's own number for it, `at` is ISO 8601. */
interface LogLine {
  readonly n: number;
  readonly at: string;
  readonly kind: string;
  readonly text: string;
}

/** Limits of a run's log, so that no agent can fill the disk. */
export interface RunLogLimits {
  /** Lines: lines from this number on are dropped. */
  readonly lines: number;
  /** Bytes of text, in UTF-8. Batches are stored whole, so one under way may exceed it. */
  readonly bytes: number;
}

export const RUN_LOG_LIMITS: RunLogLimits = { lines: 20_000, bytes: 16 * 1024 * 1024 };

/** Characters of a line of a lost agent's output, and the number of its last lines that are stored. */
const LINE_CHARACTERS = 4000;
const LAST_LINES = 5000;

/** The most bytes of a line: three for each of its characters (UTF-16). */
const LINE_BYTES = 3 * LINE_CHARACTERS;

/** The number of the next line: an agent that follows an interrupted one continues there. */
export async function nextLogLine(db: Pick<Database, 'select'>, runId: string): Promise<number> {
  const [row] = await db
    .select({ next: sql<number>`coalesce(max(${runLogLines.n}) + 1, 0)::int` })
    .from(runLogLines)
    .where(eq(runLogLines.runId, runId));
  return row?.next ?? 0;
}

/**
 * Stores an agent's log lines with the next numbers of the run's log: what an agent says of a number neither moves nor hides
 * another line. A line that comes again, with the same number, time and text, is stored once. Beyond the limits nothing more is
 * stored, and a last line says so. NUL cannot be stored and becomes a space.
 */
export async function storeLogLines(
  db: Database,
  runId: string,
  lines: readonly LogLine[],
  limits: RunLogLimits = RUN_LOG_LIMITS,
): Promise<void> {
  const last = lines.at(-1);
  if (last === undefined) return;
  const bySource = new Map(lines.map((line) => [sourceOf(line), line]));
  await db.transaction(async (tx) => {
    // Batches of a run one after the other: each takes the next numbers.
    await tx.execute(sql`select pg_advisory_xact_lock(hashtextextended(${`run log ${runId}`}, 0))`);
    if (await isFull(tx, runId, limits)) return;
    const stored = await tx
      .select({ source: runLogLines.source })
      .from(runLogLines)
      .where(and(eq(runLogLines.runId, runId), inArray(runLogLines.source, [...bySource.keys()])));
    for (const { source } of stored) bySource.delete(source ?? '');
    const next = await nextLogLine(tx, runId);
    const numbered = [...bySource].map(([source, line], index) => ({ ...line, n: next + index, source }));
    const within = numbered.filter(({ n }) => n < limits.lines);
    await insertLines(tx, runId, within);
    if (within.length < numbered.length || (await hasReached(tx, runId, limits)))
      await insertLines(tx, runId, [noticeOf(limits, last.at)]);
    await announce(tx, { kind: 'log', key: runId });
  });
}

/** The same for a line that is sent again, and for no other. */
function sourceOf({ n, at, kind, text }: LogLine): string {
  return createHash('sha256')
    .update(JSON.stringify([n, at, kind, text]))
    .digest('base64url');
}

/** Stores the end of a lost agent's output as the last lines of its run's log, even if that is full. Idempotent. */
export async function storeLastLog(
  db: Database,
  { runId, attempt }: { runId: string; attempt: number },
  output: string,
  limits: RunLogLimits = RUN_LOG_LIMITS,
): Promise<void> {
  const title = `The end of what attempt ${attempt} wrote:`;
  const [there] = await db
    .select({ n: runLogLines.n })
    .from(runLogLines)
    .where(and(eq(runLogLines.runId, runId), eq(runLogLines.text, title)))
    .limit(1);
  if (there) return;
  const end = output.split('\n').filter(Boolean).slice(-LAST_LINES);
  const texts = [title, ...end.map((text) => text.slice(0, LINE_CHARACTERS))];
  const next = await nextLogLine(db, runId);
  // The number of the notice stays free.
  const first = next + texts.length > limits.lines ? Math.max(next, limits.lines + 1) : next;
  const at = new Date().toISOString();
  await db.transaction(async (tx) => {
    await insertLines(
      tx,
      runId,
      texts.map((text, index) => ({ n: first + index, at, kind: 'error', text })),
    );
    await announce(tx, { kind: 'log', key: runId });
  });
}

async function insertLines(
  tx: Transaction,
  runId: string,
  lines: readonly (LogLine & { readonly source?: string })[],
): Promise<void> {
  if (lines.length === 0) return;
  const rows = lines.map((line) => ({
    ...line,
    runId,
    at: new Date(line.at),
    text: line.text.toWellFormed().replaceAll('\0', ' '),
  }));
  await tx.insert(runLogLines).values(rows).onConflictDoNothing();
}

/** The notice has the first number that no line can have, so that it comes after all lines. */
function noticeOf({ lines, bytes }: RunLogLimits, at: string): LogLine {
  const most = `${lines.toLocaleString('en-US')} lines, ${(bytes / 1024 / 1024).toLocaleString('en-US')} MiB`;
  return {
    n: lines,
    at,
    kind: 'runner',
    text: `The log of this run is full (${most}): what came after this is left out`,
  };
}

async function isFull(tx: Transaction, runId: string, { lines }: RunLogLimits): Promise<boolean> {
  const found = await tx
    .select({ n: runLogLines.n })
    .from(runLogLines)
    .where(and(eq(runLogLines.runId, runId), eq(runLogLines.n, lines)));
  return found.length > 0;
}

/** Whether the log has reached its limit in bytes. They are only added up if there are enough lines. */
async function hasReached(tx: Transaction, runId: string, { bytes }: RunLogLimits): Promise<boolean> {
  if ((await nextLogLine(tx, runId)) * LINE_BYTES < bytes) return false;
  const [row] = await tx
    .select({ bytes: sql<number>`sum(octet_length(${runLogLines.text}))::float` })
    .from(runLogLines)
    .where(eq(runLogLines.runId, runId));
  return (row?.bytes ?? 0) >= bytes;
}
