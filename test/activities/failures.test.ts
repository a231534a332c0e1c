import { inspect } from 'node:util';
import { ApplicationFailure } from '@temporalio/common';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { describe, expect, test } from 'vitest';
import { classified, permanent, toFailure, withoutQueries } from '../../activities/failures.ts';
import { createOctokit } from '../../src/adapters/github/client.ts';
import { GitHubAsksToWait } from '../../src/adapters/github/waits.ts';
import { connect } from '../../src/store/connection/database.ts';

type Headers = Record<string, string | number>;

/** What Octokit throws. */
function answered(status: number, message: string, headers?: Headers): Error {
  return Object.assign(new Error(message), { status, ...(headers ? { response: { headers } } : {}) });
}

describe('what GitHub answers', () => {
  test.each<[string, Error, string]>([
    ['403 without a permission', answered(403, 'Resource not accessible by integration'), 'GitHubForbidden'],
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

  test('401 is tried again: an expired token is replaced by a person, and no trigger made meanwhile is lost', () => {
    expect(toFailure(answered(401, 'Bad credentials'))).toMatchObject({
      type: 'GitHubFailed',
      message: 'GitHub answered 401: Bad credentials',
      nonRetryable: false,
    });
  });

  test.each([301, 400, 408, 409, 500, 502, 503, 504])('%i is tried again', (status) => {
    expect(toFailure(answered(status, 'Something'))).toMatchObject({ type: 'GitHubFailed', nonRetryable: false });
  });

  test.each([422, 502])('a long message of a %i is cut, so that the failure stays small', (status) => {
    const failure = toFailure(answered(status, 'x'.repeat(1_000_000)));
    expect((failure as ApplicationFailure).message.length).toBeLessThanOrEqual(8192);
  });
});

describe('a GitHub that wants to be left alone', () => {
  const until = new Date('2026-11-21T10:00:30.000Z');
  const waiting = (leftMs: number): GitHubAsksToWait => new GitHubAsksToWait({ until, leftMs, reason: 'slow down' });

  test('is tried again after the wait, and says until when', () => {
    expect(toFailure(waiting(30_000))).toMatchObject({
      type: 'GitHubRateLimited',
      message: 'GitHub asks to wait until 2026-11-21T10:00:30.000Z: slow down',
      nonRetryable: false,
    });
  });

  test('is not called before the time, and not by all at the same moment', () => {
    const delays = Array.from({ length: 200 }, () => {
      const failure = toFailure(waiting(30_000)) as ApplicationFailure;
      return Number(failure.nextRetryDelay);
    });
    expect(Math.min(...delays)).toBeGreaterThanOrEqual(30_000);
    expect(Math.max(...delays)).toBeLessThanOrEqual(33_000);
    expect(new Set(delays).size).toBeGreaterThan(1);
  });

  test('that waits for an hour is called within seconds after it', () => {
    const { nextRetryDelay } = toFailure(waiting(3_600_000)) as ApplicationFailure;
    expect(Number(nextRetryDelay)).toBeLessThanOrEqual(3_605_000);
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

test('an agent that could not begin says why, and is not tried again', () => {
  const stuck = Object.assign(new Error('ErrImagePull'), { name: 'AgentCannotBegin', termination: 'image_pull' });
  expect(toFailure(stuck)).toMatchObject({
    type: 'AgentCannotBegin',
    message: 'ErrImagePull',
    nonRetryable: true,
    details: ['image_pull'],
  });
});

describe('a database that fails', () => {
  const secret = 'select "token" from "secrets"';
  const query = new Error(`Failed query: ${secret}\nparams: 1`, { cause: new Error('too many clients') });
  const lost = Object.assign(new Error('write CONNECTION_CLOSED'), { code: 'CONNECTION_CLOSED' });

  /** How an activity fails, in an attempt that is counted from 1. */
  async function failureOf(thrown: Error, attempt = 1): Promise<unknown> {
    const { act } = withoutQueries({ act: () => Promise.reject<void>(thrown) });
    const workspace = new MockActivityEnvironment({ attempt }, { logger: new DefaultLogger('ERROR') });
    try {
      return await workspace.run(act, undefined as never);
    } catch (failure) {
      return failure;
    }
  }

  test.each([
    ['a statement', query, 'the database refused: too many clients'],
    ['a transaction', lost, 'the database refused: write CONNECTION_CLOSED'],
  ])('in %s is reported without the statement, and retried', async (_what, error, message) => {
    const failure = await failureOf(error);
    expect(failure).toMatchObject({ type: 'DatabaseFailed', message, nonRetryable: false });
    expect(inspect(failure, { depth: null })).not.toContain(secret);
  });

  test.each([
    [1, 250, 500],
    [2, 500, 1000],
    [4, 2000, 4000],
    [40, 2500, 5000],
  ])('is asked again %s. time after %s to %s ms', async (attempt, least, most) => {
    const waits = await Promise.all(Array.from({ length: 20 }, () => failureOf(query, attempt)));
    for (const failure of waits) {
      expect(failure).toHaveProperty(
        'nextRetryDelay',
        expect.toSatisfy((ms: number) => ms >= least && ms <= most),
      );
    }
    expect(
      new Set(waits.map((failure) => (failure as { nextRetryDelay: number }).nextRetryDelay)).size,
    ).toBeGreaterThan(1);
  });

  test("behind the GitHub adapter is reported as the database's", async () => {
    const waits = {
      hold: () => Promise.reject(query),
      current: () => Promise.reject(query),
    };
    const octokit = createOctokit({ apiUrl: 'http://127.0.0.1:1', token: 'none', waits });
    const thrown = await octokit.rest.meta.root().catch((error: unknown) => error);
    expect(await failureOf(thrown as Error)).toMatchObject({
      type: 'DatabaseFailed',
      message: 'the database refused: too many clients',
    });
  });

  test("when a transaction begins is reported as the database's", async () => {
    const connection = connect('postgres://nobody@127.0.0.1:1/nothing', { name: 'test' });
    const thrown = await connection.db.transaction(async () => undefined).catch((error: unknown) => error);
    expect(await failureOf(thrown as Error)).toMatchObject({ type: 'DatabaseFailed' });
    await connection.close();
  });

  test('is not what a failure of anything else is', async () => {
    const refused = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' });
    expect(await failureOf(refused)).toBe(refused);
  });
});
