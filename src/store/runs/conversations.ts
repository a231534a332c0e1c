/** Conversations of agents: written and read part by part, because one may have 64 MiB. */
import { randomUUID } from 'node:crypto';
import { and, asc, count, eq, gt, ne, sql } from 'drizzle-orm';
import type { Database } from '../connection/database.ts';
import { agentConversationParts, agentConversations } from '../connection/schema.ts';

/** Bytes of a part; a smaller piece fills the next part. */
const PART_BYTES = 512 * 1024;

/** Another write of the same conversation has removed parts of this one. */
export class ConversationOvertaken extends Error {
  override readonly name = 'ConversationOvertaken';
}

export interface StoredConversation {
  readonly threadId: string;
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
  const { threadId, version, parts } = row;
  return {
    threadId,
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

/**
 * Stores the newest state of a run's conversation. Until all of it is there the one before stays. Throws
 * {@link ConversationOvertaken}, and what the pieces throw.
 */
export async function storeConversation(
  db: Database,
  runId: string,
  threadId: string,
  pieces: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): Promise<void> {
  const version = randomUUID();
  let parts = 0;
  try {
    for await (const bytes of inParts(pieces)) {
      await db.insert(agentConversationParts).values({ runId, version, n: parts, bytes });
      parts += 1;
    }
    await db.transaction(async (tx) => {
      const newest = { threadId, version, parts, updatedAt: sql`now()` };
      // First: it waits for another write's end, which may have removed parts of this one.
      await tx
        .insert(agentConversations)
        .values({ runId, ...newest })
        .onConflictDoUpdate({ target: agentConversations.runId, set: newest });
      const [kept] = await tx.select({ parts: count() }).from(agentConversationParts).where(partsOf(runId, version));
      if (kept?.parts !== parts) throw new ConversationOvertaken(`two writes of the conversation of run ${runId}`);
      await tx
        .delete(agentConversationParts)
        .where(and(eq(agentConversationParts.runId, runId), ne(agentConversationParts.version, version)));
    });
  } catch (error) {
    await db
      .delete(agentConversationParts)
      .where(partsOf(runId, version))
      .catch(() => undefined);
    throw error;
  }
}

function partsOf(runId: string, version: string) {
  return and(eq(agentConversationParts.runId, runId), eq(agentConversationParts.version, version));
}

/** The same bytes in parts of {@link PART_BYTES}; the last may be smaller. */
async function* inParts(pieces: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): AsyncGenerator<Buffer> {
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
