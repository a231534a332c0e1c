import { describe, expect, test } from 'vitest';
import { planRedelivery, type DeliveryAttempt } from '../../../src/domain/maintenance/redelivery.ts';

const NOW = Date.parse('2026-11-22T12:00:00Z');
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** So long before now, ISO 8601. */
function ago(ms: number): string {
  return new Date(NOW - ms).toISOString();
}

describe('a failed delivery', () => {
  const attempt = (guid: string, statusCode: number, msAgo: number, more: Partial<DeliveryAttempt> = {}) => ({
    id: msAgo,
    guid,
    deliveredAt: ago(msAgo),
    statusCode,
    throttledAt: null,
    ...more,
  });
  const plan = (attempts: readonly DeliveryAttempt[], kept: readonly string[] = [], limit = 10) =>
    planRedelivery(attempts, new Set(kept), { now: NOW, limit });
  const resent = (attempts: readonly DeliveryAttempt[], kept: readonly string[] = []) =>
    plan(attempts, kept).resend.map(({ guid }) => guid);

  test.each([502, 503, 504, 500])('with %i is sent again at once', (statusCode) => {
    expect(resent([attempt('a', statusCode, 1000)])).toEqual(['a']);
  });

  test('is not sent again when another attempt succeeded', () => {
    const attempts = [attempt('a', 502, HOUR), attempt('a', 202, 1000)];
    expect(plan(attempts)).toEqual({ resend: [], waiting: 0, givenUp: 0, recovered: 1 });
  });

  test('is not sent again when it was kept all the same', () => {
    expect(plan([attempt('a', 503, 1000)], ['a'])).toMatchObject({ resend: [], recovered: 1 });
  });

  test('is sent again by its newest attempt', () => {
    const attempts = [attempt('a', 502, HOUR), attempt('a', 502, 10 * MINUTE)];
    expect(plan(attempts).resend).toEqual([attempts[1]]);
  });

  test.each([
    [2, 3 * MINUTE, false],
    [2, 5 * MINUTE, true],
    [3, 5 * MINUTE, false],
    [3, 9 * MINUTE, true],
    [6, HOUR, false],
    [6, 2 * HOUR, true],
  ])('that failed %i times waits %i ms: due is %s', (times, msSince, due) => {
    const attempts = Array.from({ length: times }, (_, index) => attempt('a', 502, msSince + index * MINUTE));
    expect(resent(attempts)).toEqual(due ? ['a'] : []);
    expect(plan(attempts).givenUp).toBe(0);
  });

  test.each([400, 401, 413, 415])('that the server refuses with %i is given up after three attempts', (statusCode) => {
    const attempts = (times: number) =>
      Array.from({ length: times }, (_, index) => attempt('a', statusCode, 2 * HOUR + index * HOUR));
    expect(resent(attempts(2))).toEqual(['a']);
    expect(plan(attempts(3))).toMatchObject({ resend: [], waiting: 0, givenUp: 1 });
  });

  test('is given up after twelve attempts in all', () => {
    const attempts = Array.from({ length: 12 }, (_, index) => attempt('a', 502, 7 * HOUR + index * HOUR));
    expect(plan(attempts)).toMatchObject({ resend: [], givenUp: 1 });
  });

  test('that GitHub will have forgotten is given up', () => {
    expect(plan([attempt('a', 502, 73 * HOUR)])).toMatchObject({ resend: [], givenUp: 1 });
  });

  test('that GitHub holds back is left to GitHub, for half an hour', () => {
    expect(resent([attempt('a', 502, MINUTE, { throttledAt: ago(MINUTE) })])).toEqual([]);
    expect(resent([attempt('a', 502, HOUR, { throttledAt: ago(HOUR) })])).toEqual(['a']);
  });

  test('comes before those that failed later, and those over the limit wait', () => {
    const attempts = [attempt('new', 502, 1000), attempt('old', 502, HOUR), attempt('older', 502, 2 * HOUR)];
    expect(plan(attempts, [], 2).resend.map(({ guid }) => guid)).toEqual(['older', 'old']);
    expect(plan(attempts, [], 2).waiting).toBe(1);
  });
});
