/**
 * The durable intake (docs/decisions.md, 3): deliveries, their decisions, their facts and their audit events, in one
 * transaction. Deliveries that arrive together are kept together, in a handful of statements for all of them.
 */
import postgres from 'postgres';
import { issueKey, type Fact, type IssueRef } from '../../domain/issue/facts.ts';
import type { Membership } from '../../domain/triggers/senders.ts';
import type { GoneRepositories } from '../../domain/triggers/webhooks.ts';
import {
  chainEnds,
  linkEvents,
  lockChains,
  selectChainEnds,
  type ChainEndsJson,
  type LinkedEvent,
} from '../audit/chains.ts';
import { announcing } from '../connection/changes.ts';
import { driverOf, type Database } from '../connection/database.ts';
import { PLATFORM_CHAIN, type ChainLink, type FlowEvent } from '../audit/events.ts';
import { createGroupCommit, type Fault, type GroupCommit } from '../connection/group-commit.ts';
import { pack } from '../connection/packed-bytes.ts';

/** A delivery that is to be judged and kept. */
export interface Arrival {
  readonly id: string;
  /** As it was signed. */
  readonly body: Buffer;
  /** GitHub's ids; 0 where the delivery names none. */
  readonly repositoryId: number;
  readonly senderId: number;
  /** The issue it is about, whether its repository is bound or not. */
  readonly issueKey: string | null;
  /** Repositories in which nothing can be done any more: what is decided is told to each open issue of those that are bound. */
  readonly gone?: Pick<GoneRepositories, 'repositories' | 'owner'>;
  /** Decides by what is known when it is kept. Must be pure: it may be called again. */
  readonly evaluate: (context: SenderContext) => EvaluatedDelivery;
}

/** Whether the repository is bound, and how the sender stands in its project. */
export interface SenderContext {
  readonly bound: boolean;
  readonly membership: Membership;
  /** How many open issues are to be told that their repository is gone, where the delivery says so of any. */
  readonly openIssues?: number;
  /** Whether a run of the issue waits for an answer of people. */
  readonly openRequest?: boolean;
}

/** A judged delivery, as it is to be kept. */
export interface EvaluatedDelivery {
  readonly id: string;
  readonly event: string;
  readonly action: string | null;
  readonly body: Buffer;
  readonly status: 'accepted' | 'ignored';
  readonly reason: string;
  readonly repositoryId: number | null;
  readonly issue: (IssueRef & { readonly title: string; readonly url: string }) | null;
  readonly sender: string | null;
  readonly runId: string | null;
  /** ISO 8601. */
  readonly receivedAt: string;
  readonly fact: Fact | null;
  /** What the repository is called from now on, when the delivery says that it was renamed. */
  readonly newName?: { readonly owner: string; readonly name: string };
  /** For the audit event. */
  readonly details: Readonly<Record<string, unknown>>;
}

/** What GitHub is told: for a repeated delivery, what was decided the first time. */
export interface Receipt {
  readonly duplicate: boolean;
  readonly status: 'accepted' | 'ignored';
  readonly reason: string;
  readonly runId: string | null;
}

export type Intake = Pick<GroupCommit<Arrival, Receipt>, 'add'>;

/** Milliseconds until a delivery is answered with 503: below the 5 s that GitHub is promised. */
export const COMMIT_LIMIT_MS = 4500;

/** How to open the database of an intake: what is dead or held by somebody else is found out in time to try again. */
export const INTAKE_CONNECTION = { name: 'intake', max: 8, statementTimeoutMs: 2000, lockTimeoutMs: 300 };

/** Makes an intake over a database; `limitMs` bounds what a delivery waits for its commit. */
export function createIntake(db: Database, limitMs = COMMIT_LIMIT_MS): Intake {
  return createGroupCommit({
    commit: (arrivals: readonly Arrival[]) => keepDeliveries(db, arrivals),
    weigh: ({ body }) => body.length,
    kinOf: ({ issueKey: key }) => key ?? PLATFORM_CHAIN,
    faultOf,
    limitMs,
  });
}

