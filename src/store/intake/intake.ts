/**
 * The durable intake (docs/decisions.md, 3): deliveries, their decisions, their facts and their audit events, in one
 * transaction. Deliveries that arrive together are stored together, in a handful of statements for all of them.
 */
import postgres from 'postgres';
import { issueKey } from '../../domain/issue/facts.ts';
import { chainEnds, linkEvents, lockChains, selectChainEnds, type ChainEndsJson } from '../audit/chains.ts';
import { PLATFORM_CHAIN, type ChainLink } from '../audit/events.ts';
import { driverOf, type Database } from '../connection/database.ts';
import { createGroupCommit, type Fault, type GroupCommit } from '../connection/group-commit.ts';
import type { Arrival, EvaluatedDelivery, Receipt, SenderContext } from './arrivals.ts';
import { auditEvent, countRepeats, nameLabel, writeDeliveries } from './deliveries.ts';
import { addToInboxes, openInboxesOf } from './gone-repositories.ts';
import { membershipsIn, selectMemberships, type Asked, type MembershipsJson } from './memberships.ts';

export type Intake = Pick<GroupCommit<Arrival, Receipt>, 'add'>;

/** Milliseconds until a delivery is answered with 503: below the 5 s that GitHub is promised. */
export const COMMIT_LIMIT_MS = 4500;

/** How to open the database of an intake: timeouts are short, so that a dead connection or a lock leaves time for a retry. */
export const INTAKE_CONNECTION = { name: 'intake', max: 8, statementTimeoutMs: 2000, lockTimeoutMs: 300 };

/** Creates an intake over a database; `limitMs` bounds how long a delivery waits for its commit. */
export function createIntake(db: Database, limitMs = COMMIT_LIMIT_MS): Intake {
  return createGroupCommit({
    commit: (arrivals: readonly Arrival[]) => storeDeliveries(db, arrivals),
    weigh: ({ body }) => body.length,
    kinOf: ({ issueKey: key }) => key ?? PLATFORM_CHAIN,
    faultOf,
    limitMs,
  });
}

/**
 * Evaluates and stores deliveries, each once, all or none. A duplicate is only counted: it writes no second audit event and no
 * second fact. Returns their receipts in the order given.
 */
async function storeDeliveries(db: Database, arrivals: readonly Arrival[]): Promise<Receipt[]> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      const { receipts, written } = await driverOf(db).begin((tx) => storeIn(tx, arrivals));
      await written;
      return receipts;
    } catch (error) {
      // An error from Postgres means that nothing was committed; after any other error nobody knows.
      if (error instanceof postgres.PostgresError) for (const arrival of arrivals) sentBefore.delete(arrival);
      if (!overtaken(error) || attempt === ATTEMPTS) throw error;
    }
  }
}

/** Stores one delivery that is already evaluated; see {@link storeDeliveries}. */
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
  const [receipt] = await storeDeliveries(db, [arrival]);
  return receipt as Receipt;
}

/** Another server has stored one of these meanwhile, under the lock of another chain; the next attempt finds it. */
function overtaken(error: unknown): boolean {
  return error instanceof postgres.PostgresError && error.code === UNIQUE_VIOLATION;
}
const UNIQUE_VIOLATION = '23505';
const ATTEMPTS = 3;

/** Arrivals whose commit may have succeeded although its answer was lost: the next attempt must not count them as duplicates. */
const sentBefore = new WeakSet<Arrival>();

/**
 * Locks and reads, evaluates, then writes and commits. Statements sent together run one after the other in Postgres, so this
 * takes two round trips. Await `written` after the commit.
 */
