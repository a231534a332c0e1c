/**
 * Commits of runs that could not be pushed, as git bundles. The next run on the branch begins with them. Bundles are opaque here: an
 * agent made them, and only git in another agent's clone reads them.
 */
import { and, asc, desc, eq, exists, inArray, isNotNull, lt, notExists, sql } from 'drizzle-orm';
import type { Database } from '../connection/database.ts';
import { agentAssignments, keptCommits, keptCommitParts } from '../connection/schema.ts';

/** Days after which kept commits are removed. */
const KEPT_DAYS = 30;

/** Bytes of one row. */
const PART_BYTES = 1024 * 1024;

export interface KeptCommits {
  readonly runId: string;
  readonly headSha: string;
}

/** Which commits are meant: those of a branch. `runId`: the run that keeps them. */
export interface KeptPlace {
  readonly runId: string;
  readonly repositoryId: number;
  readonly branch: string;
}

/**
 * Stores a run's bundle, a part at a time; replaces an earlier one of the run. Returns false, and stores nothing, if it has more
 * than `longest` bytes.
 */
export async function keepCommits(
  db: Database,
  { runId, repositoryId, branch }: KeptPlace,
  headSha: string,
  bundle: AsyncIterable<Uint8Array>,
  longest: number,
): Promise<boolean> {
  await forget(db, [runId]);
  let bytes = 0;
  let n = 0;
  for await (const part of parts(bundle)) {
    bytes += part.length;
    if (bytes > longest) {
      await forget(db, [runId]);
      return false;
    }
    await db
      .insert(keptCommitParts)
      .values({ runId, n, part })
      .onConflictDoUpdate({
        target: [keptCommitParts.runId, keptCommitParts.n],
        set: { part },
      });
    n += 1;
  }
  // Last, so that an incomplete bundle is never found.
  await db
    .insert(keptCommits)
    .values({ runId, repositoryId, branch, headSha, bytes })
    .onConflictDoUpdate({ target: keptCommits.runId, set: { headSha, bytes, createdAt: sql`now()` } });
  await removeOld(db);
  return true;
}

/** The newest commits that were kept of a run on the branch, or undefined. */
export async function findKeptCommits(
  db: Database,
  { repositoryId, branch }: Omit<KeptPlace, 'runId'>,
): Promise<KeptCommits | undefined> {
  const [row] = await db
    .select({ runId: keptCommits.runId, headSha: keptCommits.headSha })
    .from(keptCommits)
    .where(and(eq(keptCommits.repositoryId, repositoryId), eq(keptCommits.branch, branch)))
    .orderBy(desc(keptCommits.createdAt))
    .limit(1);
  return row;
}

/** A run's bundle, a part at a time. */
export async function* readKeptCommits(db: Database, runId: string): AsyncGenerator<Buffer> {
  for (let n = 0; ; n += 1) {
    const [row] = await db
      .select({ part: keptCommitParts.part })
      .from(keptCommitParts)
      .where(and(eq(keptCommitParts.runId, runId), eq(keptCommitParts.n, n)))
      .orderBy(asc(keptCommitParts.n));
    if (!row) return;
    yield row.part;
  }
}

/** Removes the kept commits of a branch: a later run has pushed. */
export async function dropKeptCommits(db: Database, { repositoryId, branch }: Omit<KeptPlace, 'runId'>): Promise<void> {
  const rows = await db
    .select({ runId: keptCommits.runId })
    .from(keptCommits)
    .where(and(eq(keptCommits.repositoryId, repositoryId), eq(keptCommits.branch, branch)));
  await forget(
    db,
    rows.map(({ runId }) => runId),
  );
}

async function removeOld(db: Database): Promise<void> {
  const old = await db
    .select({ runId: keptCommits.runId })
    .from(keptCommits)
    .where(lt(keptCommits.createdAt, sql`now() - ${KEPT_DAYS} * interval '1 day'`));
  await forget(
    db,
    old.map(({ runId }) => runId),
  );
  // Of uploads that were cut off, when their runs are over.
  await db.delete(keptCommitParts).where(
    and(
      notExists(db.select().from(keptCommits).where(eq(keptCommits.runId, keptCommitParts.runId))),
      exists(
        db
          .select()
          .from(agentAssignments)
          .where(and(eq(agentAssignments.runId, keptCommitParts.runId), isNotNull(agentAssignments.closedAt))),
      ),
    ),
  );
}

async function forget(db: Database, runIds: readonly string[]): Promise<void> {
  if (runIds.length === 0) return;
  await db.delete(keptCommits).where(inArray(keptCommits.runId, [...runIds]));
  await db.delete(keptCommitParts).where(inArray(keptCommitParts.runId, [...runIds]));
}

/** The same bytes in parts of equal size, the last one smaller. */
async function* parts(bundle: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
  let chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of bundle) {
    for (let from = 0; from < chunk.length;) {
      const piece = chunk.subarray(from, from + PART_BYTES - bytes);
      chunks.push(piece);
      bytes += piece.length;
      from += piece.length;
      if (bytes < PART_BYTES) continue;
      yield Buffer.concat(chunks);
      chunks = [];
      bytes = 0;
    }
  }
  if (bytes > 0) yield Buffer.concat(chunks);
}
