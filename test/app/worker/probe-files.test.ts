import { existsSync, mkdtempSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { keepProbeFiles } from '../../../src/app/worker/probe-files.ts';

test('one file beats while the process lives, the other is there while it works', () => {
  vi.useFakeTimers();
  const directory = mkdtempSync(join(tmpdir(), 'probes-'));
  const probes = keepProbeFiles(directory);
  expect(readdirSync(directory)).toEqual(['alive']);
  probes.ready(true);
  expect(existsSync(join(directory, 'ready'))).toBe(true);
  probes.ready(false);
  probes.ready(false);
  expect(existsSync(join(directory, 'ready'))).toBe(false);
  vi.useRealTimers();
});

test('without a directory there are no files', () => {
  expect(() => keepProbeFiles(undefined).ready(true)).not.toThrow();
});
