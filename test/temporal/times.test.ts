/** The conversions that src/temporal/times.ts takes from inside of Temporal's SDK. */
import { expect, test } from 'vitest';

const CHANGED = "Temporal's SDK has changed inside: see src/temporal/times.ts before updating it";

test('a duration and a time become milliseconds and a date', async () => {
  const times = await import('../../src/temporal/times.ts').catch((cause: unknown) => {
    throw new Error(CHANGED, { cause });
  });
  const { msToTs, optionalTsToDate, optionalTsToMs } = times;
  expect(optionalTsToMs(msToTs(86_400_500)), CHANGED).toBe(86_400_500);
  expect(optionalTsToDate(msToTs(1_700_000_000_000)), CHANGED).toEqual(new Date(1_700_000_000_000));
  expect([optionalTsToMs(null), optionalTsToDate(undefined)], CHANGED).toEqual([undefined, undefined]);
});