/**
 * Judges and keeps deliveries, each once, all or none. A repeated one only counts, so that it writes no second event and
 * no second fact. Returns their receipts in the order given.
 */
async function keepDeliveries(db: Database, arrivals: readonly Arrival[]): Promise<Receipt[]> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      const { receipts, written } = await driverOf(db).begin((tx) => keepIn(tx, arrivals));
      await written;
      return receipts;
    } catch (error) {
      // An error of Postgres says that nothing was kept; anything else leaves it open.
      if (error instanceof postgres.PostgresError) for (const arrival of arrivals) sentBefore.delete(arrival);
      if (!overtaken(error) || attempt === ATTEMPTS) throw error;
    }
  }
}

/** Keeps one delivery that is judged already; see {@link keepDeliveries}. */
export async function recordDelivery(db: Database, delivery: EvaluatedDelivery): Promise<Receipt> {
  const { id, body, issue } = delivery;
  const arrival = {
    id,
    body,
    repositoryId: 0,
    senderId: 0,
    issueKey: issue && issueKey(issue),
    evaluate: () => delivery,
  };
  const [receipt] = await keepDeliveries(db, [arrival]);
  return receipt as Receipt;
}

/** What is known of a repository and a sender, by GitHub's ids. */
export async function readMembership(db: Database, repositoryId: number, senderId: number): Promise<SenderContext> {
  const asked = { repositoryId, senderId };
  const sql = driverOf(db);
  const [row] = await sql<{ memberships: MembershipsJson }[]>`select ${selectMemberships(sql, [asked])} as memberships`;
  return memberships(row?.memberships ?? null)(asked);
}

/** Somebody else has kept one of these meanwhile, under the lock of another chain; the next attempt finds it. */
function overtaken(error: unknown): boolean {
  return error instanceof postgres.PostgresError && error.code === UNIQUE_VIOLATION;
}
const UNIQUE_VIOLATION = '23505';
const ATTEMPTS = 3;

/** Those that may be kept, since the answer to that was lost: the next attempt must not take them for repeats. */
const sentBefore = new WeakSet<Arrival>();

/**
 * Lock and read, evaluate, write and commit: what is sent to Postgres together runs there one after the other, so this takes
 * two round trips. `written` is for after the commit.
 */
async function keepIn(
  tx: postgres.TransactionSql,
  arrivals: readonly Arrival[],
): Promise<{ receipts: Receipt[]; written: Promise<unknown> }> {
  const chains = [...new Set(arrivals.map(({ issueKey: key }) => key ?? PLATFORM_CHAIN))].toSorted();
  const [, { known, ends, contextOf, asking }] = await Promise.all([
    lockChains(tx, chains),
    read(tx, arrivals, chains),
  ]);

  const { fresh, repeats } = sortOut(arrivals, known);
  const concerned = await openInboxesOf(tx, fresh);
  const kept = fresh.map((arrival) => {
    const openIssues = concerned.get(arrival)?.length;
    const openRequest = arrival.issueKey !== null && asking.has(arrival.issueKey);
    return arrival.evaluate({
      ...contextOf(arrival),
      openRequest,
      ...(openIssues === undefined ? {} : { openIssues }),
    });
  });
  const events = kept.map(auditEvent);
  if (!chains.includes(PLATFORM_CHAIN) && events.some(({ chain }) => chain === PLATFORM_CHAIN)) {
    // The repository is not bound. This chain's name comes after every issue's, so the order of the locks holds.
    await lockChains(tx, [PLATFORM_CHAIN]);
    const [row] = await tx<{ ends: ChainEndsJson }[]>`select ${selectChainEnds(tx, [PLATFORM_CHAIN])} as ends`;
    for (const [chain, end] of chainEnds(row?.ends ?? null)) ends.set(chain, end);
  }
  for (const arrival of fresh) sentBefore.add(arrival);
  const written = Promise.all([
    kept.length > 0 && write(tx, kept, linkEvents(ends, events)),
    ...fresh.map((arrival, index) => tellAll(tx, kept[index] as EvaluatedDelivery, concerned.get(arrival) ?? [])),
    repeats.size > 0 && countRepeats(tx, [...repeats]),
    ...kept.map((delivery) => rename(tx, delivery)),
  ]);
  written.catch(() => undefined); // the transaction fails with it

  const decisions = new Map<string, Decision>([...known, ...kept.map((delivery) => [delivery.id, delivery] as const)]);
  const receipts = arrivals.map((arrival) => {
    const { status, reason, runId } = decisions.get(arrival.id) as Decision;
    return { duplicate: repeats.has(arrival), status, reason, runId };
  });
  return { receipts, written };
}