async function storeIn(
  tx: postgres.TransactionSql,
  arrivals: readonly Arrival[],
): Promise<{ receipts: Receipt[]; written: Promise<unknown> }> {
  const chains = [...new Set(arrivals.map(({ issueKey: key }) => key ?? PLATFORM_CHAIN))].toSorted();
  const [, { known, ends, contextOf, issuesWithRequest }] = await Promise.all([
    lockChains(tx, chains),
    read(tx, arrivals, chains),
  ]);

  const { fresh, repeats } = sortOut(arrivals, known);
  const openInboxes = await openInboxesOf(tx, fresh);
  const stored = fresh.map((arrival) => {
    const openIssues = openInboxes.get(arrival)?.length;
    const openRequest = arrival.issueKey !== null && issuesWithRequest.has(arrival.issueKey);
    return arrival.evaluate({
      ...contextOf(arrival),
      openRequest,
      ...(openIssues === undefined ? {} : { openIssues }),
    });
  });
  const events = stored.map(auditEvent);
  if (!chains.includes(PLATFORM_CHAIN) && events.some(({ chain }) => chain === PLATFORM_CHAIN)) {
    // The repository is not bound. This chain's name comes after every issue's, so the order of the locks holds.
    await lockChains(tx, [PLATFORM_CHAIN]);
    const [row] = await tx<{ ends: ChainEndsJson }[]>`select ${selectChainEnds(tx, [PLATFORM_CHAIN])} as ends`;
    for (const [chain, end] of chainEnds(row?.ends ?? null)) ends.set(chain, end);
  }
  for (const arrival of fresh) sentBefore.add(arrival);
  const written = Promise.all([
    stored.length > 0 && writeDeliveries(tx, stored, linkEvents(ends, events)),
    ...fresh.map((arrival, index) =>
      addToInboxes(tx, stored[index] as EvaluatedDelivery, openInboxes.get(arrival) ?? []),
    ),
    repeats.size > 0 && countRepeats(tx, [...repeats]),
    ...stored.map((delivery) => nameLabel(tx, delivery)),
  ]);
  written.catch(() => undefined); // the transaction fails with the same error

  const decisions = new Map<string, Decision>([
    ...known,
    ...stored.map((delivery) => [delivery.id, delivery] as const),
  ]);
  const receipts = arrivals.map((arrival) => {
    const { status, reason, runId, renamed } = decisions.get(arrival.id) as Decision;
    return { duplicate: repeats.has(arrival), status, reason, runId, ...(renamed && { renamed }) };
  });
  return { receipts, written };
}

/** Separates new deliveries from duplicates. Of those with the same id the first is new, unless it is stored already. */
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

type Decision = Pick<Receipt, 'status' | 'reason' | 'runId' | 'renamed'>;

/** Reads what evaluation needs: stored deliveries with these ids, ends of chains, memberships, issues with an open request. */
async function read(
  tx: postgres.TransactionSql,
  arrivals: readonly Arrival[],
  chains: readonly string[],
): Promise<{
  known: Map<string, Decision>;
  ends: Map<string, ChainLink>;
  contextOf: (one: Asked) => SenderContext;
  issuesWithRequest: ReadonlySet<string>;
}> {
  const ids = arrivals.map(({ id }) => id);
  const [row] = await tx<
    {
      known: ({ id: string } & Decision)[] | null;
      ends: ChainEndsJson;
      memberships: MembershipsJson;
      issues_with_request: string[] | null;
    }[]
  >`
    select ${selectChainEnds(tx, chains)} as ends, ${selectMemberships(tx, arrivals)} as memberships, (
      select json_agg(json_build_object('id', id, 'status', status, 'reason', reason, 'runId', run_id))
      from deliveries where id = any(${tx.array(ids)}::text[])) as known, (
      select json_agg(distinct issue_key) from requests
      where closed_at is null and issue_key = any(${tx.array([...chains])}::text[])) as issues_with_request`;
  return {
    known: new Map((row?.known ?? []).map(({ id, ...decision }) => [id, decision])),
    ends: chainEnds(row?.ends ?? null),
    contextOf: membershipsIn(row?.memberships ?? null),
    issuesWithRequest: new Set(row?.issues_with_request ?? []),
  };
}

/** SQLSTATE classes of deadlocks, and of locks that were not granted in time. */
const CONTENTION = /^(40|55)/;
/** SQLSTATE classes of bad data, violated constraints, exceeded limits, and bugs. */
const OF_THE_DATA = /^(21|22|23|42|54|XX)/;

function faultOf(error: unknown): Fault {
  if (error instanceof postgres.PostgresError) {
    if (CONTENTION.test(error.code)) return 'contention';
    return OF_THE_DATA.test(error.code) ? 'item' : 'store';
  }
  // Errors of the network and of the driver have a code; what `evaluate` throws has none.
  return error instanceof Error && 'code' in error ? 'store' : 'item';
}
