import { closeSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { limitLog, openLog } from '../../../src/embedded/processes/log-file.ts';
import { temporaryDirectory } from '../temporary-directory.ts';

test('a log past the limit is put aside and emptied while its process goes on writing', () => {
  const log = join(temporaryDirectory(), 'server.log');
  const file = openLog(log);
  writeSync(file, 'long before\n');
  limitLog(log, 10);
  writeSync(file, 'after\n');
  limitLog(log, 10);
  closeSync(file);
  expect(readFileSync(`${log}.1`, 'utf8')).toBe('long before\n');
  expect(readFileSync(log, 'utf8')).toBe('after\n');
});
