import { expect, test } from 'vitest';
import { createLineSplitter } from '../../../src/agent/platform/line-splitter.ts';

function split(chunks: Buffer[], longestLine = 100): { lines: string[]; tooLong: number[] } {
  const lines: string[] = [];
  const tooLong: number[] = [];
  const splitter = createLineSplitter({
    onLine: (line) => lines.push(line),
    onTooLong: (n) => tooLong.push(n),
    longestLine,
  });
  for (const chunk of chunks) splitter.push(chunk);
  splitter.end();
  return { lines, tooLong };
}

test('lines are put together over the borders of chunks', () => {
  expect(split([Buffer.from('on'), Buffer.from('e\ntw'), Buffer.from('o\n')]).lines).toEqual(['one', 'two']);
});

test('a character that two chunks share is not broken', () => {
  const bytes = Buffer.from('größe\n');
  expect(split([bytes.subarray(0, 3), bytes.subarray(3)]).lines).toEqual(['größe']);
});

test('a last line needs no end', () => {
  expect(split([Buffer.from('one\ntwo')]).lines).toEqual(['one', 'two']);
});

test('a line that is too long is left out and reported, and the next is read', () => {
  const chunks = [Buffer.from('x'.repeat(80)), Buffer.from(`${'x'.repeat(80)}\nnext\n`)];
  expect(split(chunks)).toEqual({ lines: ['next'], tooLong: [160] });
});
