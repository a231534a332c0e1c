/** The audit trail (design.md, decision 9): appended once by id, chained by hash within an issue. */
import { createHash } from 'node:crypto';
import { desc, eq, sql } from 'drizzle-orm';
import { announce } from './changes.ts';
import type { Database, Transaction } from './database.ts';
import { flowEvents } from './schema.ts';

/** The chain of what belongs to no issue. */
export const PLATFORM_CHAIN = 'platform';

const FIRST_HASH = '0'.repeat(64);

export interface FlowEvent {
  readonly id: string;
  /** The key, or {@link PLATFORM_CHAIN}. */
  readonly chain: string;
  /** One of requirements.md 3.2. */
  readonly type: string;
  readonly actorType: 'human' | 'agent' | 'system';
  readonly actorId: string;
  readonly runId: string | null;
  readonly correlationId: string | null;
  readonly payload: Readonly<Record<string, unknown>>;
  /** ISO 8601. */
  readonly occurredAt: string;
}

/** Where an event stands in its chain. */
export interface ChainLink {
  readonly seq: number;
  readonly hash: string;
}

/**
 * Appends an event, or returns the place it has already. Writers of one chain wait for each other until the
 * surrounding transaction ends.
 */
export async function appendEvent(tx: Transaction, event: FlowEvent): Promise<ChainLink> {
  await tx.execute(sql`select pg_advisory_xact_lock(hashtextextended(${event.chain}, 1))`);
  const [present] = await tx
    .select({ seq: flowEvents.seq, hash: flowEvents.hash })
    .from(flowEvents)
    .where(eq(flowEvents.id, event.id));
  if (present) return present;
  const [last] = await tx
    .select({ seq: flowEvents.seq, hash: flowEvents.hash })
    .from(flowEvents)
    .where(eq(flowEvents.chain, event.chain))
    .orderBy(desc(flowEvents.seq))
    .limit(1);
  const seq = (last?.seq ?? 0) + 1;
  const previousHash = last?.hash ?? FIRST_HASH;
  const hash = eventHash(previousHash, seq, event);
  await tx.insert(flowEvents).values({ ...event, occurredAt: new Date(event.occurredAt), seq, previousHash, hash });
  return { seq, hash };
}

/** Appends several events in their order, in one transaction; readers are told. */
export async function appendEvents(db: Database, events: readonly FlowEvent[]): Promise<ChainLink[]> {
  return db.transaction(async (tx) => {
    const links: ChainLink[] = [];
    for (const event of events) links.push(await appendEvent(tx, event));
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
