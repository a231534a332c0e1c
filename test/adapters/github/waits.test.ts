import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createGitHub } from '../../../src/adapters/github/index.ts';
import { askedToWait, GitHubAsksToWait } from '../../../src/adapters/github/waits.ts';
import { connect, type Connection } from '../../../src/store/connection/database.ts';
import { createGitHubWaits, findGitHubWait } from '../../../src/store/github/waits.ts';
import type { IssueRef } from '../../../src/domain/issue/facts.ts';
import { startFaultyGitHub, type FaultyGitHub } from '../../support/github-faults.ts';
import { startTestDatabase, type TestDatabase } from '../../support/postgres.ts';
import { startProxy } from '../../support/proxy.ts';

const NOW = Date.parse('2026-11-21T10:00:00.000Z');
const IN_90_S = String(NOW / 1000 + 90);
/** Short, so that a database that is away is soon found to be. */
const LIMITS = { settleMs: 0, keeperMs: 500 };

const SECONDARY = 'You have exceeded a secondary rate limit.';

describe('the wait that an answer asks for', () => {
  test.each<[string, number, string, Record<string, string | number>, number | null]>([
    ['403 with Retry-After', 403, 'Forbidden', { 'retry-after': '30' }, 30_000],
    ['429 with Retry-After', 429, 'Too Many Requests', { 'retry-after': 7 }, 7000],
    ['429 without anything', 429, 'Too Many Requests', {}, null],
    ['403 with no requests left', 403, 'exceeded', rate('0', IN_90_S), 91_000],
    ['429 with no requests left', 429, 'exceeded', rate('0', IN_90_S), 91_000],
    ['403 with no requests left and no time', 403, 'exceeded', { 'x-ratelimit-remaining': '0' }, null],
    ['403 with a time that has passed', 403, 'exceeded', rate('0', String(NOW / 1000 - 5)), 1000],
    ['403 that only speaks of the secondary limit', 403, SECONDARY, {}, null],
    ['403 of the secondary limit with an unreadable Retry-After', 403, SECONDARY, { 'retry-after': 'soon' }, null],
    ['403 that speaks of abuse', 403, 'You have triggered an abuse detection mechanism.', {}, null],
    ['a Retry-After beyond all measure', 429, 'later', { 'retry-after': '999999999' }, 86_400_000],
    ['a good answer that was the last one', 200, 'OK', rate('0', IN_90_S), 91_000],
  ])('%s', (_what, status, message, headers, waitMs) => {
    expect(askedToWait({ status, message, headers }, NOW)).toEqual({ waitMs, reason: message });
  });

  test.each<[string, number, string, Record<string, string>]>([
    ['403 without a permission', 403, 'Resource not accessible by integration', rate('4999', IN_90_S)],
    ['403 on a locked issue', 403, 'Unable to create comment because issue is locked.', {}],
    ['404', 404, 'Not Found', {}],
    ['a good answer', 200, 'OK', rate('4999', IN_90_S)],
    ['a good answer that was the last one before now', 200, 'OK', rate('0', String(NOW / 1000 - 5))],
    ['502 with a Retry-After', 502, 'Bad Gateway', { 'retry-after': '30' }],
  ])('is none for %s', (_what, status, message, headers) => {
    expect(askedToWait({ status, message, headers }, NOW)).toBeUndefined();
  });

  test('counts from the clock of the answer, not from ours', () => {
    const headers = { ...rate('0', IN_90_S), date: new Date(NOW).toUTCString() };
    expect(askedToWait({ status: 403, message: '', headers }, NOW + 3_600_000)?.waitMs).toBe(91_000);
  });

  function rate(remaining: string, reset: string): Record<string, string> {
    return { 'x-ratelimit-remaining': remaining, 'x-ratelimit-reset': reset };
  }
});

