/** Appends many events to many chains in a few statements, as `appendEvent` (events.ts) does for one. */
import type postgres from 'postgres';
import { eventHash, FIRST_HASH, type ChainLink, type FlowEvent } from './events.ts';

/** An event with its position and hash. */
export interface LinkedEvent extends ChainLink {
  readonly event: FlowEvent;
  readonly previousHash: string;
}

/**
 * Takes the locks that {@link appendEvent} takes, until the transaction ends. Several chains are locked in ascending order,
 * which avoids deadlocks.
 */
export async function lockChains(tx: postgres.TransactionSql, chains: readonly string[]): Promise<void> {
  await tx`select pg_advisory_xact_lock(hashtextextended(chain, 1)) from unnest(${tx.array([...chains])}::text[]) as chain`;
}

/**
 * An expression for the last links of those chains that have one, as JSON for {@link chainEnds}. To be read after the lock, by a
 * statement of its own.
 */
export function selectChainEnds(
  tx: postgres.TransactionSql,
  chains: readonly string[],
): postgres.PendingQuery<postgres.Row[]> {
  return tx`(
    select json_agg(json_build_array(asked.chain, last.seq, last.hash))
    from unnest(${tx.array([...chains])}::text[]) as asked(chain),
      lateral (select seq, hash from flow_events e where e.chain = asked.chain order by e.seq desc limit 1) last)`;
}

/** The result of {@link selectChainEnds}. */
export type ChainEndsJson = readonly (readonly [chain: string, seq: number, hash: string])[] | null;

export function chainEnds(json: ChainEndsJson): Map<string, ChainLink> {
  return new Map((json ?? []).map(([chain, seq, hash]) => [chain, { seq, hash }]));
}

/** Appends new events to the ends of their chains, in the order given. */
export function linkEvents(ends: ReadonlyMap<string, ChainLink>, events: readonly FlowEvent[]): LinkedEvent[] {
  const last = new Map(ends);
  return events.map((event) => {
    const end = last.get(event.chain);
    const seq = (end?.seq ?? 0) + 1;
    const previousHash = end?.hash ?? FIRST_HASH;
    const link = { seq, hash: eventHash(previousHash, seq, event) };
    last.set(event.chain, link);
    return { ...link, event, previousHash };
  });
}
