/**
 * Makes one chain again, place after place, from those who remember it: Temporal's histories, the deliveries, and for what
 * both have forgotten the table itself. Every place is proven by the next anchored hash.
 */
import type { ChainEntry, StoredEvent } from '../../store/audit/chain-entries.ts';
import { eventHash, FIRST_HASH, type ChainLink, type FlowEvent } from '../../store/audit/events.ts';
import { classifyUnrecorded, recordedEvents, type RecordedChain } from '../audit/recorded-chain.ts';

/** Where the content of a rebuilt event is from. `unexplained`: from a row that nothing should have written. */
export type Origin = 'history' | 'delivery' | 'carried' | 'unexplained';

export interface RebuiltEvent extends ChainLink {
  readonly event: FlowEvent;
  readonly previousHash: string;
  readonly origin: Origin;
}

/** Why a chain cannot be made again as it was. */
export interface RebuildProblem {
  readonly chain: string;
  readonly seq: number;
  readonly id: string | null;
  readonly detail: string;
}

export interface ChainBuilder {
  readonly chain: string;
  /** In the order of anchored places. */
  add(entry: ChainEntry): void;
  /** Ends the chain; returns the ids of the rows that have no place in it. */
  end(): { leftOut: string[] };
}

interface Candidate {
  readonly event: FlowEvent;
  readonly origin: Origin;
}

/** An event whose place and hash are known, and what it may say. */
interface Anchor extends ChainLink {
  readonly id: string;
  readonly candidates: readonly Candidate[];
}

/** Events whose places no history holds are those of a worker that was in the middle: few, and few orders to try. */
const LONGEST_SEARCH = 50;
const TRIES = 20_000;

export interface ChainBuilderOptions {
  readonly onEvent: (event: RebuiltEvent) => void;
  readonly onProblem: (problem: RebuildProblem) => void;
  /** Where the chain is gone on with; at its beginning by default. */
  readonly after?: ChainLink | undefined;
  /** Whether the table has lost its rows, those of this chain among them. */
  readonly emptied?: boolean | undefined;
}

