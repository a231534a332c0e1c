/**
 * The durable intake (design.md, decision 3): deliveries, their decisions, their facts and their audit events, in one
 * transaction. Deliveries that arrive together are kept together, in a handful of statements for all of them.
 */
import { isUtf8 } from 'node:buffer';
import postgres from 'postgres';
import { issueKey, type Fact, type IssueRef } from '../domain/facts.ts';
import type { Standing } from '../domain/senders.ts';
import { linkEvents, lockChains, readChainEnds, type LinkedEvent } from './chains.ts';
import { announceIn } from './changes.ts';
import { driverOf, type Database } from './database.ts';
import { PLATFORM_CHAIN, type FlowEvent } from './events.ts';
import { createGroupCommit, type Fault, type GroupCommit } from './group-commit.ts';

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
  /** Decides by what is known when it is kept. Must be pure: it may be called again. */
  readonly judge: (knowledge: SenderKnowledge) => JudgedDelivery;
}

/** Whether the repository is bound, and how the sender stands in its project. */
export interface SenderKnowledge {
  readonly bound: boolean;
  readonly standing: Standing;
}

/** A judged delivery, as it is to be kept. */
export interface JudgedDelivery {
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
  /** For the audit event (requirements.md W6). */
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
const COMMIT_LIMIT_MS = 4500;

/** Makes an intake over a database; `limitMs` bounds what a delivery waits for its commit. */
export function createIntake(db: Database, limitMs = COMMIT_LIMIT_MS): Intake {
  return createGroupCommit({
    commit: (arrivals: readonly Arrival[]) =>
      keepDeliveries(db, arrivals, arrivals.length > 1 ? LOCK_TIMEOUT_MS.together : LOCK_TIMEOUT_MS.alone),
    weigh: ({ body }) => body.length,
    faultOf,
    limitMs,
  });
}

/** Short, since others wait as well: a delivery that needs what somebody holds is tried again until it is given up. */
const LOCK_TIMEOUT_MS = { together: 500, alone: 100 };

/**
 * Judges and keeps deliveries, each once, all or none. A repeated one only counts, so that it writes no second event and
 * no second fact (B12). Returns their receipts in the order given.
 */
async function keepDeliveries(db: Database, arrivals: readonly Arrival[], lockTimeoutMs?: number): Promise<Receipt[]> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await driverOf(db).begin(async (tx) => {
        const [, receipts] = await Promise.all([
          lockTimeoutMs !== undefined && tx`select set_config('lock_timeout', ${String(lockTimeoutMs)}, true)`,
          keepIn(tx, arrivals),
        ]);
        return receipts;
      });
    } catch (error) {
      // An error of Postgres says that nothing was kept; anything else leaves it open.
      if (error instanceof postgres.PostgresError) for (const arrival of arrivals) sentBefore.delete(arrival);
      if (!overtaken(error) || attempt === ATTEMPTS) throw error;
    }
  }
}

/** Keeps one delivery that is judged already; see {@link keepDeliveries}. */
export async function recordDelivery(db: Database, delivery: JudgedDelivery): Promise<Receipt> {
  const { id, body, issue } = delivery;
  const arrival = { id, body, repositoryId: 0, senderId: 0, issueKey: issue && issueKey(issue), judge: () => delivery };
  const [receipt] = await keepDeliveries(db, [arrival]);
  return receipt as Receipt;
}

/** What is known of a repository and a sender, by GitHub's ids. */
export async function readStanding(db: Database, repositoryId: number, senderId: number): Promise<SenderKnowledge> {
  const knowledgeOf = await readStandings(driverOf(db), [{ repositoryId, senderId }]);
  return knowledgeOf({ repositoryId, senderId });
}

/** Somebody else has kept one of these meanwhile, under the lock of another chain; the next attempt finds it. */
function overtaken(error: unknown): boolean {
  return error instanceof postgres.PostgresError && error.code === UNIQUE_VIOLATION;
}
const UNIQUE_VIOLATION = '23505';
const ATTEMPTS = 3;

/** Those that may be kept, since the answer to that was lost: the next attempt must not take them for repeats. */
const sentBefore = new WeakSet<Arrival>();