/** Of those with the same id the first is new, unless it was kept before. */
function sortOut(
  arrivals: readonly Arrival[],
  known: ReadonlyMap<string, Decision>,
): { fresh: readonly Arrival[]; repeats: ReadonlySet<Arrival> } {
  const firsts = new Map(arrivals.toReversed().map((arrival) => [arrival.id, arrival]));
  const isFirst = (arrival: Arrival): boolean => firsts.get(arrival.id) === arrival;
  return {
    fresh: arrivals.filter((arrival) => isFirst(arrival) && !known.has(arrival.id)),
    repeats: new Set(
      arrivals.filter((arrival) => !isFirst(arrival) || (known.has(arrival.id) && !sentBefore.has(arrival))),
    ),
  };
}

type Decision = Pick<Receipt, 'status' | 'reason' | 'runId'>;

/** What is to be known before judging: earlier deliveries with these ids, ends of chains, memberships, and issues whose runs ask. */
async function read(
  tx: postgres.TransactionSql,
  arrivals: readonly Arrival[],
  chains: readonly string[],
): Promise<{
  known: Map<string, Decision>;
  ends: Map<string, ChainLink>;
  contextOf: (one: Asked) => SenderContext;
  asking: ReadonlySet<string>;
}> {
  const ids = arrivals.map(({ id }) => id);
  const [row] = await tx<
    {
      known: ({ id: string } & Decision)[] | null;
      ends: ChainEndsJson;
      memberships: MembershipsJson;
      asking: string[] | null;
    }[]
  >`
    select ${selectChainEnds(tx, chains)} as ends, ${selectMemberships(tx, arrivals)} as memberships, (
      select json_agg(json_build_object('id', id, 'status', status, 'reason', reason, 'runId', run_id))
      from deliveries where id = any(${tx.array(ids)}::text[])) as known, (
      select json_agg(distinct issue_key) from requests
      where closed_at is null and issue_key = any(${tx.array([...chains])}::text[])) as asking`;
  return {
    known: new Map((row?.known ?? []).map(({ id, ...decision }) => [id, decision])),
    ends: chainEnds(row?.ends ?? null),
    contextOf: memberships(row?.memberships ?? null),
    asking: new Set(row?.asking ?? []),
  };
}

type Asked = Pick<Arrival, 'repositoryId' | 'senderId'>;

/** Of those repositories that are bound. */
type MembershipsJson = readonly (Asked & Membership)[] | null;

/** An expression for the memberships of these, as JSON for {@link memberships}. */
function selectMemberships(
  sql: postgres.Sql | postgres.TransactionSql,
  asked: readonly Asked[],
): postgres.PendingQuery<postgres.Row[]> {
  const pairs = [...new Map(asked.map((one) => [pairOf(one), one])).values()];
  return sql`(
    select json_agg(json_build_object('repositoryId', asked.repository, 'senderId', asked.sender,
      'known', p.id is not null, 'platformRole', p.platform_role, 'projectRole', m.role))
    from unnest(
      ${sql.array(pairs.map(({ repositoryId }) => String(repositoryId)))}::text[]::bigint[],
      ${sql.array(pairs.map(({ senderId }) => String(senderId)))}::text[]::bigint[]
    ) as asked(repository, sender)
    join repositories r on r.id = asked.repository
    left join people p on p.id = asked.sender
    left join project_members m on m.project_id = r.project_id and m.person_id = p.id)`;
}

