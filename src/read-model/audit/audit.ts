/**
 * Verifies the audit trail: that each hash chain is consistent, and that it agrees with Temporal's histories, which have every
 * event and its position, and with the deliveries, which have their own events. Only reads.
 */
import pLimit from 'p-limit';
import type postgres from 'postgres';
import {
  readChains,
  readEntries,
  type DeliveryEvent,
  type ChainEntry,
  type StoredEvent,
} from '../../store/audit/chain-entries.ts';
import { textArray } from '../../store/connection/text-array.ts';
import { eventHash, FIRST_HASH, type ChainLink } from '../../store/audit/events.ts';
import {
  classifyUnrecorded,
  NOTHING_RECORDED,
  recordedEvents,
  type RecordedChain,
  type RecordedEvent,
  type RecordedHistories,
} from './recorded-chain.ts';

/** A problem with one position of a chain. */
export interface AuditProblem {
  /**
   * `changed`: the row differs from what was written. `removed`: the row is missing. `inserted`: no writer of events wrote the
   * row. `moved`: the row is at another position than it was written at. `unlinked`: the row's previous hash is not that of the
   * row before it; one of the two was rewritten, with its hash. `contradicted`: two sources disagree.
   */
  readonly kind: 'changed' | 'removed' | 'inserted' | 'moved' | 'unlinked' | 'contradicted';
  readonly chain: string;
  readonly seq: number;
  /** The event's id; null for a missing row that no source knows. */
  readonly id: string | null;
  /** Description in a sentence. */
  readonly detail: string;
}

export interface AuditCounts {
  chains: number;
  events: number;
  /** Events whose position and hash are in one of Temporal's histories. */
  byHistories: number;
  /** Events whose position and hash are stored with their delivery. */
  byDeliveries: number;
  /** Events that only the hash chain verifies: Temporal has deleted the history, and no later event of the chain is anchored. */
  unanchored: number;
  problems: number;
}

export interface AuditOptions {
  /** One chain only. */
  readonly chain?: string | undefined;
  /** Without them chains are compared with the deliveries only. */
  readonly histories: RecordedHistories | null;
  readonly onProblem: (problem: AuditProblem) => void;
}

/** Chains per statement, and concurrent groups of chains. */
const GROUP = 20;
const GROUPS_AT_ONCE = 4;

/** Verifies all chains, or one. Memory is bounded by the histories of a few issues, not by the number of events. */
export async function verifyAuditTrail(
  sql: postgres.Sql,
  { chain, histories, onProblem }: AuditOptions,
): Promise<AuditCounts> {
  const counts: AuditCounts = { chains: 0, events: 0, byHistories: 0, byDeliveries: 0, unanchored: 0, problems: 0 };
  const report = (problem: AuditProblem): void => {
    counts.problems += 1;
    onProblem(problem);
  };
  const chains = chain === undefined ? await allChains(sql, histories) : [chain];
  const groups = chunks(chains, GROUP);
  const limit = pLimit(GROUPS_AT_ONCE);
  try {
    await limit.map(groups, async (group) => verifyGroup(sql, group, { histories, counts, report }));
  } finally {
    limit.clearQueue();
  }
  return counts;
}

/** All chains of the tables and of the histories, sorted. */
export async function allChains(sql: postgres.Sql, histories: RecordedHistories | null): Promise<string[]> {
  const [stored, recorded] = await Promise.all([readChains(sql), histories?.chains() ?? []]);
  return [...new Set([...stored, ...recorded])].toSorted();
}

export function chunks<Value>(values: readonly Value[], size: number): Value[][] {
  return Array.from({ length: Math.ceil(values.length / size) }, (_, n) => values.slice(n * size, (n + 1) * size));
}

interface Audit {
  readonly histories: RecordedHistories | null;
  readonly counts: AuditCounts;
  readonly report: (problem: AuditProblem) => void;
}

