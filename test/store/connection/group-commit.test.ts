import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { createGroupCommit, NotCommittedInTime, type GroupCommit } from '../../../src/store/connection/group-commit.ts';
import { count } from '../../support/tables.ts';

/** What is committed to: it holds every batch until it is told what becomes of it. */
class Store {
  readonly batches: string[][] = [];
  readonly committed: string[] = [];
  readonly #held: (() => void)[] = [];
  holds = true;
  fail: (items: readonly string[]) => Error | undefined = () => undefined;

  commit = async (items: readonly string[]): Promise<string[]> => {
    this.batches.push([...items]);
    if (this.holds) await new Promise<void>((resolve) => this.#held.push(resolve));
    const error = this.fail(items);
    if (error) throw error;
    this.committed.push(...items);
    return items.map((item) => `done ${item}`);
  };

  letGo(): void {
    this.holds = false;
    for (const resume of this.#held.splice(0)) resume();
  }
}

class Away extends Error {}
class Held extends Error {}

let store: Store;
let group: GroupCommit<string, string>;

beforeEach(() => {
  store = new Store();
  group = groupOf({});
});
afterEach(() => {
  vi.useRealTimers();
  store.letGo();
});

/** From here on nothing takes long but what is said to. */
function holdTime(): void {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
}

function groupOf({
  limitMs = 20_000,
  weight = 1,
  kinOf = (item: string): string => item,
}): GroupCommit<string, string> {
  return createGroupCommit({
    commit: store.commit,
    weigh: () => weight,
    kinOf: (item) => kinOf(item),
    faultOf: (error) => (error instanceof Away ? 'store' : error instanceof Held ? 'contention' : 'item'),
    limitMs,
  });
}

async function turns(): Promise<void> {
  for (let turn = 0; turn < 5; turn += 1) await new Promise(setImmediate);
}

describe('what arrives together', () => {
  test('is committed together, and each gets its own result', async () => {
    const results = ['a', 'b', 'c'].map((item) => group.add(item));
    await turns();
    expect(store.batches).toEqual([['a', 'b', 'c']]);
    store.letGo();
    expect(await Promise.all(results)).toEqual(['done a', 'done b', 'done c']);
  });

  test('while two batches are under way waits, and goes in one', async () => {
    holdTime();
    const results = [group.add('first')];
    await turns();
    results.push(group.add('second'));
    await turns();
    for (const n of count(1, 100)) results.push(group.add(`${n}`));
    await turns();
    expect(store.batches).toEqual([['first'], ['second']]);
    store.letGo();
    await Promise.all(results);
    expect(store.batches).toEqual([['first'], ['second'], count(1, 100).map(String)]);
  });

  test('while batches take long goes beside them, in one other at most', async () => {
    const results = await addInTurns(group, ['first', 'second', 'third']);
    expect(store.batches).toEqual([['first'], ['second'], ['third']]);
    results.push(group.add('fourth'));
    await new Promise((resolve) => {
      setTimeout(resolve, 500);
    });
    expect(store.batches).toHaveLength(3);
    store.letGo();
    await Promise.all(results);
  });

  test('waits for its kin, so that they are committed in their order, and holds up no other', async () => {
    const family = groupOf({ kinOf: ([letter]) => letter ?? '' });
    const results = ['a1', 'a2', 'b1'].map(async (item) => {
      for (let turn = 0; turn < ['a1', 'a2', 'b1'].indexOf(item); turn += 1) await turns();
      return family.add(item);
    });
    await expect.poll(() => store.batches).toHaveLength(2);
    expect(store.batches).toEqual([['a1'], ['b1']]);
    store.letGo();
    await Promise.all(results);
    expect(store.committed.indexOf('a1')).toBeLessThan(store.committed.indexOf('a2'));
  });

  test('is split into batches of 128', async () => {
    store.holds = false;
    await Promise.all(count(1, 300).map((n) => group.add(`${n}`)));
    expect(store.batches.map(({ length }) => length)).toEqual([128, 128, 44]);
    expect(store.committed).toEqual(count(1, 300).map(String));
  });

  test('is split where it weighs too much', async () => {
    store.holds = false;
    const heavy = groupOf({ weight: 1_000_000 });
    await Promise.all(count(1, 10).map((n) => heavy.add(`${n}`)));
    expect(store.batches.map(({ length }) => length)).toEqual([4, 4, 2]);
  });
});

describe('an item that cannot be committed', () => {
  test('fails alone', async () => {
    store.holds = false;
    store.fail = (items) => (items.includes('bad') ? new Error('bad data') : undefined);
    const results = await Promise.allSettled(['a', 'bad', 'b'].map((item) => group.add(item)));
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(store.committed.toSorted()).toEqual(['a', 'b']);
  });

  test('fails with its own error', async () => {
    store.holds = false;
    store.fail = (items) => (items.includes('bad') ? new Error(`not ${items.join()}`) : undefined);
    const [, bad] = [group.add('a'), group.add('bad')];
    await expect(bad).rejects.toThrow('not bad');
  });

  test('does not hold up what comes after it', async () => {
    store.fail = (items) => (items.includes('bad') ? new Error('bad data') : undefined);
    void group.add('bad').catch(() => undefined);
    store.letGo();
    expect(await group.add('good')).toBe('done good');
  });
});

describe('an item that must wait for somebody else', () => {
  test('is tried again, and holds up no other', async () => {
    let isHeld = true;
    store.holds = false;
    store.fail = (items) => (isHeld && items.includes('held') ? new Held() : undefined);
    const held = group.add('held');
    expect(await Promise.all(['a', 'b'].map((item) => group.add(item)))).toEqual(['done a', 'done b']);
    isHeld = false;
    expect(await held).toBe('done held');
  });

  test('leaves room for the batches, however many there are', async () => {
    store.holds = false;
    store.fail = (items) => (items.some((item) => item.startsWith('held')) ? new Held() : undefined);
    const held = groupOf({ limitMs: 1500 });
    const waiting = count(1, 50).map((n) => held.add(`held ${n}`));
    const results = Promise.allSettled(waiting).then((all) => new Set(all.map(({ status }) => status)));
    await Promise.all(count(1, 5).map((n) => held.add(`${n}`)));
    expect(await results).toEqual(new Set(['rejected']));
  });
});

describe('while the store is away', () => {
  test('items are tried again, and are committed once it is back', async () => {
    store.holds = false;
    store.fail = () => (store.batches.length < 4 ? new Away() : undefined);
    expect(await Promise.all(['a', 'b'].map((item) => group.add(item)))).toEqual(['done a', 'done b']);
    expect(store.batches).toEqual(Array.from({ length: 4 }, () => ['a', 'b']));
  });

  test('an item is given up in time, and says why', async () => {
    store.holds = false;
    store.fail = () => new Away('nobody there');
    const given = groupOf({ limitMs: 50 }).add('a');
    await expect(given).rejects.toThrow(NotCommittedInTime);
    await expect(given).rejects.toMatchObject({ cause: { message: 'nobody there' } });
  });

  test('an item that hangs is given up in time, and may be committed all the same', async () => {
    await expect(groupOf({ limitMs: 50 }).add('a')).rejects.toThrow('50 ms');
    store.letGo();
    await expect.poll(() => store.committed).toEqual(['a']);
  });

  test('an item that was given up before its turn is never sent', async () => {
    holdTime();
    const slow = groupOf({ limitMs: 500 });
    const underWay: Promise<unknown>[] = [];
    for (const item of ['a', 'b', 'c']) {
      underWay.push(slow.add(item).catch(() => undefined));
      vi.advanceTimersByTime(100);
      await turns();
    }
    expect(store.batches).toEqual([['a'], ['b'], ['c']]);
    const late = slow.add('d');
    vi.advanceTimersByTime(500);
    await expect(late).rejects.toThrow(NotCommittedInTime);
    store.letGo();
    await Promise.allSettled(underWay);
    await turns();
    expect(store.committed.toSorted()).toEqual(['a', 'b', 'c']);
  });

  test('too much is not taken', async () => {
    const heavy = groupOf({ weight: 60 * 1024 * 1024 });
    const taken = await addInTurns(heavy, ['a', 'b', 'c']);
    taken.push(heavy.add('waits'));
    await expect(heavy.add('one too many')).rejects.toThrow(NotCommittedInTime);
    store.letGo();
    expect(await Promise.all(taken)).toEqual(['done a', 'done b', 'done c', 'done waits']);
  });
});

/** Adds each after the one before it is under way. */
async function addInTurns(to: GroupCommit<string, string>, items: readonly string[]): Promise<Promise<string>[]> {
  const added: Promise<string>[] = [];
  for (const item of items) {
    const result = to.add(item);
    result.catch(() => undefined);
    added.push(result);
    await expect.poll(() => store.batches).toContainEqual([item]);
  }
  return added;
}
