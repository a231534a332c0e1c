/** Deliveries about repositories that are gone: their fact goes to every open issue there. */
import type postgres from 'postgres';
import { announcing } from '../connection/changes.ts';
import type { Arrival, EvaluatedDelivery } from './arrivals.ts';

/** The inboxes that each arrival's fact goes to besides its own issue's. Only deliveries about gone repositories have any. */
export async function openInboxesOf(
  tx: postgres.TransactionSql,
  arrivals: readonly Arrival[],
): Promise<ReadonlyMap<Arrival, readonly string[]>> {
  const found = new Map<Arrival, readonly string[]>();
  for (const arrival of arrivals) if (arrival.gone) found.set(arrival, await lockOpenInboxes(tx, arrival.gone));
  return found;
}

/**
 * The inboxes of the open issues of repositories, locked in the order in which every writer locks them. An issue is open until
 * its row in the read model says otherwise; one that has just received its first fact may have no row yet.
 */
async function lockOpenInboxes(
  tx: postgres.TransactionSql,
  { repositories, owner }: NonNullable<Arrival['gone']>,
): Promise<string[]> {
  const rows = await tx<{ key: string }[]>`
    select inbox.issue_key as key
    from inboxes inbox
    join repositories r on split_part(inbox.issue_key, '#', 1) = 'issue:' || r.id
    left join issues shown on shown.key = inbox.issue_key
    where (r.id = any(${tx.array(repositories.map(String))}::text[]::bigint[]) or lower(r.owner) = lower(${owner}::text))
      and case when shown.key is null then inbox.last_seq > inbox.signaled_seq or inbox.next_at > now() - interval '1 minute'
        else shown.state <> 'closed' end
    order by inbox.issue_key for update of inbox`;
  return rows.map(({ key }) => key);
}

/** Adds the delivery's fact to each of these inboxes. */
export async function addToInboxes(
  tx: postgres.TransactionSql,
  { id, fact }: EvaluatedDelivery,
  keys: readonly string[],
): Promise<void> {
  const [first] = keys;
  if (fact === null || first === undefined) return;
  await tx`
    with grown as (
      update inboxes set last_seq = last_seq + 1 where issue_key = any(${tx.array([...keys])}::text[])
      returning issue_key, last_seq
    ), numbered as (
      insert into issue_facts (issue_key, seq, delivery_id, fact)
      select issue_key, last_seq, ${id}, ${JSON.stringify(fact)}::text::jsonb from grown
    )
    select ${announcing(tx, { kind: 'facts', key: first })}`;
}
