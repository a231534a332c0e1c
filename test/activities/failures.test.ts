import { ApplicationFailure } from '@temporalio/common';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { classified, permanent, toFailure } from '../../activities/failures.ts';

type Headers = Record<string, string | number>;

/** What Octokit throws. */
function answered(status: number, message: string, headers?: Headers): Error {
  return Object.assign(new Error(message), { status, ...(headers ? { response: { headers } } : {}) });
}

describe('what GitHub answers', () => {
  const NOW = Date.parse('2026-11-21T10:00:00.000Z');

  beforeEach(() => {
    vi.useFakeTimers({ now: NOW });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  test.each<[string, Error, string]>([
    ['403 without a permission', answered(403, 'Resource not accessible by integration'), 'GitHubForbidden'],
    [
      '403 with requests left',
      answered(403, 'Forbidden', { 'x-ratelimit-remaining': '4999', 'x-ratelimit-reset': '9999999999' }),
      'GitHubForbidden',
    ],
    [
      '403 on a locked issue',
      answered(403, 'Unable to create comment because issue is locked.', {}),
      'GitHubForbidden',
    ],
    ['404', answered(404, 'Not Found'), 'GitHubNotFound'],
    ['410', answered(410, 'This issue was deleted'), 'GitHubGone'],
    ['422', answered(422, 'Validation Failed'), 'GitHubRejected'],
  ])('%s is final', (_what, error, type) => {
    expect(toFailure(error)).toMatchObject({ type, nonRetryable: true, message: error.message });
  });

  test('401 is tried again: an expired token is replaced by a person, and no click made meanwhile is lost', () => {
    const error = answered(401, 'Bad credentials');
    expect(toFailure(error)).toBe(error);
  });

  test.each<[string, Error, number]>([
    ['403 with Retry-After', answered(403, 'Forbidden', { 'retry-after': '30' }), 30_000],
    ['429 with Retry-After', answered(429, 'Too Many Requests', { 'retry-after': 7 }), 7000],
    ['429 without anything', answered(429, 'Too Many Requests'), 60_000],
    [
      '403 with no requests left',
      answered(403, 'API rate limit exceeded', {
        'x-ratelimit-remaining': '0',
        'x-ratelimit-reset': String(NOW / 1000 + 90),
      }),
      90_000,
    ],
    [
      '429 with no requests left',
      answered(429, 'API rate limit exceeded', { 'x-ratelimit-remaining': 0, 'x-ratelimit-reset': NOW / 1000 + 90 }),
      90_000,
    ],
    [
      '403 with no requests left and no time',
      answered(403, 'API rate limit exceeded', { 'x-ratelimit-remaining': '0' }),
      60_000,
    ],
    [
      '403 with a time that has passed',
      answered(403, 'API rate limit exceeded', {
        'x-ratelimit-remaining': '0',
        'x-ratelimit-reset': String(NOW / 1000 - 5),
      }),
      1000,
    ],
    ['403 that only speaks of the secondary limit', answered(403, 'You have exceeded a secondary rate limit.'), 60_000],
    [
      '403 of the secondary limit with an unreadable Retry-After',
      answered(403, 'You have exceeded a secondary rate limit.', { 'retry-after': 'soon' }),
      60_000,
    ],
  ])('%s is tried again after the wait', (_what, error, wait) => {
    expect(toFailure(error)).toMatchObject({ type: 'GitHubRateLimited', nonRetryable: false, nextRetryDelay: wait });
  });

  test.each([301, 400, 408, 409, 500, 502, 503, 504])('%i stays as it is, and is tried again', (status) => {
    const error = answered(status, 'Something');
    expect(toFailure(error)).toBe(error);
  });

  test('a long message is cut, so that the failure stays small', () => {
    const failure = toFailure(answered(422, 'x'.repeat(1_000_000)));
    expect((failure as ApplicationFailure).message.length).toBeLessThanOrEqual(8192);
  });
});

describe('what is no answer of GitHub', () => {
  const circular: Record<string, unknown> = {};
  circular['self'] = circular;

  test.each<[string, unknown]>([
    ['an error', new TypeError('fetch failed')],
    ['an error with a status in words', Object.assign(new Error('no'), { status: 'failed' })],
    ['a failure of ours', permanent('Ours', 'no')],
    ['a string', 'no'],
    ['nothing', undefined],
    ['null', null],
    ['something circular', circular],
    ['something that looks like an answer', { status: 404, message: 'Not Found' }],
  ])('%s stays as it is', (_what, thrown) => {
    expect(toFailure(thrown)).toBe(thrown);
  });
});

describe('a call to GitHub', () => {
  test('that succeeds returns its result', async () => {
    await expect(classified(() => Promise.resolve(7))).resolves.toBe(7);
  });

  test('that fails throws the classified failure', async () => {
    const call = classified(() => Promise.reject(answered(404, 'Not Found')));
    await expect(call).rejects.toMatchObject({ type: 'GitHubNotFound', nonRetryable: true });
  });
});

test('a failure of ours that is permanent is not tried again', () => {
  expect(permanent('NoSeed', 'there is no prompt')).toBeInstanceOf(ApplicationFailure);
  expect(permanent('NoSeed', 'there is no prompt')).toMatchObject({
    type: 'NoSeed',
    message: 'there is no prompt',
    nonRetryable: true,
  });
});
