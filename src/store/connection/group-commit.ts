/**
 * Group commit: items that arrive during the commit of one batch are committed together in the next. Independent of what is
 * committed; limited in items, bytes, concurrent batches and time.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import pLimit from 'p-limit';

/**
 * Cause of a failed commit. `item`: one of the items can never be committed. `contention`: a lock that one of the items needs
 * is held by another transaction. `store`: the database is unavailable, perhaps only for a moment.
 */
export type Fault = 'item' | 'contention' | 'store';

export interface GroupCommitOptions<Item, Result> {
  /** Commits all of these or none, and returns their results in the same order. */
  readonly commit: (items: readonly Item[]) => Promise<readonly Result[]>;
  /** Size of an item in bytes. */
  readonly weigh: (item: Item) => number;
  /** Items with the same key are committed in order: never in two batches at once. */
  readonly kinOf: (item: Item) => string;
  readonly faultOf: (error: unknown) => Fault;
  /** Milliseconds until an item is given up. A commit that had begun by then may come all the same. */
  readonly limitMs: number;
}

export interface GroupCommit<Item, Result> {
  /** Resolves when the item is committed. Rejects with the error of its own commit, or {@link NotCommittedInTime}. */
  add(item: Item): Promise<Result>;
}

/** The item timed out, or was rejected because too many are waiting. */
export class NotCommittedInTime extends Error {
  override readonly name = 'NotCommittedInTime';
}

/** Items in one batch: enough to share a commit's cost, few enough that its locks are held for milliseconds. */
const BATCH_ITEMS = 128;
const BATCH_BYTES = 4 * 1024 * 1024;
/**
 * Two batches at a time: while one waits for the disk the other is read and written, and each is as large as it can be. Beside
 * those that take longer than this, for a slow disk or a dead connection, another.
 */
const QUICK_AT_ONCE = 2;
const SLOW_MS = 100;
const BATCHES_AT_ONCE = 3;
/** Limits of the queue: what can be committed in time and fits in memory. */
const WAITING_ITEMS = 10_000;
const WAITING_BYTES = 64 * 1024 * 1024;
/** Milliseconds between attempts. */
const AGAIN_MS = 200;
/** Fewer than a pool has connections, so that items which wait for somebody else never hold up the batches. */
const ALONE_AT_ONCE = 4;

interface Waiting<Item, Result> {
  readonly item: Item;
  readonly bytes: number;
  readonly resolve: (result: Result) => void;
  readonly reject: (error: unknown) => void;
  readonly timer: NodeJS.Timeout;
  givenUp: boolean;
  /** The error of its last attempt. */
  failure: unknown;
}

export function createGroupCommit<Item, Result>(options: GroupCommitOptions<Item, Result>): GroupCommit<Item, Result> {
  let waiting: Waiting<Item, Result>[] = [];
  let waitingBytes = 0;
  let underWay = 0;
  /** Keys of the items in batches under way. */
  const busy = new Set<string>();
  /** Batches under way that do not take long yet. */
  let quick = 0;
  let scheduled = false;

  function add(item: Item): Promise<Result> {
    const bytes = options.weigh(item);
    if (waiting.length >= WAITING_ITEMS || waitingBytes + bytes > WAITING_BYTES) {
      return Promise.reject(new NotCommittedInTime('group commit queue is full'));
    }
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => giveUp(entry), options.limitMs);
      const entry: Waiting<Item, Result> = { item, bytes, resolve, reject, timer, givenUp: false, failure: undefined };
      waiting.push(entry);
      waitingBytes += bytes;
      schedule();
    });
  }

  function giveUp(entry: Waiting<Item, Result>): void {
    entry.givenUp = true;
    entry.reject(new NotCommittedInTime(`no commit within ${options.limitMs} ms`, { cause: entry.failure }));
  }

  /** Items that arrive in the same turn of the event loop are committed together. */
  function schedule(): void {
    if (scheduled || quick >= QUICK_AT_ONCE || underWay >= BATCHES_AT_ONCE || waiting.length === 0) return;
    scheduled = true;
    setImmediate(() => {
      scheduled = false;
      const batch = takeBatch();
      if (batch.length === 0) return; // all that waits has kin under way, whose end is the next occasion
      void commitTogether(batch);
      schedule();
    });
  }

  /** The longest-waiting items within the limits of a batch, except those that were given up or whose key is under way. */
  function takeBatch(): Waiting<Item, Result>[] {
    const batch: Waiting<Item, Result>[] = [];
    const left: Waiting<Item, Result>[] = [];
    let bytes = 0;
    let full = false;
    for (const entry of waiting) {
      full ||= batch.length === BATCH_ITEMS || (batch.length > 0 && bytes + entry.bytes > BATCH_BYTES);
      if (!entry.givenUp && (full || busy.has(options.kinOf(entry.item)))) {
        left.push(entry);
        continue;
      }
      waitingBytes -= entry.bytes;
      if (entry.givenUp) continue;
      bytes += entry.bytes;
      batch.push(entry);
    }
    waiting = left;
    return batch;
  }

  async function commitTogether(batch: readonly Waiting<Item, Result>[]): Promise<void> {
    const kin = new Set(batch.map(({ item }) => options.kinOf(item)));
    for (const one of kin) busy.add(one);
    underWay += 1;
    quick += 1;
    let isQuick = true;
    const noLongerQuick = (): void => {
      if (isQuick) quick -= 1;
      isQuick = false;
      schedule();
    };
    const timer = setTimeout(noLongerQuick, SLOW_MS);
    const fault = await commitWhole(batch);
    clearTimeout(timer);
    underWay -= 1;
    for (const one of kin) busy.delete(one);
    noLongerQuick();
    if (fault) await commitEachAlone(batch);
  }

  /** Retries until the store is available. Returns any other error. */
  async function commitWhole(batch: readonly Waiting<Item, Result>[]): Promise<Fault | undefined> {
    for (;;) {
      const fault = await commitOnce(batch.filter(({ givenUp }) => !givenUp));
      if (fault !== 'store') return fault;
      await sleep(AGAIN_MS);
    }
  }

  /** Finds the item that makes a batch fail by trying each alone; others are retried. */
  async function commitEachAlone(batch: readonly Waiting<Item, Result>[]): Promise<void> {
    let left = [...batch];
    while (left.length > 0) {
      const untried = left;
      left = [];
      await pLimit(ALONE_AT_ONCE).map(untried, async (entry) => {
        const fault = await commitOnce(entry.givenUp ? [] : [entry]);
        if (fault === 'item') fail(entry);
        else if (fault) left.push(entry);
      });
      if (left.length > 0) await sleep(AGAIN_MS);
    }
  }

  async function commitOnce(entries: readonly Waiting<Item, Result>[]): Promise<Fault | undefined> {
    if (entries.length === 0) return undefined;
    try {
      settle(entries, await options.commit(entries.map(({ item }) => item)));
      return undefined;
    } catch (error) {
      for (const entry of entries) entry.failure = error;
      return options.faultOf(error);
    }
  }

  return { add };
}

function settle<Item, Result>(batch: readonly Waiting<Item, Result>[], results: readonly Result[]): void {
  for (const [index, entry] of batch.entries()) {
    clearTimeout(entry.timer);
    entry.resolve(results[index] as Result);
  }
}

function fail<Item, Result>(entry: Waiting<Item, Result>): void {
  clearTimeout(entry.timer);
  entry.reject(entry.failure);
}
