/** Writes deliveries, their audit events and their facts. */
import type postgres from 'postgres';
import { issueKey } from '../../domain/issue/facts.ts';
import type { LinkedEvent } from '../audit/chains.ts';
import { PLATFORM_CHAIN, type FlowEvent } from '../audit/events.ts';
import { announcing } from '../connection/changes.ts';
import { pack } from '../connection/packed-bytes.ts';
import type { Arrival, EvaluatedDelivery } from './arrivals.ts';

/** The audit event of a delivery; a delivery without an issue goes to the platform's chain. */
export function auditEvent(delivery: EvaluatedDelivery): FlowEvent {
  return {
    id: `webhook:${delivery.id}`,
    chain: delivery.issue ? issueKey(delivery.issue) : PLATFORM_CHAIN,
    type: delivery.status === 'ignored' ? 'webhook.ignored' : 'webhook.received',
    actorType: 'system',
    actorId: 'github-webhook',
    runId: delivery.runId,
    correlationId: delivery.id,
    payload: { ...delivery.details, reason: delivery.reason },
    occurredAt: delivery.receivedAt,
  };
}

/**
 * Writes deliveries, their audit events at the given links, and their facts, numbered within their issues in the order given.
 * The row locks on the inboxes keep the numbers gapless and in the order of commits. One statement, since a statement costs
 * as much as ten rows.
 */
export async function writeDeliveries(
  tx: postgres.TransactionSql,
  deliveries: readonly EvaluatedDelivery[],
  links: readonly LinkedEvent[],
): Promise<void> {
  const { inboxes, behind } = grow(deliveries);
  const [inbox] = inboxes;
  const bodies = deliveries.map(({ body }) => pack(body));
  await tx`
    with given as materialized (
      select * from json_to_recordset(${JSON.stringify(rowsOf(deliveries, links, behind, bodies))}::text::json) as given(
        id text, event text, action text, body_start int, body_length int, status text, reason text,
        repository_id bigint, issue_key text, sender text, run_id uuid, received_at timestamptz,
        chain text, type text, payload jsonb, seq int, previous_hash text, hash text, fact jsonb, behind int)
    ), kept as (
      insert into deliveries (id, event, action, body, status, reason, repository_id, issue_key, sender, run_id,
        received_at, event_payload, event_seq, event_hash)
      select id, event, action, substring((select ${Buffer.concat(bodies)}::bytea) from body_start for body_length), status,
        reason, repository_id, issue_key, sender, run_id, received_at, payload, seq, hash
      from given order by id
    ), audited as (
      insert into flow_events (id, chain, seq, type, actor_type, actor_id, run_id, correlation_id, payload,
        occurred_at, previous_hash, hash)
      select 'webhook:' || id, chain, seq, type, 'system', 'github-webhook', run_id, id, payload,
        received_at, previous_hash, hash
      from given
    ), grown as (
      insert into inboxes (issue_key, issue, last_seq)
      select issue_key, issue, added from json_to_recordset(${JSON.stringify(inboxes)}::text::json) as inbox(
        issue_key text, issue jsonb, added int) order by issue_key
      on conflict (issue_key) do update set last_seq = inboxes.last_seq + excluded.last_seq,
        issue = case when excluded.issue->>'title' = '' then inboxes.issue else excluded.issue end
      returning issue_key, last_seq
    ), numbered as (
      insert into issue_facts (issue_key, seq, delivery_id, fact)
      select issue_key, last_seq - behind, id, fact from given join grown using (issue_key) where behind is not null
    )
    select ${inbox ? announcing(tx, { kind: 'facts', key: inbox.issue_key }) : null}`;
}

/** The rows of `given`. All bodies are sent as one value; `body_start` and `body_length` locate each delivery's part. */
function rowsOf(
  deliveries: readonly EvaluatedDelivery[],
  links: readonly LinkedEvent[],
  behind: ReadonlyMap<EvaluatedDelivery, number>,
  bodies: readonly Buffer[],
): object[] {
  let bodyEnd = 0;
  return deliveries.map((delivery, index) => {
    const { event: audit, seq, hash, previousHash } = links[index] as LinkedEvent;
    const bodyStart = bodyEnd + 1;
    const bodyLength = (bodies[index] as Buffer).length;
    bodyEnd += bodyLength;
    return {
      id: delivery.id,
      event: delivery.event,
      action: delivery.action,
      body_start: bodyStart,
      body_length: bodyLength,
      status: delivery.status,
      reason: delivery.reason,
      repository_id: delivery.repositoryId,
      issue_key: delivery.issue ? audit.chain : null,
      sender: delivery.sender,
      run_id: delivery.runId,
      received_at: delivery.receivedAt,
      chain: audit.chain,
      type: audit.type,
      payload: audit.payload,
      seq,
      previous_hash: previousHash,
      hash,
      fact: delivery.fact,
      behind: behind.get(delivery) ?? null,
    };
  });
}

interface GrownInbox {
  readonly issue_key: string;
  readonly issue: NonNullable<EvaluatedDelivery['issue']>;
  /** The number of new facts. */
  readonly added: number;
}

/** By how much each inbox grows, and how many facts of the same issue follow each delivery's own. */
function grow(deliveries: readonly EvaluatedDelivery[]): {
  inboxes: GrownInbox[];
  behind: Map<EvaluatedDelivery, number>;
} {
  const inboxes = new Map<string, GrownInbox>();
  const behind = new Map<EvaluatedDelivery, number>();
  for (const delivery of deliveries.toReversed()) {
    const { issue, fact } = delivery;
    if (!issue || !fact) continue;
    const key = issueKey(issue);
    const later = inboxes.get(key);
    behind.set(delivery, later?.added ?? 0);
    // Only events of the issue itself carry its title and URL; the last one counts.
    const named = later && (later.issue.title !== '' || issue.title === '') ? later.issue : issue;
    inboxes.set(key, { issue_key: key, issue: named, added: (later?.added ?? 0) + 1 });
  }
  return { inboxes: [...inboxes.values()], behind };
}

/** Remembers since when a label has its name: what was put on before under another name starts nothing. */
export async function nameLabel(
  tx: postgres.TransactionSql,
  { repositoryId, relabeled }: EvaluatedDelivery,
): Promise<void> {
  if (!relabeled || repositoryId === null) return;
  await tx`
    insert into repository_labels (repository_id, name, label_id, known_since)
    values (${repositoryId}, ${relabeled.name}, ${relabeled.id}, now())
    on conflict (repository_id, name) do update set label_id = excluded.label_id, known_since = excluded.known_since`;
}

/** Counts duplicates. Rows are locked in ascending order, so that two servers do not deadlock. */
export async function countRepeats(tx: postgres.TransactionSql, repeats: readonly Arrival[]): Promise<void> {
  const ids = repeats.map(({ id }) => id);
  await tx`
    with locked as (
      select id from deliveries where id = any(${tx.array(ids)}::text[]) order by id for update
    ), again as (
      select id, count(*)::int as times from unnest(${tx.array(ids)}::text[]) as id group by id
    )
    update deliveries set repeats = repeats + times from locked join again using (id)
    where deliveries.id = locked.id`;
}