function memberships(json: MembershipsJson): (one: Asked) => SenderContext {
  const found = new Map((json ?? []).map((row) => [pairOf(row), row]));
  return (one) => {
    const { known, platformRole, projectRole } = found.get(pairOf(one)) ?? STRANGER;
    return { bound: found.has(pairOf(one)), membership: { known, platformRole, projectRole } };
  };
}

const STRANGER: Membership = { known: false, platformRole: null, projectRole: null };

function pairOf({ repositoryId, senderId }: Asked): string {
  return `${repositoryId} ${senderId}`;
}

function auditEvent(delivery: EvaluatedDelivery): FlowEvent {
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
 * Writes deliveries, the audit events in their places, and the facts, numbered within their issues in the order given; the
 * inboxes' row locks keep the numbers gapless and in the order of commits. One statement: each costs as much as ten rows.
 */
async function write(
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
    ), told as (
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

/** The rows of `given`. The bodies go as one value, of which each delivery says its part. */
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

/** The inboxes that each of these is to be told to: of most there is none to be told, and nothing is asked. */
async function openInboxesOf(
  tx: postgres.TransactionSql,
  arrivals: readonly Arrival[],
): Promise<ReadonlyMap<Arrival, readonly string[]>> {
  const found = new Map<Arrival, readonly string[]>();
  for (const arrival of arrivals) if (arrival.gone) found.set(arrival, await lockOpenInboxes(tx, arrival.gone));
  return found;
}

/**
 * The inboxes of the open issues of repositories, locked in the order in which every writer locks them. An issue is open until
 * its workflow shows that it is not; one that was told of a moment ago may not have shown itself yet.
 */
async function lockOpenInboxes(
  tx: postgres.TransactionSql,
  { repositories, owner }: NonNullable<Arrival['gone']>,
): Promise<string[]> {
  const rows = await tx<{ key: string }[]>`
    select told.issue_key as key
    from inboxes told
    join repositories r on split_part(told.issue_key, '#', 1) = 'issue:' || r.id
    left join issues shown on shown.key = told.issue_key
    where (r.id = any(${tx.array(repositories.map(String))}::text[]::bigint[]) or lower(r.owner) = lower(${owner}::text))
      and case when shown.key is null then told.last_seq > told.signaled_seq or told.next_at > now() - interval '1 minute'
        else shown.state <> 'closed' end
    order by told.issue_key for update of told`;
  return rows.map(({ key }) => key);
}

/** Puts what was decided into each of the inboxes. */
async function tellAll(
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

interface GrownInbox {
  readonly issue_key: string;
  readonly issue: NonNullable<EvaluatedDelivery['issue']>;
  /** Facts that come in. */
  readonly added: number;
}

/** By how much each inbox grows, and how many facts of the same issue come behind each delivery's own. */
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
    // Only events of the issue itself carry its title and address; of those, the last counts.
    const named = later && (later.issue.title !== '' || issue.title === '') ? later.issue : issue;
    inboxes.set(key, { issue_key: key, issue: named, added: (later?.added ?? 0) + 1 });
  }
  return { inboxes: [...inboxes.values()], behind };
}

/** A bound repository is shown under its new name. */
async function rename(tx: postgres.TransactionSql, { repositoryId, newName }: EvaluatedDelivery): Promise<void> {
  if (!newName || repositoryId === null) return;
  await tx`update repositories set owner = ${newName.owner}, name = ${newName.name} where id = ${repositoryId}`;
}

/** Counts repeats; rows are locked in ascending order, so that no two servers wait for each other. */
async function countRepeats(tx: postgres.TransactionSql, repeats: readonly Arrival[]): Promise<void> {
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

/** Deadlocks, and locks that are not given. */
const CONTENTION = /^(40|55)/;
/** Bad data, broken constraints, limits, and bugs. */
const OF_THE_DATA = /^(21|22|23|42|54|XX)/;

function faultOf(error: unknown): Fault {
  if (error instanceof postgres.PostgresError) {
    if (CONTENTION.test(error.code)) return 'contention';
    return OF_THE_DATA.test(error.code) ? 'item' : 'store';
  }
  // Errors of the network and of the driver have codes; what judging throws has none.
  return error instanceof Error && 'code' in error ? 'store' : 'item';
}
