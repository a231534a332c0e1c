import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';

const cli = fileURLToPath(new URL('../src/cli.js', import.meta.url));
const directory = mkdtempSync(join(tmpdir(), 'tally-'));
after(() => rmSync(directory, { recursive: true }));

writeFileSync(join(directory, 'one.txt'), 'one\n');
writeFileSync(join(directory, 'two.txt'), 'two words\n');

function tally(...args) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [cli, ...args], { cwd: directory, encoding: 'utf8' });
  return { status, stdout, stderr };
}

test('one file is one row', () => {
  assert.equal(tally('one.txt').stdout, '      1      1      4  one.txt\n');
});

test('several files end with their total', () => {
  assert.match(tally('one.txt', 'two.txt').stdout, /\n {6}2 {6}3 {5}14 {2}total\n$/);
});

test('a missing file is named, and the others are counted', () => {
  const { status, stdout, stderr } = tally('nothing.txt', 'one.txt');
  assert.equal(status, 1);
  assert.equal(stderr, 'tally: nothing.txt: no such file\n');
  assert.match(stdout, /one\.txt/);
});

test('without a file the usage is shown', () => {
  assert.deepEqual(tally(), { status: 2, stdout: '', stderr: 'Usage: tally FILE...\n' });
});
