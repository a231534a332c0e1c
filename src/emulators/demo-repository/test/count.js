import assert from 'node:assert/strict';
import { test } from 'node:test';
import { countText, sumCounts } from '../src/count.js';

test('an empty text has nothing', () => {
  assert.deepEqual(countText(''), { lines: 0, words: 0, bytes: 0 });
});

test('a last line without a newline counts', () => {
  assert.equal(countText('one\ntwo').lines, 2);
});

test('words are separated by any white space', () => {
  assert.equal(countText('one two\tthree\n\nfour\n').words, 4);
});

test('bytes are those of UTF-8', () => {
  assert.equal(countText('größe').bytes, 7);
});

test('counts add up', () => {
  const one = { lines: 1, words: 2, bytes: 3 };
  assert.deepEqual(sumCounts([one, one]), { lines: 2, words: 4, bytes: 6 });
});
