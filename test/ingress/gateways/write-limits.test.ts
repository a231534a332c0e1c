import { expect, test } from 'vitest';
import { createRunWrites, type WriteLimits } from '../../../ingress/gateways/write-limits.ts';

const LIMITS: WriteLimits = {
  waiting: 2,
  requests: { burst: 10, perSecond: 1 },
  bytes: { burst: 1000, perSecond: 100 },
};

const nothing = async (): Promise<string> => 'done';

test('S1: a run writes once at a time, and another run beside it', async () => {
  const writes = createRunWrites(LIMITS);
  const order: string[] = [];
  const gate = Promise.withResolvers<void>();
  const first = writes.write('a', async () => {
    order.push('a1 begins');
    await gate.promise;
    order.push('a1 ends');
  });
  const second = writes.write('a', async () => void order.push('a2'));
  await writes.write('b', async () => void order.push('b1'));
  expect(order).toEqual(['a1 begins', 'b1']);
  gate.resolve();
  await Promise.all([first, second]);
  expect(order).toEqual(['a1 begins', 'b1', 'a1 ends', 'a2']);
});

test('S1: a run that lets too many writes wait is refused for a moment', async () => {
  const writes = createRunWrites(LIMITS);
  const gate = Promise.withResolvers<void>();
  const waiting = [1, 2, 3].map(() => writes.write('a', () => gate.promise));
  expect(await writes.write('a', nothing)).toEqual({ retryAfter: 1 });
  gate.resolve();
  await Promise.all(waiting);
  expect(await writes.write('a', nothing)).toBe('done');
});

test('S1: a run that writes too often is refused until time has passed, others are not', async () => {
  let now = 0;
  const writes = createRunWrites(LIMITS, () => now);
  for (let n = 0; n < 10; n += 1) expect(await writes.write('a', nothing)).toBe('done');
  expect(await writes.write('a', nothing)).toEqual({ retryAfter: 1 });
  expect(await writes.write('b', nothing)).toBe('done');
  now += 1000;
  expect(await writes.write('a', nothing)).toBe('done');
});

test('S1: a run that writes too much is refused until the bytes are paid for', async () => {
  let now = 0;
  const writes = createRunWrites(LIMITS, () => now);
  await writes.write('a', async (spend) => spend(1499));
  expect(await writes.write('a', nothing)).toEqual({ retryAfter: 5 });
  now += 5000;
  expect(await writes.write('a', nothing)).toBe('done');
});

test('a write that fails does not keep the next from being performed', async () => {
  const writes = createRunWrites(LIMITS);
  await expect(writes.write('a', () => Promise.reject(new Error('cut off')))).rejects.toThrow('cut off');
  expect(await writes.write('a', nothing)).toBe('done');
});
