import { randomUUID } from 'node:crypto';
import { beforeEach, describe, expect, test } from 'vitest';
import { readLog } from '../../../src/read-model/queries/log.ts';
import { nextLogLine, RUN_LOG_LIMITS, storeLastLog, storeLogLines } from '../../../src/store/runs/run-log.ts';
import { count, useTables } from '../../support/tables.ts';

const tables = useTables();
const NOTICE = expect.stringMatching(
  /^The log of this run is full \(.*\): what came after this is left out$/,
) as string;

let runId: string;
beforeEach(() => {
  runId = randomUUID();
});

async function say(from: number, to: number, { text = 'x', limits = RUN_LOG_LIMITS } = {}): Promise<void> {
  const at = new Date(0).toISOString();
  const lines = count(from, to).map((n) => ({ n, at, kind: 'output', text }));
  await storeLogLines(tables.db, runId, lines, limits);
}

async function log(): Promise<[n: number, text: string][]> {
  const lines = await readLog(tables.db, runId, { after: -1, limit: 1000 });
  return lines.map(({ n, text }) => [n, text]);
}

describe('a log with a limit of five lines', () => {
  const limits = { ...RUN_LOG_LIMITS, lines: 5 };

  test('keeps the first five and says that the rest is left out', async () => {
    await say(0, 2, { limits });
    await say(3, 8, { limits });
    expect(await log()).toEqual([...count(0, 4).map((n) => [n, 'x']), [5, NOTICE]]);
  });

  test('says nothing of a rest as long as there is none', async () => {
    await say(0, 4, { limits });
    expect(await log()).toEqual(count(0, 4).map((n) => [n, 'x']));
  });

  test('is the same after its batches came again', async () => {
    await say(0, 2, { limits });
    await say(3, 8, { limits });
    const before = await log();
    await say(3, 8, { limits });
    await say(0, 2, { limits });
    expect(await log()).toEqual(before);
  });

  test('has room for lines whose agent gives them numbers far beyond', async () => {
    await say(1_999_999_999, 2_000_000_000, { limits });
    expect(await log()).toEqual([
      [0, 'x'],
      [1, 'x'],
    ]);
  });

  test('goes on for the next attempt with numbers that are left out', async () => {
    await say(0, 5, { limits });
    const next = await nextLogLine(tables.db, runId);
    await say(next, next + 1, { limits });
    expect(await log()).toHaveLength(6);
  });

  test('still takes the last words of a lost agent', async () => {
    await say(0, 8, { limits });
    await storeLastLog(tables.db, { runId, attempt: 1 }, 'one\ntwo\n', limits);
    expect((await log()).slice(5)).toEqual([
      [5, NOTICE],
      [6, 'The end of what attempt 1 wrote:'],
      [7, 'one'],
      [8, 'two'],
    ]);
  });

  test('can still say that it is full when last words took its last numbers', async () => {
    await say(0, 2, { limits });
    await storeLastLog(tables.db, { runId, attempt: 1 }, 'one\ntwo\nthree\n', limits);
    await say(10, 10, { limits });
    expect(await log()).toContainEqual([5, NOTICE]);
  });
});

describe('a log with a limit of 60,000 bytes', () => {
  const limits = { lines: 100, bytes: 60_000 };
  const text = 'é'.repeat(2000); // 4000 bytes

  test('keeps the batch that reaches it, says so, and keeps nothing after that', async () => {
    await say(0, 9, { text, limits });
    await say(10, 19, { text, limits });
    await say(20, 29, { text, limits });
    expect((await log()).map(([n]) => n)).toEqual([...count(0, 19), 100]);
  });

  test('is not full before', async () => {
    await say(0, 13, { text, limits });
    expect((await log()).map(([n]) => n)).toEqual(count(0, 13));
  });

  test('is full of a few lines that are as long as can be', async () => {
    await say(0, 4, { text: '中'.repeat(4000), limits });
    expect((await log()).map(([n]) => n)).toEqual([...count(0, 4), 100]);
  });

  test('counts a batch once, however often it comes', async () => {
    for (const _ of [1, 2, 3]) await say(0, 9, { text, limits });
    expect((await log()).map(([n]) => n)).toEqual(count(0, 9));
  });
});

test('of the output of a lost agent the last 5,000 lines are kept', async () => {
  await storeLastLog(tables.db, { runId, attempt: 1 }, count(1, 130_000).join('\n'));
  expect(await nextLogLine(tables.db, runId)).toBe(5001);
  expect((await log())[1]).toEqual([1, '125001']);
});

describe('S13: an agent that gives a line another number than its place', () => {
  const line = (n: number, text: string) => ({ n, at: new Date(1).toISOString(), kind: 'output', text });

  test('hides nothing that follows', async () => {
    await storeLogLines(tables.db, runId, [line(0, 'one'), line(20_000, 'far away'), line(2_000_000_000, 'farther')]);
    await storeLogLines(tables.db, runId, [line(1, 'two'), line(2, 'three')]);
    expect((await log()).map(([n, text]) => `${n} ${text}`)).toEqual([
      '0 one',
      '1 far away',
      '2 farther',
      '3 two',
      '4 three',
    ]);
  });

  test('does not replace or swallow a line with the same number', async () => {
    await storeLogLines(tables.db, runId, [line(7, 'forged'), line(8, 'forged')]);
    await storeLogLines(tables.db, runId, [line(7, 'true'), line(8, 'true')]);
    expect((await log()).map(([, text]) => text)).toEqual(['forged', 'forged', 'true', 'true']);
  });

  test('is stored once if its answer was lost and it is sent again, beside others', async () => {
    await storeLogLines(tables.db, runId, [line(0, 'one'), line(1, 'two')]);
    await storeLogLines(tables.db, runId, [line(0, 'one'), line(1, 'two'), line(1, 'two'), line(2, 'three')]);
    expect((await log()).map(([, text]) => text)).toEqual(['one', 'two', 'three']);
  });

  test('gets the next numbers, however many batches come at once', async () => {
    await Promise.all(count(0, 9).map((n) => storeLogLines(tables.db, runId, [line(n, `${n}a`), line(n, `${n}b`)])));
    expect((await log()).map(([n]) => n)).toEqual(count(0, 19));
  });
});
