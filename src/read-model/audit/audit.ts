/**
 * Verifies the audit trail: that each chain is whole in itself, and that it says what others remember of it: Temporal's
 * histories, which hold every event and its place, and the deliveries, which vouch for their own. Only reads.
 */
import pLimit from 'p-limit';
import type postgres from 'postgres';
import {
  readChains,
  readPlaces,
  textArray,
  type DeliveryEvent,
  type Place,
  type StoredEvent,
} from '../../store/audit/chain-places.ts';
import { eventHash, FIRST_HASH, type ChainLink } from '../../store/audit/events.ts';
import {
  judgeUnrecorded,
  NOTHING_RECORDED,
  recordedEvents,
  type RecordedChain,
  type RecordedEvent,
  type RecordedHistories,
} from './recorded-chain.ts';

/** What is wrong with a place of a chain. */
export interface AuditProblem {
  /**
   * `changed`: the row does not say what was written. `removed`: a row is not there any more. `inserted`: nothing that
   * writes events wrote this row. `moved`: the row stands at another place than it was written at. `unlinked`: the row
   * does not follow the one before it; one of the two was written anew, hash and all. `contradicted`: two that should
   * remember the same do not.
   */
  readonly kind: 'changed' | 'removed' | 'inserted' | 'moved' | 'unlinked' | 'contradicted';
  readonly chain: string;
  readonly seq: number;
  /** The event's id; null for a row that is gone and that nobody remembers. */
  readonly id: string | null;
  /** What is wrong, in a sentence. */
  readonly detail: string;
}

export interface AuditCounts {
  chains: number;
  events: number;
  /** Events whose place and hash one of Temporal's histories holds. */
  byHistories: number;
  /** Events whose place and hash their delivery holds. */
  byDeliveries: number;
  /** Events that only their chain vouches for: Temporal has dropped what wrote them, and nothing after them is anchored. */
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

/** Chains that are read with one statement, and groups of them under way at once. */
const GROUP = 20;
const GROUPS_AT_ONCE = 4;

/** Verifies every chain, or one. Memory is bounded by what the histories of a few issues hold, not by the number of events. */
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

/** Every chain that the tables or the histories know, in their order. */
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

/** The rows are read as of a moment before the histories are: so every genuine row is known to them. */
async function verifyGroup(sql: postgres.Sql, chains: readonly string[], audit: Audit): Promise<void> {
  const recorded = new Map<string, Promise<RecordedChain>>();
  const begin = async (chain: string): Promise<ChainVerifier> =>
    createChainVerifier(chain, audit, audit.histories && ((await recorded.get(chain)) ?? NOTHING_RECORDED));
  const left = new Set(chains);
  let verifier: ChainVerifier | undefined;
  for await (const batch of readPlaces(sql, chains, 'stored')) {
    if (audit.histories && recorded.size === 0) readTogether(audit.histories, chains, recorded);
    for (const place of batch) {
      if (verifier?.chain !== place.chain) {
        await verifier?.end(sql);
        left.delete(place.chain);
        verifier = await begin(place.chain);
      }
      verifier.place(place);
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
    // Whoever awaits it hears of a failure; until then it is nobody's.
    reading.catch(() => undefined);
    into.set(chain, reading);
  }
}

interface ChainVerifier {
  readonly chain: string;
  place(place: Place): void;
  /** What is not there is looked for once more: it may have been written since. */
  end(sql: postgres.Sql): Promise<void>;
}

/** Verifies one chain, place after place. `recorded` is null when no histories are consulted. */
function createChainVerifier(chain: string, { counts, report }: Audit, recorded: RecordedChain | null): ChainVerifier {
  const known = recorded ? recordedEvents(chain, recorded) : new Map<string, RecordedEvent>();
  const judge = recorded ? judgeUnrecorded(chain, recorded) : () => 'gone' as const;
  const seen = new Set<string>();
  const lone: DeliveryEvent[] = [];
  const gaps: { from: number; to: number }[] = [];
  /** Places whose events were found elsewhere. */
  const left = new Set<number>();
  let loose = 0;
  /** Runs of an issue end one after the other, and Temporal drops the oldest first: so those after a known one are known. */
  let aRunIsKnown = false;
  let last = { seq: 0, hash: FIRST_HASH, sound: true };
  counts.chains += 1;

  /** The first thing that is wrong with a row, and where it was written if that is known. */
  function faultOf(stored: StoredEvent, delivery: DeliveryEvent | null): Fault | undefined {
    const { seq, event } = stored;
    const remembered = known.get(event.id);
    const anchor = delivery?.link ?? remembered?.links[0];
    if (remembered && remembered.links.length > 1)
      return { kind: 'contradicted', detail: 'two histories say that it was written at two places' };
    if (!remembered && !delivery) {
      if (event.id.startsWith('webhook:')) return { kind: 'inserted', detail: 'there is no such delivery' };
      if (judge(event.id) === 'unknown' || (aRunIsKnown && event.id.startsWith('run:')))
        return { kind: 'inserted', detail: 'no workflow asked for it' };
    }
    if (anchor && anchor.seq !== seq)
      return { kind: 'moved', from: anchor.seq, detail: `it was written at ${anchor.seq}` };
    if (!isWhole(stored)) {
      const from = anchor ? undefined : placeByHash(stored);
      return from === undefined
        ? { kind: 'changed', detail: 'its content is not the one that its hash was made of' }
        : { kind: 'moved', from, detail: `its hash is that of place ${from}` };
    }
    if (anchor && anchor.hash !== stored.hash)
      return {
        kind: 'changed',
        detail: `it was written anew: its hash is not the one that ${delivery?.link ? 'its delivery' : "Temporal's history"} holds`,
      };
    if (seq <= last.seq) return { kind: 'inserted', detail: 'its place is taken' };
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

  /** Rows that something later is anchored to are vouched for by it. */
  function countAnchor(stored: StoredEvent, delivery: DeliveryEvent | null, sound: boolean): void {
    const byDelivery = (delivery?.link ?? null) !== null;
    const byHistory = !byDelivery && (known.get(stored.event.id)?.links.length ?? 0) > 0;
    if (byDelivery) counts.byDeliveries += 1;
    if (byHistory) counts.byHistories += 1;
    if (byHistory && stored.event.id.startsWith('run:')) aRunIsKnown = true;
    if (!byDelivery && !byHistory) loose += 1;
    else if (sound) loose = 0;
  }

  function place({ stored, delivery }: Place): void {
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

  /** Places that nobody remembers, in as few lines as say it; those that somebody does are left in `missing`. */
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

  return { chain, place, end };
}

interface Fault extends Pick<AuditProblem, 'kind' | 'detail'> {
  readonly from?: number;
}

function isWhole({ previousHash, seq, event, hash, finer }: StoredEvent): boolean {
  return !finer && eventHash(previousHash, seq, event) === hash;
}

/** Chains are short, and this is for rows that are broken already. */
const PLACES_TRIED = 5000;

/** The place that a row's hash was made for, if it is one near enough. */
function placeByHash({ previousHash, seq, event, hash, finer }: StoredEvent): number | undefined {
  if (finer) return undefined;
  for (let distance = 1; distance < PLACES_TRIED; distance += 1) {
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
