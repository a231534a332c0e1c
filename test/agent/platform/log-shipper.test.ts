import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { createLogShipper } from '../../../src/agent/platform/log-shipper.ts';
import { createLinesRedactor } from '../../../src/domain/agent/redaction.ts';
import { PlatformRefused } from '../../../src/agent/platform/platform.ts';
import { LOG_LINE_CHARACTERS, LogBatch, type LogLine } from '../../../src/agent/platform/protocol.ts';

describe('the log on its way', () => {
  let batches: LogLine[][];
  let answer: () => Promise<void>;
  const hideSecret = (lines: readonly string[]): string[] =>
    lines.map((line) => line.replaceAll('secret', '[redacted]'));

  beforeEach(() => {
    vi.useFakeTimers();
    batches = [];
    answer = () => Promise.resolve();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  function open(heldLines?: number, redact = hideSecret): ReturnType<typeof createLogShipper> {
    const send = (batch: LogBatch): Promise<void> => {
      batches.push(LogBatch.parse(batch).lines);
      return answer();
    };
    return createLogShipper({ send, redact, ...(heldLines === undefined ? {} : { heldLines }) });
  }
  const texts = (): string[] => batches.flat().map(({ text }) => text);

  test('lines that come together go together, a quarter of a second later', async () => {
    const log = open();
    log.write('runner', 'one');
    log.write('runner', 'two');
    expect(batches).toEqual([]);
    await vi.advanceTimersByTimeAsync(250);
    expect(batches.map((lines) => lines.map(({ text }) => text))).toEqual([['one', 'two']]);
  });

  test('a hundred lines do not wait', async () => {
    const log = open();
    for (let n = 0; n < 100; n++) log.write('output', `line ${n}`);
    await vi.advanceTimersByTimeAsync(0);
    expect(batches[0]).toHaveLength(100);
  });

  test('lines are numbered from 0 without a gap', async () => {
    const log = open();
    for (let n = 0; n < 250; n++) log.write('output', `line ${n}`);
    await log.drain();
    expect(batches.flat().map(({ n }) => n)).toEqual(Array.from({ length: 250 }, (_, n) => n));
  });

  test('only one batch is under way at a time', async () => {
    const answers: (() => void)[] = [];
    answer = () => new Promise((resolve) => answers.push(resolve));
    const log = open();
    for (let n = 0; n < 250; n++) log.write('output', `line ${n}`);
    await vi.advanceTimersByTimeAsync(1000);
    expect(batches).toHaveLength(1);
    answers.shift()?.();
    await vi.advanceTimersByTimeAsync(0);
    expect(batches).toHaveLength(2);
  });

  test('when too much is held the oldest go, and a line says how many', async () => {
    const answers: (() => void)[] = [];
    answer = () => new Promise((resolve) => answers.push(resolve));
    const log = open(10);
    log.write('output', 'first');
    await vi.advanceTimersByTimeAsync(250);
    for (let n = 1; n <= 25; n++) log.write('output', `line ${n}`);
    answer = () => Promise.resolve();
    answers.shift()?.();
    await log.drain();
    expect(texts()).toEqual([
      'first',
      '15 log lines were dropped while the platform was unavailable',
      ...Array.from({ length: 10 }, (_, index) => `line ${index + 16}`),
    ]);
  });

  test('a line is redacted', async () => {
    const log = open();
    log.write('output', 'a secret');
    await log.drain();
    expect(texts()).toEqual(['a [redacted]']);
  });

  test('a private key over the lines of two batches is hidden in each line', async () => {
    const log = open(undefined, createLinesRedactor([]));
    const key = [
      '-----BEGIN PRIVATE KEY-----',
      ...Array.from({ length: 40 }, () => 'a1b2'.repeat(16)),
      '-----END PRIVATE KEY-----',
    ];
    for (const line of [...Array.from({ length: 80 }, (_, n) => `line ${n}`), ...key, 'last'])
      log.write('output', line);
    await log.drain();
    expect(batches).toHaveLength(2);
    expect(texts().slice(80)).toEqual([...key.map(() => '[redacted]'), 'last']);
  });

  test('a long line is cut to the limit and says how long it was', async () => {
    const log = open();
    log.write('output', 'x'.repeat(5000));
    await log.drain();
    expect(texts()[0]).toHaveLength(LOG_LINE_CHARACTERS);
    expect(texts()[0]).toMatch(/x… \(5,000 characters, cut\)$/);
  });

  test('what neither JSON nor Postgres can hold is replaced', async () => {
    const log = open();
    log.write('output', 'a\0b\ud800');
    await log.drain();
    expect(texts()).toEqual(['a\ufffdb\ufffd']);
  });

  test('a batch that is refused does not hold up the next', async () => {
    answer = () => Promise.reject(new PlatformRefused('no'));
    const log = open();
    log.write('output', 'refused');
    await vi.advanceTimersByTimeAsync(250);
    answer = () => Promise.resolve();
    log.write('output', 'taken');
    await log.drain();
    expect(texts()).toEqual(['refused', 'taken']);
  });

  test('draining ends when nobody listens any more', async () => {
    answer = () => Promise.reject(new Error('gone'));
    const log = open();
    log.write('output', 'lost');
    await expect(log.drain()).resolves.toBeUndefined();
  });
});