/** Reads the rows before the histories, so that the histories have every genuine row. */
async function verifyGroup(sql: postgres.Sql, chains: readonly string[], audit: Audit): Promise<void> {
  const recorded = new Map<string, Promise<RecordedChain>>();
  const begin = async (chain: string): Promise<ChainVerifier> =>
    createChainVerifier(chain, audit, audit.histories && ((await recorded.get(chain)) ?? NOTHING_RECORDED));
  const left = new Set(chains);
  let verifier: ChainVerifier | undefined;
  for await (const batch of readEntries(sql, chains, 'stored')) {
    if (audit.histories && recorded.size === 0) readTogether(audit.histories, chains, recorded);
    for (const entry of batch) {
      if (verifier?.chain !== entry.chain) {
        await verifier?.end(sql);
        left.delete(entry.chain);
        verifier = await begin(entry.chain);
      }
      verifier.add(entry);
    }
  }
  await verifier?.end(sql);
  if (audit.histories && recorded.size === 0) readTogether(audit.histories, chains, recorded);
  for (const chain of left) await (await begin(chain)).end(sql);
}

function readTogether(
  histories: RecordedHistories,
  chains: readonly string[],
  into: Map<string, Promise<RecordedChain>>,
): void {
  for (const chain of chains) {
    const reading = histories.read(chain);
    // A rejection is handled where the promise is awaited; until then it must not count as unhandled.
    reading.catch(() => undefined);
    into.set(chain, reading);
  }
}

interface ChainVerifier {
  readonly chain: string;
  add(entry: ChainEntry): void;
  /** Looks once more for missing rows, which may have been written since. */
  end(sql: postgres.Sql): Promise<void>;
}

