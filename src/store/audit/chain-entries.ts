/** Reads chains from the tables: each position with its event and the delivery that anchors it. */
import type postgres from 'postgres';
import { textArray } from '../connection/text-array.ts';
import { PLATFORM_CHAIN, type ChainLink, type FlowEvent } from './events.ts';

/** A row of `flow_events`. */
export interface StoredEvent extends ChainLink {
  readonly event: FlowEvent;
  readonly previousHash: string;
  /** True if its time is finer than milliseconds: the platform writes none, and the hash does not cover it. */
  readonly finer: boolean;
}

/** The audit event that is stored with a delivery. */
export interface DeliveryEvent {
  /** The event's id. */
  readonly id: string;
  /** Null for a delivery without a stored payload. */
  readonly event: FlowEvent | null;
  readonly link: ChainLink | null;
}

/** A stored event with its delivery, if it has one; or a delivery whose event is missing. */
export interface ChainEntry {
  readonly chain: string;
  readonly stored: StoredEvent | null;
  readonly delivery: DeliveryEvent | null;
}

/**
 * `stored`: by the position of the rows, deliveries without a row last. `anchored`: by the position that the delivery has,
 * else that of the row; entries without any position first.
 */
export type EntryOrder = 'stored' | 'anchored';

const BATCH = 1000;

/** Reads the entries of some chains, chain after chain, in batches, with one statement and so from one snapshot. */
export function readEntries(
  sql: postgres.Sql,
  chains: readonly string[],
  order: EntryOrder,
): AsyncIterable<readonly ChainEntry[]> {
  const rows = entriesQuery(sql, chains, order).cursor(BATCH);
  return (async function* batches() {
    for await (const batch of rows) yield batch.map((row) => entryOf(row));
  })();
}

/** Reads all anchored entries of one chain after a position at once, for a connection that has other statements to run. */
export async function readEntriesAfter(
  sql: postgres.Sql,
  chain: string,
  after: number,
): Promise<readonly ChainEntry[]> {
  return (await entriesQuery(sql, [chain], 'anchored', after)).map((row) => entryOf(row));
}

/** All chains of the tables. */
export async function readChains(sql: postgres.Sql): Promise<string[]> {
  const rows = await sql<{ chain: string }[]>`
    select distinct chain from flow_events
    union select distinct coalesce(issue_key, ${PLATFORM_CHAIN}) from deliveries
    union select key from issues
    union select distinct issue_key from runs`;
  return rows.map(({ chain }) => chain);
}

interface EntryRow {
  chain: string;
  id: string | null;
  seq: number;
  type: string;
  actor_type: FlowEvent['actorType'];
  actor_id: string;
  run_id: string | null;
  correlation_id: string | null;
  payload: Record<string, unknown>;
  occurred_at: string;
  previous_hash: string;
  hash: string;
  delivery: string | null;
  status: string;
  delivery_run: string | null;
  event_payload: Record<string, unknown> | null;
  event_seq: number | null;
  event_hash: string | null;
  received_at: string;
}

function entriesQuery(sql: postgres.Sql, chains: readonly string[], order: EntryOrder, after = 0) {
  const asked = textArray(sql, chains);
  const platform = chains.includes(PLATFORM_CHAIN);
  return sql<EntryRow[]>`
    select coalesce(f.chain, d.chain) as chain, f.id, f.seq, f.type, f.actor_type, f.actor_id, f.run_id, f.correlation_id,
      f.payload, ${instant(sql, sql`f.occurred_at`)} as occurred_at, f.previous_hash, f.hash,
      d.id as delivery, d.status, d.run_id as delivery_run, d.event_payload, d.event_seq, d.event_hash,
      ${instant(sql, sql`d.received_at`)} as received_at
    from (select * from flow_events where chain = any(${asked}) and seq > ${after}) f
    full join (
      select id, coalesce(issue_key, ${PLATFORM_CHAIN}) as chain, status, run_id, event_payload, event_seq, event_hash, received_at
      from deliveries
      where (issue_key = any(${asked}) ${platform ? sql`or issue_key is null` : sql``})
        and (event_seq is null or event_seq > ${after})
    ) d on f.id = 'webhook:' || d.id and f.chain = d.chain
    order by coalesce(f.chain, d.chain) collate "C",
      ${order === 'stored' ? sql`f.seq nulls last, d.event_seq` : sql`coalesce(d.event_seq, f.seq) nulls first, f.id`}`;
}

/** A time with its microseconds, which a Date would lose. */
function instant(sql: postgres.Sql, column: postgres.Fragment): postgres.Fragment {
  return sql`to_char(${column} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`;
}

function entryOf(row: EntryRow): ChainEntry {
  return { chain: row.chain, stored: row.id === null ? null : storedOf(row, row.id), delivery: deliveryOf(row) };
}

function storedOf(row: EntryRow, id: string): StoredEvent {
  return {
    seq: row.seq,
    hash: row.hash,
    previousHash: row.previous_hash,
    finer: !row.occurred_at.endsWith('000Z'),
    event: {
      id,
      chain: row.chain,
      type: row.type,
      actorType: row.actor_type,
      actorId: row.actor_id,
      runId: row.run_id,
      correlationId: row.correlation_id,
      payload: row.payload,
      occurredAt: milliseconds(row.occurred_at),
    },
  };
}

/** As the intake makes it (intake.ts). */
function deliveryOf(row: EntryRow): DeliveryEvent | null {
  if (row.delivery === null) return null;
  const id = `webhook:${row.delivery}`;
  return {
    id,
    link: row.event_seq === null || row.event_hash === null ? null : { seq: row.event_seq, hash: row.event_hash },
    event: row.event_payload && {
      id,
      chain: row.chain,
      type: row.status === 'ignored' ? 'webhook.ignored' : 'webhook.received',
      actorType: 'system',
      actorId: 'github-webhook',
      runId: row.delivery_run,
      correlationId: row.delivery,
      payload: row.event_payload,
      occurredAt: milliseconds(row.received_at),
    },
  };
}

function milliseconds(instantText: string): string {
  return instantText.replace(/\d{3}Z$/, 'Z');
}
