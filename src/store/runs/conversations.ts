/** Conversations of agents: written and read part by part, because one may have 64 MiB. What is new is appended. */
import { createHash, randomUUID } from 'node:crypto';
import { and, asc, count, eq, gt, lte, ne, sql } from 'drizzle-orm';
import type { Database } from '../connection/database.ts';
import { agentConversationParts, agentConversations } from '../connection/schema.ts';

/** Bytes of a part; a smaller piece fills the next part. */
const PART_BYTES = 512 * 1024;

/** Bytes up to which the last part is filled by what is appended. */
const SMALL_PART_BYTES = 64 * 1024;

/** Another write of the same conversation came first, so this one does not count. */
export class ConversationOvertaken extends Error {
  override readonly name = 'ConversationOvertaken';
}

export interface StoredConversation {
  readonly threadId: string;
  /** Whether the content is what was stored, by its checksums. */
  isIntact(): Promise<boolean>;
  /** The content, a part at a time. Throws {@link ConversationOvertaken} if a newer one replaces it meanwhile. */
  parts(): AsyncGenerator<Uint8Array<ArrayBuffer>>;
}

/** The thread of a run's stored conversation; undefined if there is none. */
export async function findThread(db: Database, runId: string): Promise<string | undefined> {
  const [row] = await db
    .select({ threadId: agentConversations.threadId })
    .from(agentConversations)
    .where(eq(agentConversations.runId, runId));
  return row?.threadId;
}

/** The stored conversation of a run, or undefined. */
export async function findConversation(db: Database, runId: string): Promise<StoredConversation | undefined> {
  const [row] = await db.select().from(agentConversations).where(eq(agentConversations.runId, runId));
  if (!row) return undefined;
  const { threadId, version, parts, sha256, revision } = row;
  return {
    threadId,
    async isIntact() {
      if (sha256 === null) return true;
      const digests = sql<boolean>`bool_and(${agentConversationParts.sha256} = sha256(${agentConversationParts.bytes}))`;
      const [all] = await db
        .select({ parts: count(), digests, sha256: digestOfParts })
        .from(agentConversationParts)
        .where(partsOf(runId, version));
      if (all?.parts === parts && (parts === 0 || all.digests) && all.sha256 === sha256) return true;
      const [now] = await db.select().from(agentConversations).where(eq(agentConversations.runId, runId));
      if (now?.revision === revision) return false;
      throw new ConversationOvertaken(`the conversation of run ${runId} was replaced while it was read`);
    },
    async *parts() {
      for (let n = -1, read = 0; read < parts; read += 1) {
        const [part] = await db
          .select()
          .from(agentConversationParts)
          .where(and(partsOf(runId, version), gt(agentConversationParts.n, n)))
          .orderBy(asc(agentConversationParts.n))
          .limit(1);
        if (!part) throw new ConversationOvertaken(`the conversation of run ${runId} was replaced while it was read`);
        ({ n } = part);
        yield new Uint8Array(part.bytes);
      }
    },
  };
}

/** A state of a stored conversation; it changes with every write. */
export interface ConversationState {
  readonly version: string;
  /** Bytes of the content. */
  readonly bytes: number;
}

/** An attempt of a run, which has the conversation. */
interface Writer {
  readonly runId: string;
  readonly attempt: number;
}

/**
 * Stores the newest state of a run's conversation, as an attempt has it. Until all of it is there the one before stays. It replaces only
 * what was stored when the write began, and never what a later attempt has stored. Throws {@link ConversationOvertaken}, and what the
 * pieces throw.
 */
export async function storeConversation(
  db: Database,
  { runId, attempt }: Writer,
  threadId: string,
  pieces: Pieces,
): Promise<ConversationState> {
  const [before] = await db.select().from(agentConversations).where(eq(agentConversations.runId, runId));
  if (before && before.attempt > attempt) throw new ConversationOvertaken(`a later attempt of run ${runId} writes`);
  const revision = before?.revision ?? 0;
  return withNewParts(db, runId, pieces, async ({ version, parts, bytes }) => {
    await db.transaction(async (tx) => {
      const sha256 = await digestOf(tx, runId, version);
      const newest = { threadId, version, parts, sha256, attempt, revision: revision + 1, updatedAt: sql`now()` };
      // It waits for another write's end, which may have removed parts of this one.
      const stored = await tx
        .insert(agentConversations)
        .values({ runId, ...newest })
        .onConflictDoUpdate({
          target: agentConversations.runId,
          set: newest,
          setWhere: sql`${eq(agentConversations.revision, revision)} and ${lte(agentConversations.attempt, attempt)}`,
        })
        .returning({ runId: agentConversations.runId });
      if (stored.length === 0) throw new ConversationOvertaken(`a newer conversation of run ${runId} is stored`);
      const [kept] = await tx.select({ parts: count() }).from(agentConversationParts).where(partsOf(runId, version));
      if (kept?.parts !== parts) throw new ConversationOvertaken(`two writes of the conversation of run ${runId}`);
      await tx
        .delete(agentConversationParts)
        .where(and(eq(agentConversationParts.runId, runId), ne(agentConversationParts.version, version)));
    });
    return { version, bytes };
  });
}

/**
 * Appends whole lines to a run's conversation, if it still is of this thread and in this state. Throws
 * {@link ConversationOvertaken} if it is not, or does not end with a line; and what the pieces throw.
 */