describe('processes that share a database', () => {
  const ISSUE: IssueRef = { repositoryId: 1, owner: 'octo', name: 'demo', number: 1 };
  let database: TestDatabase;
  let connection: Connection;
  let github: FaultyGitHub;

  beforeAll(async () => {
    database = await startTestDatabase();
    connection = connect(database.url, { name: 'test' });
  });
  afterAll(async () => {
    await connection?.close();
    await database?.stop();
  });
  beforeEach(async () => {
    // Nobody is behind it: every call in these tests gets an answer of its own.
    github = await startFaultyGitHub('http://127.0.0.1:9');
    github.hit({ path: /\/user$/, times: 1000, fault: { kind: 'answer', status: 404 } });
  });
  afterEach(async () => {
    await github.close();
    await connection.sql`delete from github_waits`;
  });

  /** GitHub as one process has it. */
  function oneProcess(db = connection.db) {
    return createGitHub({
      apiUrl: github.url,
      token: 'a token of a test',
      waits: createGitHubWaits(db, github.url),
      limits: LIMITS,
    });
  }

  function asks(headers: Record<string, string>, message = 'slow down', status = 403, times = 1) {
    return github.hit({ path: /./, times, fault: { kind: 'answer', status, headers, message } });
  }

  const callsToIssue = (): number => github.calls.filter(({ path }) => path.includes('/issues/')).length;

  test('all obey what one of them was told', async () => {
    asks({ 'retry-after': '300' });
    const [one, other] = [oneProcess(), oneProcess()];
    await expect(one.react(ISSUE, 'eyes')).rejects.toThrow(GitHubAsksToWait);
    expect(callsToIssue()).toBe(1);
    for (const process of [one, other, oneProcess()])
      await expect(process.react(ISSUE, 'eyes')).rejects.toMatchObject({ name: 'GitHubAsksToWait' });
    expect(callsToIssue()).toBe(1);
  });

  test('show for how long, and why', async () => {
    asks({ 'retry-after': '300' }, SECONDARY);
    await expect(oneProcess().react(ISSUE, 'eyes')).rejects.toThrow(SECONDARY);
    const error: GitHubAsksToWait = (await oneProcess()
      .react(ISSUE, 'eyes')
      .then(
        () => undefined,
        (thrown: unknown) => thrown,
      )) as never;
    expect(error.waitMs).toBeGreaterThan(200_000);
    expect(error.waitMs).toBeLessThanOrEqual(300_000);
  });

  test('call again when the time has come, and not before', async () => {
    asks({ 'retry-after': '1' });
    const [one, other] = [oneProcess(), oneProcess()];
    await expect(one.react(ISSUE, 'eyes')).rejects.toThrow(GitHubAsksToWait);
    const [told] = github.calls;
    asks({}, 'gone', 410);
    for (;;) {
      const error: unknown = await other.react(ISSUE, 'eyes').catch((thrown: unknown) => thrown);
      if (!(error instanceof GitHubAsksToWait)) break;
    }
    const next = github.calls.find((call) => call !== told && call.path.includes('/issues/'));
    expect((next?.at ?? 0) - (told?.answeredAt ?? Infinity)).toBeGreaterThanOrEqual(1000);
  });

  test('wait a minute and more when GitHub names no time, and longer each time in a row', async () => {
    const waits = createGitHubWaits(connection.db, github.url);
    const lengths: number[] = [];
    for (let strike = 1; strike <= 6; strike += 1) {
      lengths.push(Math.round((await waits.hold({ waitMs: null, reason: SECONDARY })).leftMs / 1000));
      await connection.sql`update github_waits set until = now() - interval '1 second'`;
    }
    expect(lengths).toEqual([60, 120, 240, 480, 960, 960]);
  });

  test('begin at a minute again after a quiet time', async () => {
    const waits = createGitHubWaits(connection.db, github.url);
    await waits.hold({ waitMs: null, reason: SECONDARY });
    await connection.sql`update github_waits set until = now() - interval '11 minutes'`;
    expect((await waits.hold({ waitMs: null, reason: SECONDARY })).leftMs).toBeLessThanOrEqual(60_000);
  });

  test('that were reported together count it once', async () => {
    const waits = createGitHubWaits(connection.db, github.url);
    await Promise.all(Array.from({ length: 8 }, () => waits.hold({ waitMs: null, reason: SECONDARY })));
    expect((await waits.current())?.leftMs).toBeLessThanOrEqual(60_000);
  });

  test('keep the longer of two waits', async () => {
    const waits = createGitHubWaits(connection.db, github.url);
    await waits.hold({ waitMs: 500_000, reason: 'the long one' });
    await waits.hold({ waitMs: 100_000, reason: 'the short one' });
    const standing = await waits.current();
    expect(standing?.reason).toBe('the long one');
    expect(standing?.leftMs).toBeGreaterThan(400_000);
  });

  test('do not wait for what another API address was asked for', async () => {
    await createGitHubWaits(connection.db, 'https://elsewhere.example').hold({ waitMs: 50_000, reason: 'elsewhere' });
    asks({}, 'gone', 410);
    await expect(oneProcess().react(ISSUE, 'eyes')).rejects.toMatchObject({ status: 410 });
  });

  test('show people the wait', async () => {
    expect(await findGitHubWait(connection.db)).toBeUndefined();
    asks({ 'retry-after': '300' }, SECONDARY);
    await expect(oneProcess().react(ISSUE, 'eyes')).rejects.toThrow(GitHubAsksToWait);
    const wait = await findGitHubWait(connection.db);
    expect(wait?.reason).toContain(SECONDARY);
    expect(wait?.until.getTime()).toBeGreaterThan(Date.now());
  });

  test('do not call while the database does not say whether they may', async () => {
    const proxy = await startProxy(database.url);
    const cutOff = connect(proxy.url, { name: 'test' });
    try {
      proxy.cut();
      await expect(oneProcess(cutOff.db).react(ISSUE, 'eyes')).rejects.toThrow('shared rate limit state');
      expect(callsToIssue()).toBe(0);
    } finally {
      await cutOff.close();
      await proxy.close();
    }
  });

  test('obey by themselves what they could not share, and share it when they can', async () => {
    const proxy = await startProxy(database.url);
    const cutOff = connect(proxy.url, { name: 'test' });
    try {
      await cutOff.sql`select 1`;
      const alone = createGitHub({
        apiUrl: github.url,
        token: 'a token of a test',
        limits: LIMITS,
        waits: {
          // The database goes away between the question and the answer.
          current: () => Promise.resolve(undefined),
          hold: (asked) => createGitHubWaits(cutOff.db, github.url).hold(asked),
        },
      });
      asks({ 'retry-after': '300' });
      proxy.cut();
      await expect(alone.react(ISSUE, 'eyes')).rejects.toThrow(GitHubAsksToWait);
      await expect(alone.react(ISSUE, 'eyes')).rejects.toThrow(GitHubAsksToWait);
      expect(callsToIssue()).toBe(1);
      proxy.open();
      // Each call tries to share it, in a limited time.
      const shared = async (): Promise<string | undefined> => {
        await expect(alone.react(ISSUE, 'eyes')).rejects.toThrow(GitHubAsksToWait);
        return (await findGitHubWait(connection.db))?.reason;
      };
      await expect.poll(shared, { timeout: 60_000 }).toContain('slow down');
      expect(callsToIssue()).toBe(1);
    } finally {
      await cutOff.close();
      await proxy.close();
    }
  });
});