export function createChainBuilder(
  chain: string,
  recorded: RecordedChain,
  { onEvent, onProblem, after = { seq: 0, hash: FIRST_HASH }, emptied = false }: ChainBuilderOptions,
): ChainBuilder {
  const known = recordedEvents(chain, recorded);
  const classify = classifyUnrecorded(chain, recorded);
  const anchors = anchorsOf(known, after.seq);
  /** What has no place yet: written by a worker that did not come to report it, or not written at all. */
  const waiting = new Map<string, readonly Candidate[]>(
    [...known.values()]
      .filter(({ links }) => links.length === 0)
      .map(({ id, contents }) => [id, contents.map((event) => ({ event, origin: 'history' }))]),
  );
  /** Rows at places that nothing else vouches for, by place. */
  const rows = new Map<number, StoredEvent>();
  /** Of the rows that neither a history nor a delivery knows: those that one would have to know, and those it need not. */
  const strangers = new Set<string>();
  const orphans = new Set<string>();
  /** What had no place and was given one. */
  const placed = new Set<string>();
  let nextAnchor = 0;
  let last = after;
  let broken = false;
  let rowsAreMissing = emptied;
  const stored = new Set<string>();

  function fail(seq: number, id: string | null, detail: string): void {
    if (!broken) onProblem({ chain, seq, id, detail });
    broken = true;
  }

  function emit({ event, origin }: Candidate): void {
    const seq = last.seq + 1;
    const hash = eventHash(last.hash, seq, event);
    onEvent({ event, origin, seq, previousHash: last.hash, hash });
    last = { seq, hash };
    if (waiting.delete(event.id)) placed.add(event.id);
    strangers.delete(event.id);
    orphans.delete(event.id);
  }

  /** What may stand at a place between anchors, the likeliest first. */
  function candidatesFor(seq: number, used: ReadonlySet<string>): Candidate[] {
    const row = rows.get(seq);
    const own = row ? (waiting.get(row.event.id) ?? rowCandidate(row)) : [];
    const others = [...waiting].filter(([id]) => id !== row?.event.id).flatMap(([, candidates]) => candidates);
    return [...own, ...others].filter(({ event }) => !used.has(event.id));
  }

  function rowCandidate({ event }: StoredEvent): Candidate[] {
    if (known.has(event.id)) return [];
    const stranger = strangers.has(event.id);
    return [{ event, origin: stranger ? 'unexplained' : 'carried' }];
  }

  /** The events up to and with an anchor, so that they lead to its hash; undefined when none do. */
  function path(anchor: Anchor): Candidate[] | undefined {
    const length = anchor.seq - last.seq - 1;
    if (length > rows.size + waiting.size) return undefined;
    return rowByRow(anchor) ?? (length > 0 && length <= LONGEST_SEARCH ? search(anchor) : undefined);
  }

  /** What each row says, or what was asked for under its id. */
  function rowByRow({ seq: end, hash, candidates }: Anchor): Candidate[] | undefined {
    const taken: Candidate[] = [];
    let previous = last.hash;
    for (let seq = last.seq + 1; seq < end; seq += 1) {
      const row = rows.get(seq);
      const [candidate] = row ? (waiting.get(row.event.id) ?? rowCandidate(row)) : [];
      if (!candidate) return undefined;
      taken.push(candidate);
      previous = eventHash(previous, seq, candidate.event);
    }
    const arrived = candidates.find(({ event }) => eventHash(previous, end, event) === hash);
    return arrived && [...taken, arrived];
  }

  /** Every order of what may stand between, until one leads to the anchor. */
  function search({ seq: end, hash, id, candidates }: Anchor): Candidate[] | undefined {
    let tries = 0;
    const used = new Set([id]);
    const taken: Candidate[] = [];
    const walk = (seq: number, previous: string): Candidate | undefined => {
      if (seq === end) return candidates.find(({ event }) => eventHash(previous, seq, event) === hash);
      for (const candidate of candidatesFor(seq, used)) {
        if ((tries += 1) > TRIES) return undefined;
        used.add(candidate.event.id);
        taken.push(candidate);
        const arrived = walk(seq + 1, eventHash(previous, seq, candidate.event));
        if (arrived) return arrived;
        taken.pop();
        used.delete(candidate.event.id);
      }
      return undefined;
    };
    const arrived = walk(last.seq + 1, last.hash);
    return arrived && [...taken, arrived];
  }

  function settle(anchor: Anchor): void {
    if (broken) return;
    if ((known.get(anchor.id)?.links.length ?? 0) > 1) {
      fail(anchor.seq, anchor.id, 'two histories have it at different positions');
      return;
    }
    if (anchor.seq <= last.seq) {
      fail(anchor.seq, anchor.id, 'two events are recorded at this position');
      return;
    }
    const way = path(anchor);
    if (way) for (const candidate of way) emit(candidate);
    else if (anchor.seq === last.seq + 1) fail(anchor.seq, anchor.id, 'its content does not match the recorded hash');
    else {
      const lost = missingPosition(last.seq + 1, anchor.seq);
      fail(
        lost ?? last.seq + 1,
        lost === undefined ? (rows.get(last.seq + 1)?.event.id ?? null) : null,
        lost === undefined
          ? `the known events from here do not lead to the recorded hash of ${anchor.id} at ${anchor.seq}`
          : 'no history, delivery or row has an event for this position',
      );
    }
    for (const seq of rows.keys()) if (seq <= last.seq) rows.delete(seq);
  }

  function missingPosition(from: number, to: number): number | undefined {
    for (let seq = from; seq < to; seq += 1) if (candidatesFor(seq, new Set()).length === 0) return seq;
    return rows.size + waiting.size < to - from ? from : undefined;
  }

  function settleUpTo(seq: number): void {
    for (let anchor = anchors[nextAnchor]; anchor && anchor.seq <= seq; anchor = anchors[nextAnchor]) {
      nextAnchor += 1;
      settle(anchor);
    }
  }

  function add({ stored: row, delivery }: ChainEntry): void {
    if (row) stored.add(row.event.id);
    if (delivery?.link) {
      if (!row) rowsAreMissing = true;
      if (delivery.link.seq <= after.seq) return;
      settleUpTo(delivery.link.seq - 1);
      const content = delivery.event ?? row?.event;
      return settle({
        ...delivery.link,
        id: delivery.id,
        candidates: content ? [{ event: content, origin: delivery.event ? 'delivery' : 'carried' }] : [],
      });
    }
    if (delivery?.event && !row) waiting.set(delivery.id, [{ event: delivery.event, origin: 'delivery' }]);
    if (!row || row.seq <= after.seq) return;
    settleUpTo(row.seq - 1);
    // An event that stands somewhere else is no candidate for this place.
    if ((known.get(row.event.id)?.links.length ?? 0) > 0) return;
    if (delivery?.event) waiting.set(delivery.id, [{ event: delivery.event, origin: 'delivery' }]);
    if (!known.has(row.event.id) && !delivery) {
      const stranger = row.event.id.startsWith('webhook:') || classify(row.event.id) === 'unknown';
      (stranger ? strangers : orphans).add(row.event.id);
    }
    if (!rows.has(row.seq) && row.seq > last.seq) rows.set(row.seq, row);
  }

  /** After the last anchor rows stand for themselves: those of workers that had no time to report, and of gone histories. */
  function settleRows(): void {
    for (const row of [...rows.values()].toSorted((one, other) => one.seq - other.seq)) {
      if (strangers.has(row.event.id) || placed.has(row.event.id) || row.seq <= last.seq || broken) continue;
      const asked = waiting.get(row.event.id);
      const [first] = asked ?? [];
      if (!asked || !first) {
        settle({ seq: row.seq, hash: row.hash, id: row.event.id, candidates: rowCandidate(row) });
        continue;
      }
      // What a workflow asked for counts, whatever the row has become; its hash then is the one of what was asked for.
      const way = path({ seq: row.seq, hash: row.hash, id: row.event.id, candidates: asked });
      if (way) for (const candidate of way) emit(candidate);
      else if (row.seq === last.seq + 1) emit(first);
      else rowsAreMissing = true;
    }
  }

  return {
    chain,
    add,
    end() {
      settleUpTo(Number.MAX_SAFE_INTEGER);
      rowsAreMissing ||= [...known.values()].some(({ id, links }) => links.length > 0 && !stored.has(id));
      settleRows();
      // Where the table has lost rows it may have lost those of which no result was reported yet. They are written now;
      // an activity that tries again finds them.
      if (rowsAreMissing && !broken && after.seq === 0) {
        for (const [id, candidates] of waiting) if (known.get(id)?.open && candidates[0]) emit(candidates[0]);
      }
      return { leftOut: [...strangers, ...orphans] };
    },
  };
}

/** What the histories know the places of, in order; contradictions are two anchors at one place. */
function anchorsOf(known: ReturnType<typeof recordedEvents>, after: number): Anchor[] {
  return [...known.values()]
    .flatMap(({ id, links, contents }) =>
      links.map((link) => ({
        ...link,
        id,
        candidates: contents.map((event): Candidate => ({ event, origin: 'history' })),
      })),
    )
    .filter(({ seq }) => seq > after)
    .toSorted((one, other) => one.seq - other.seq);
}