export async function appendToConversation(
  db: Database,
  runId: string,
  threadId: string,
  state: ConversationState,
  pieces: Pieces,
): Promise<ConversationState> {
  const { version } = state;
  const overtaken = new ConversationOvertaken(`the conversation of run ${runId} is in another state`);
  if ((await conversationEnd(db, runId, threadId, state)) === undefined) throw overtaken;
  return withNewParts(db, runId, pieces, async (added) => {
    const bytes = state.bytes + added.bytes;
    if (added.parts === 0) return state;
    await db.transaction(async (tx) => {
      await tx.select().from(agentConversations).where(eq(agentConversations.runId, runId)).for('update');
      const end = await conversationEnd(tx, runId, threadId, state);
      if (end === undefined) throw overtaken;
      const isFilled = added.parts === 1 && end.parts > 0 && end.lastBytes + added.bytes <= SMALL_PART_BYTES;
      if (isFilled) {
        const more = tx
          .select({ bytes: agentConversationParts.bytes })
          .from(agentConversationParts)
          .where(partsOf(runId, added.version));
        await tx
          .update(agentConversationParts)
          .set({
            bytes: sql`${agentConversationParts.bytes} || (${more})`,
            sha256: sql`sha256(${agentConversationParts.bytes} || (${more}))`,
          })
          .where(and(partsOf(runId, version), eq(agentConversationParts.n, end.parts - 1)));
        await tx.delete(agentConversationParts).where(partsOf(runId, added.version));
      } else {
        await tx
          .update(agentConversationParts)
          .set({ version, n: sql`${agentConversationParts.n} + ${end.parts}` })
          .where(partsOf(runId, added.version));
      }
      await tx
        .update(agentConversations)
        .set({
          parts: end.parts + (isFilled ? 0 : added.parts),
          sha256: await digestOf(tx, runId, version),
          revision: sql`${agentConversations.revision} + 1`,
          updatedAt: sql`now()`,
        })
        .where(eq(agentConversations.runId, runId));
    });
    return { version, bytes };
  });
}

/** Where a conversation that is in this state ends; undefined if it is in another one, or nothing can be appended. */
async function conversationEnd(
  db: Pick<Database, 'select'>,
  runId: string,
  threadId: string,
  { version, bytes }: ConversationState,
): Promise<{ parts: number; lastBytes: number } | undefined> {
  const [row] = await db.select().from(agentConversations).where(eq(agentConversations.runId, runId));
  if (row?.threadId !== threadId || row.version !== version) return undefined;
  const length = sql<number>`octet_length(${agentConversationParts.bytes})`;
  const [all] = await db
    .select({ bytes: sql<number>`coalesce(sum(${length}), 0)::int` })
    .from(agentConversationParts)
    .where(partsOf(runId, version));
  if (all?.bytes !== bytes) return undefined;
  const [last] = await db
    .select({ bytes: length, end: sql<Buffer>`substring(${agentConversationParts.bytes} from ${length})` })
    .from(agentConversationParts)
    .where(and(partsOf(runId, version), eq(agentConversationParts.n, row.parts - 1)));
  // A secret could stand in two pieces that are redacted apart, unless a line ends between them.
  if (last && Buffer.from(last.end).toString() !== '\n') return undefined;
  return { parts: row.parts, lastBytes: last?.bytes ?? 0 };
}

type Pieces = AsyncIterable<Uint8Array> | Iterable<Uint8Array>;

/** Writes the pieces as parts of a version of their own, for `use`; what fails leaves none of them. */
async function withNewParts(
  db: Database,
  runId: string,
  pieces: Pieces,
  use: (written: { version: string; parts: number; bytes: number }) => Promise<ConversationState>,
): Promise<ConversationState> {
  const version = randomUUID();
  const written = { version, parts: 0, bytes: 0 };
  try {
    for await (const bytes of inParts(pieces)) {
      const sha256 = createHash('sha256').update(bytes).digest();
      await db.insert(agentConversationParts).values({ runId, version, n: written.parts, bytes, sha256 });
      written.parts += 1;
      written.bytes += bytes.length;
    }
    return await use(written);
  } catch (error) {
    await db
      .delete(agentConversationParts)
      .where(partsOf(runId, version))
      .catch(() => undefined);
    throw error;
  }
}

/** SHA-256 of the parts' digests, in order; null if one of them has none. */
const digestOfParts = sql<string | null>`case when count(*) = count(${agentConversationParts.sha256})
  then encode(sha256(coalesce(string_agg(${agentConversationParts.sha256}, ''::bytea order by ${agentConversationParts.n}), ''::bytea)), 'hex') end`;

async function digestOf(db: Pick<Database, 'select'>, runId: string, version: string): Promise<string | null> {
  const [all] = await db.select({ sha256: digestOfParts }).from(agentConversationParts).where(partsOf(runId, version));
  return all?.sha256 ?? null;
}

function partsOf(runId: string, version: string) {
  return and(eq(agentConversationParts.runId, runId), eq(agentConversationParts.version, version));
}

/** The same bytes in parts of {@link PART_BYTES}; the last may be smaller. */
async function* inParts(pieces: Pieces): AsyncGenerator<Buffer> {
  let part = Buffer.allocUnsafe(PART_BYTES);
  let length = 0;
  for await (const piece of pieces) {
    for (let at = 0; at < piece.length;) {
      const taken = Math.min(PART_BYTES - length, piece.length - at);
      part.set(piece.subarray(at, at + taken), length);
      length += taken;
      at += taken;
      if (length < PART_BYTES) continue;
      yield part;
      part = Buffer.allocUnsafe(PART_BYTES);
      length = 0;
    }
  }
  if (length > 0) yield part.subarray(0, length);
}