/** Verifies one chain, position by position. `recorded` is null if no histories are used. */
function createChainVerifier(chain: string, { counts, report }: Audit, recorded: RecordedChain | null): ChainVerifier {
  const known = recorded ? recordedEvents(chain, recorded) : new Map<string, RecordedEvent>();
  const classify = recorded ? classifyUnrecorded(chain, recorded) : () => 'gone' as const;
  const seen = new Set<string>();
  const lone: DeliveryEvent[] = [];
  const gaps: { from: number; to: number }[] = [];
  /** Positions whose events were found elsewhere. */
  const left = new Set<number>();
  let loose = 0;
  /** Runs of an issue end in order, and Temporal deletes the oldest histories first, so all runs after a known one are known. */
  let aRunIsKnown = false;
  let last = { seq: 0, hash: FIRST_HASH, sound: true };
  counts.chains += 1;

  /** The first problem of a row, and the position that it was written at, if known. */
  function faultOf(stored: StoredEvent, delivery: DeliveryEvent | null): Fault | undefined {
    const { seq, event } = stored;
    const remembered = known.get(event.id);
    const anchor = delivery?.link ?? remembered?.links[0];
    if (remembered && remembered.links.length > 1)
      return { kind: 'contradicted', detail: 'two histories have it at different positions' };
    if (!remembered && !delivery) {
      if (event.id.startsWith('webhook:')) return { kind: 'inserted', detail: 'no such delivery' };
      if (classify(event.id) === 'unknown' || (aRunIsKnown && event.id.startsWith('run:')))
        return { kind: 'inserted', detail: 'no workflow wrote it' };
    }
    if (anchor && anchor.seq !== seq)
      return { kind: 'moved', from: anchor.seq, detail: `it was written at ${anchor.seq}` };
    if (!isWhole(stored)) {
      const from = anchor ? undefined : positionByHash(stored);
      return from === undefined
        ? { kind: 'changed', detail: 'its content does not match its hash' }
        : { kind: 'moved', from, detail: `its hash is that of position ${from}` };
    }
    if (anchor && anchor.hash !== stored.hash)
      return {
        kind: 'changed',
        detail: `it was written anew: its hash is not the one that ${delivery?.link ? 'its delivery' : "Temporal's history"} holds`,
      };
    if (seq <= last.seq) return { kind: 'inserted', detail: 'another row has its position' };
    const contents = anchor ? [] : (remembered?.contents ?? (delivery?.event ? [delivery.event] : []));
    if (
      contents.length > 0 &&
      !contents.some((content) => eventHash(stored.previousHash, seq, content) === stored.hash)
    )
      return { kind: 'changed', detail: 'it was written anew: it does not say what its workflow asked to be written' };
    if (seq === last.seq + 1 && last.sound && stored.previousHash !== last.hash)
      return { kind: 'unlinked', detail: `it does not follow the row at ${last.seq}: one of the two was written anew` };
    return undefined;
  }

  /** Counts anchored rows: a later anchored row also verifies the rows before it. */
  function countAnchor(stored: StoredEvent, delivery: DeliveryEvent | null, sound: boolean): void {
    const byDelivery = (delivery?.link ?? null) !== null;
    const byHistory = !byDelivery && (known.get(stored.event.id)?.links.length ?? 0) > 0;
    if (byDelivery) counts.byDeliveries += 1;
    if (byHistory) counts.byHistories += 1;
    if (byHistory && stored.event.id.startsWith('run:')) aRunIsKnown = true;
    if (!byDelivery && !byHistory) loose += 1;
    else if (sound) loose = 0;
  }

  function add({ stored, delivery }: ChainEntry): void {
    if (!stored) {
      if (delivery) lone.push(delivery);
      return;
    }
    const { seq, event } = stored;
    counts.events += 1;
    seen.add(event.id);
    if (seq > last.seq + 1) gaps.push({ from: last.seq + 1, to: seq - 1 });
    const fault = faultOf(stored, delivery);
    if (fault?.from !== undefined) left.add(fault.from);
    if (fault) report({ kind: fault.kind, chain, seq, id: event.id, detail: fault.detail });
    countAnchor(stored, delivery, fault === undefined);
    if (seq > last.seq) last = { seq, hash: stored.hash, sound: fault === undefined };
  }

  async function end(sql: postgres.Sql): Promise<void> {
    const missing = new Map<number, string>();
    for (const { id, link } of lone) missing.set(link?.seq ?? 0, id);
    const unseen = [...known.values()].filter(({ id, links }) => links.length > 0 && !seen.has(id));
    const later = unseen.length > 0 ? await readLinks(sql, chain, unseen) : new Map<string, ChainLink>();
    for (const { id, links } of unseen) {
      const [link] = links;
      const found = later.get(id);
      if (link && !(found?.seq === link.seq && found.hash === link.hash)) missing.set(link.seq, id);
    }
    for (const { from, to } of gaps) reportGap(from, to, missing);
    for (const [seq, id] of missing) report({ kind: 'removed', chain, seq, id, detail: 'it is not there any more' });
    counts.unanchored += loose;
  }

  /** Reports missing positions that no source knows, in as few lines as possible; the others are left in `missing`. */
  function reportGap(from: number, to: number, missing: ReadonlyMap<number, string>): void {
    const named = new Set([...missing.keys(), ...left].filter((seq) => seq >= from && seq <= to));
    let start = from;
    for (const seq of [...[...named].toSorted((one, other) => one - other), to + 1]) {
      if (seq > start) {
        const detail = seq - 1 > start ? `nothing is there, nor at the places up to ${seq - 1}` : 'nothing is there';
        report({ kind: 'removed', chain, seq: start, id: null, detail });
      }
      start = seq + 1;
    }
  }

  return { chain, add, end };
}

interface Fault extends Pick<AuditProblem, 'kind' | 'detail'> {
  readonly from?: number;
}

function isWhole({ previousHash, seq, event, hash, finer }: StoredEvent): boolean {
  return !finer && eventHash(previousHash, seq, event) === hash;
}

/** Limit for the search; chains are short, and only broken rows are searched for. */
const POSITIONS_TRIED = 5000;

/** The position that a row's hash was computed for, if it is within the limit. */
function positionByHash({ previousHash, seq, event, hash, finer }: StoredEvent): number | undefined {
  if (finer) return undefined;
  for (let distance = 1; distance < POSITIONS_TRIED; distance += 1) {
    for (const from of [seq - distance, seq + distance]) {
      if (from > 0 && eventHash(previousHash, from, event) === hash) return from;
    }
  }
  return undefined;
}

async function readLinks(
  sql: postgres.Sql,
  chain: string,
  events: readonly RecordedEvent[],
): Promise<Map<string, ChainLink>> {
  const rows = await sql<({ id: string } & ChainLink)[]>`
    select id, seq, hash from flow_events
    where chain = ${chain} and id = any(${textArray(
      sql,
      events.map(({ id }) => id),
    )})`;
  return new Map(rows.map(({ id, ...link }) => [id, link]));
}