/** Statements that are awaited together go to Postgres together and run there one after the other. */
async function keepIn(tx: postgres.TransactionSql, arrivals: readonly Arrival[]): Promise<Receipt[]> {
  const chains = [...new Set(arrivals.map(({ issueKey: key }) => key ?? PLATFORM_CHAIN))].toSorted();
  const [, ends, known, knowledgeOf] = await Promise.all([
    lockChains(tx, chains),
    readChainEnds(tx, chains),
    lockKnown(tx, [...new Set(arrivals.map(({ id }) => id))].toSorted()),
    readStandings(tx, arrivals),
  ]);

  const { fresh, repeats } = sortOut(arrivals, known);
  const kept = fresh.map((arrival) => arrival.judge(knowledgeOf(arrival)));
  const events = kept.map(auditEvent);
  if (!chains.includes(PLATFORM_CHAIN) && events.some(({ chain }) => chain === PLATFORM_CHAIN)) {
    // The repository is not bound. This chain's name comes after every issue's, so the order of the locks holds.
    await lockChains(tx, [PLATFORM_CHAIN]);
    for (const [chain, end] of await readChainEnds(tx, [PLATFORM_CHAIN])) ends.set(chain, end);
  }
  for (const arrival of fresh) sentBefore.add(arrival);
  await Promise.all([
    kept.length > 0 && insertDeliveries(tx, kept, linkEvents(ends, events)),
    addFacts(tx, kept),
    repeats.size > 0 && countRepeats(tx, [...repeats]),
  ]);

  const decisions = new Map<string, Decision>([...known, ...kept.map((delivery) => [delivery.id, delivery] as const)]);
  return arrivals.map((arrival) => {
    const { status, reason, runId } = decisions.get(arrival.id) as Decision;
    return { duplicate: repeats.has(arrival), status, reason, runId };
  });
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

/** The deliveries among these that were kept before, locked in ascending order, so that their repeats can be counted. */
async function lockKnown(tx: postgres.TransactionSql, ids: readonly string[]): Promise<Map<string, Decision>> {
  const rows = await tx<({ id: string } & Decision)[]>`
    select id, status, reason, run_id as "runId" from deliveries
    where id = any(${tx.array([...ids])}::text[]) order by id for update`;
  return new Map(rows.map(({ id, ...decision }) => [id, decision]));
}

/** What is known of the repositories and senders of these. */
async function readStandings(
  sql: postgres.Sql | postgres.TransactionSql,
  asked: readonly Pick<Arrival, 'repositoryId' | 'senderId'>[],
): Promise<(one: Pick<Arrival, 'repositoryId' | 'senderId'>) => SenderKnowledge> {
  const pairs = new Map(asked.map((one) => [pairOf(one), one]));
  const rows = await sql<(Standing & { repositoryId: string; senderId: string })[]>`
    select asked.repository as "repositoryId", asked.sender as "senderId",
      p.id is not null as known, p.platform_role as "platformRole", m.role as "projectRole"
    from unnest(
      ${sql.array([...pairs.values()].map(({ repositoryId }) => String(repositoryId)))}::text[]::bigint[],
      ${sql.array([...pairs.values()].map(({ senderId }) => String(senderId)))}::text[]::bigint[]
    ) as asked(repository, sender)
    join repositories r on r.id = asked.repository
    left join people p on p.id = asked.sender
    left join project_members m on m.project_id = r.project_id and m.person_id = p.id`;
  const found = new Map(
    rows.map(({ repositoryId, senderId, ...standing }) => [`${repositoryId} ${senderId}`, standing]),
  );
  return (one) => {
    const standing = found.get(pairOf(one));
    return { bound: standing !== undefined, standing: standing ?? STRANGER };
  };
}

const STRANGER: Standing = { known: false, platformRole: null, projectRole: null };

function pairOf({ repositoryId, senderId }: Pick<Arrival, 'repositoryId' | 'senderId'>): string {
  return `${repositoryId} ${senderId}`;
}

function auditEvent(delivery: JudgedDelivery): FlowEvent {
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

/** The deliveries and their audit events. The bodies go as one value and are cut out of it again. */
async function insertDeliveries(
  tx: postgres.TransactionSql,
  deliveries: readonly JudgedDelivery[],
  links: readonly LinkedEvent[],
): Promise<void> {
  let bodyEnd = 0;
  const rows = deliveries.map((delivery, index) => {
    const { event: audit, seq, hash, previousHash } = links[index] as LinkedEvent;
    const bodyStart = bodyEnd + 1;
    bodyEnd += delivery.body.length;
    return {
      id: delivery.id,
      event: delivery.event,
      action: delivery.action,
      body_start: bodyStart,
      body_length: delivery.body.length,
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
    };
  });
  const bodies = Buffer.concat(deliveries.map(({ body }) => body));
  await tx`
    with given as materialized (
      select * from json_to_recordset(${JSON.stringify(rows)}::text::json) as given(
        id text, event text, action text, body_start int, body_length int, status text, reason text,
        repository_id bigint, issue_key text, sender text, run_id uuid, received_at timestamptz,
        chain text, type text, payload jsonb, seq int, previous_hash text, hash text)
    ), kept as (
      insert into deliveries (id, event, action, body, status, reason, repository_id, issue_key, sender, run_id,
        received_at, event_payload, event_seq, event_hash)
      select id, event, action, substring((select ${bytesOf(tx, bodies)}) from body_start for body_length), status, reason,
        repository_id, issue_key, sender, run_id, received_at, payload, seq, hash
      from given order by id
    )
    insert into flow_events (id, chain, seq, type, actor_type, actor_id, run_id, correlation_id, payload,
      occurred_at, previous_hash, hash)
    select 'webhook:' || id, chain, seq, type, 'system', 'github-webhook', run_id, id, payload,
      received_at, previous_hash, hash
    from given`;
}

/** Bytes as a parameter. Text is half as long as the driver's hexadecimal digits, and read much faster by Postgres. */
function bytesOf(tx: postgres.TransactionSql, bytes: Buffer): postgres.PendingQuery<postgres.Row[]> {
  const isText = isUtf8(bytes) && !bytes.includes(0);
  return isText ? tx`convert_to(${bytes.toString('utf8')}, 'UTF8')` : tx`${bytes}::bytea`;
}

/** Counts repeats. Their rows are locked already, or new. */
async function countRepeats(tx: postgres.TransactionSql, repeats: readonly Arrival[]): Promise<void> {
  await tx`
    update deliveries set repeats = repeats + again.times
    from (select id, count(*)::int as times from unnest(${tx.array(repeats.map(({ id }) => id))}::text[]) as id group by id) again
    where deliveries.id = again.id`;
}

/**
 * Numbers facts within their issues, in the order given, and says that there are some. The inboxes' row locks keep the
 * numbers gapless and in the order of commits.
 */
async function addFacts(tx: postgres.TransactionSql, deliveries: readonly JudgedDelivery[]): Promise<void> {
  const inboxes = new Map<string, { issue: NonNullable<JudgedDelivery['issue']>; facts: number }>();
  const facts = deliveries.flatMap(({ id, issue, fact }) => {
    if (!issue || !fact) return [];
    const key = issueKey(issue);
    const inbox = inboxes.get(key);
    const place = (inbox?.facts ?? 0) + 1;
    // Only events of the issue itself carry its title and address.
    inboxes.set(key, { issue: inbox && issue.title === '' ? inbox.issue : issue, facts: place });
    return [{ issue_key: key, place, delivery_id: id, fact }];
  });
  const [first] = facts;
  if (!first) return;
  const grown = [...inboxes].map(([key, { issue, facts: added }]) => ({ issue_key: key, issue, added }));
  await Promise.all([
    tx`
      with grown as (
        insert into inboxes (issue_key, issue, last_seq)
        select issue_key, issue, added from json_to_recordset(${JSON.stringify(grown)}::text::json) as g(
          issue_key text, issue jsonb, added int) order by issue_key
        on conflict (issue_key) do update set last_seq = inboxes.last_seq + excluded.last_seq,
          issue = case when excluded.issue->>'title' = '' then inboxes.issue else excluded.issue end
        returning issue_key, last_seq
      ), given as (
        select *, count(*) over (partition by issue_key) as added
        from json_to_recordset(${JSON.stringify(facts)}::text::json) as f(
          issue_key text, place int, delivery_id text, fact jsonb)
      )
      insert into issue_facts (issue_key, seq, delivery_id, fact)
      select given.issue_key, grown.last_seq - given.added + given.place, delivery_id, fact
      from given join grown using (issue_key)`,
    // A hint for all of them: whoever hears it looks at the tables.
    announceIn(tx, { kind: 'facts', key: first.issue_key }),
  ]);
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
