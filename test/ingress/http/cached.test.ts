import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { cached } from '../../../ingress/http/cached.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance', 'setTimeout', 'clearTimeout'] });
});
afterEach(() => {
  vi.useRealTimers();
});

test('who asks meanwhile gets the same result, and later another', async () => {
  let calls = 0;
  const ask = cached(async () => ++calls, 1000);
  expect(await Promise.all([ask(), ask()])).toEqual([1, 1]);
  vi.advanceTimersByTime(999);
  expect(await ask()).toBe(1);
  vi.advanceTimersByTime(1);
  expect(await ask()).toBe(2);
});

test('an error is kept as long', async () => {
  let calls = 0;
  const ask = cached(async () => {
    calls += 1;
    throw new Error('no');
  }, 1000);
  await expect(ask()).rejects.toThrow('no');
  await expect(ask()).rejects.toThrow('no');
  expect(calls).toBe(1);
});

test('one that takes longer than its result is kept is not begun twice', async () => {
  let finish = (): void => undefined;
  let calls = 0;
  const ask = cached(async () => {
    calls += 1;
    await new Promise<void>((resolve) => {
      finish = resolve;
    });
  }, 1000);
  const first = ask();
  vi.advanceTimersByTime(5000);
  const second = ask();
  finish();
  await Promise.all([first, second]);
  expect(calls).toBe(1);
});
