/** The audit trail (docs/decisions.md, 9): appended once by id, chained by hash within an issue. */
import { createHash } from 'node:crypto';
import { desc, eq, inArray, sql } from 'drizzle-orm';
import { announce } from '../connection/changes.ts';
import type { Database, Transaction } from '../connection/database.ts';
import { flowEvents } from '../connection/schema.ts';

/** The chain of events without an issue. */
export const PLATFORM_CHAIN = 'platform';

/** The previous hash of a chain's first event. */
export const FIRST_HASH = '0'.repeat(64);

export interface FlowEvent {
  readonly id: string;
  /** The key, or {@link PLATFORM_CHAIN}. */
  readonly chain: string;
  /** The event's type, such as `run.queued`. */
  readonly type: string;
  readonly actorType: 'human' | 'agent' | 'system';
  readonly actorId: string;
  readonly runId: string | null;
  readonly correlationId: string | null;
  readonly payload: Readonly<Record<string, unknown>>;
  /** ISO 8601. */
  readonly occurredAt: string;
}

/** Position and hash of an event in its chain. */
export interface ChainLink {
  readonly seq: number;
  readonly hash: string;
}

/** Appends an event, or returns its existing position; see {@link appendInOrder}. */
export async function appendEvent(tx: Transaction, event: FlowEvent): Promise<ChainLink> {
  const [link] = await appendInOrder(tx, [event]);
  return link as ChainLink;
}

/**
 * Appends events, each once by its id, and returns their places in the order given. Writers of one chain wait for each other
 * until the surrounding transaction ends, so it is kept short: a handful of statements, however many events there are.
 */
export async function appendInOrder(tx: Transaction, events: readonly FlowEvent[]): Promise<ChainLink[]> {
  if (events.length === 0) return [];
  const places = new Map<string, ChainLink>();
  const ends = new Map<string, ChainLink>();
  // Locked in ascending order, which avoids deadlocks.
  for (const chain of [...new Set(events.map((event) => event.chain))].toSorted()) {
    await tx.execute(sql`select pg_advisory_xact_lock(hashtextextended(${chain}, 1))`);
    const [end] = await tx
      .select({ seq: flowEvents.seq, hash: flowEvents.hash })
      .from(flowEvents)
      .where(eq(flowEvents.chain, chain))
      .orderBy(desc(flowEvents.seq))
      .limit(1);
    ends.set(chain, end ?? { seq: 0, hash: FIRST_HASH });
  }
  const ids = events.map(({ id }) => id);
  const present = await tx
    .select({ id: flowEvents.id, seq: flowEvents.seq, hash: flowEvents.hash })
    .from(flowEvents)
    .where(inArray(flowEvents.id, ids));
  for (const { id, ...place } of present) places.set(id, place);

  const rows: (typeof flowEvents.$inferInsert)[] = [];
  for (const event of events) {
    if (places.has(event.id)) continue;
    const { seq: last, hash: previousHash } = ends.get(event.chain) as ChainLink;
    const seq = last + 1;
    const place = { seq, hash: eventHash(previousHash, seq, event) };
    rows.push({ ...event, occurredAt: new Date(event.occurredAt), previousHash, ...place });
    places.set(event.id, place);
    ends.set(event.chain, place);
  }
  if (rows.length > 0) await tx.insert(flowEvents).values(rows);
  return ids.map((id) => places.get(id) as ChainLink);
}

/** Appends several events in order, in one transaction, and notifies listeners. */
export async function appendEvents(db: Database, events: readonly FlowEvent[]): Promise<ChainLink[]> {
  return db.transaction(async (tx) => {
    const links = await appendInOrder(tx, events);
    for (const chain of new Set(events.map((event) => event.chain))) await announce(tx, { kind: 'issue', key: chain });
    for (const run of new Set(events.flatMap((event) => event.runId ?? [])))
      await announce(tx, { kind: 'run', key: run });
    return links;
  });
}

/** sha256 over the previous hash and the event's content in a fixed order. */
export function eventHash(previousHash: string, seq: number, event: FlowEvent): string {
  const content = [
    event.id,
    event.chain,
    seq,
    event.type,
    event.actorType,
    event.actorId,
    event.runId,
    event.correlationId,
    sorted(event.payload),
    new Date(event.occurredAt).toISOString(),
  ];
  return createHash('sha256').update(previousHash).update(JSON.stringify(content)).digest('hex');
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(
    Object.entries(value)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, inner]) => [key, sorted(inner)]),
  );
}
