import { expect, test } from 'vitest';
import { createTurnstile } from '../../src/adapters/local-runtime/turnstile.ts';

/** Things to do whose ends the test decides; `begun` lists those that were let in. */
function things(count: number) {
  const begun: number[] = [];
  const ends = Array.from({ length: count }, () => Promise.withResolvers<string>());
  const act = (index: number) => async (): Promise<string> => {
    begun.push(index);
    return ends[index]!.promise;
  };
  return { begun, ends, act };
}

/** Lets everything happen that waits for nothing but its turn. */
const settled = () => new Promise((resolve) => setImmediate(resolve));

test('lets as many in at once as are wanted, and the others in the order they came', async () => {
  const through = createTurnstile(2);
  const { begun, ends, act } = things(4);
  const all = Promise.all([0, 1, 2, 3].map((index) => through(act(index))));
  await settled();
  expect(begun).toEqual([0, 1]);
  ends[1]!.resolve('b');
  await settled();
  expect(begun).toEqual([0, 1, 2]);
  for (const [index, end] of ends.entries()) end.resolve('abcd'[index]!);
  expect(await all).toEqual(['a', 'b', 'c', 'd']);
});

test('gives the place of one that failed to the next', async () => {
  const through = createTurnstile(1);
  const { begun, ends, act } = things(2);
  const [first, second] = [through(act(0)), through(act(1))];
  ends[0]!.reject(new Error('it broke'));
  await expect(first).rejects.toThrow('it broke');
  await settled();
  expect(begun).toEqual([0, 1]);
  ends[1]!.resolve('done');
  expect(await second).toBe('done');
});

test('is open again when all have passed', async () => {
  const through = createTurnstile(1);
  for (const word of ['one', 'two', 'three']) expect(await through(() => Promise.resolve(word))).toBe(word);
});
