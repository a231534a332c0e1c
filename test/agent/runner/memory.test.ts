import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { countOomKills } from '../../../src/agent/runner/memory.ts';

function counter(text: string): string {
  const file = join(mkdtempSync(join(tmpdir(), 'codex-k8s-memory-')), 'counter');
  writeFileSync(file, text);
  return file;
}

test('version 2 of control groups counts in memory.events', async () => {
  expect(await countOomKills([counter('low 0\nhigh 0\nmax 12\noom 3\noom_kill 2\noom_group_kill 0\n')])).toBe(2);
});

test('version 1 counts in memory.oom_control', async () => {
  expect(await countOomKills(['/nowhere', counter('oom_kill_disable 0\nunder_oom 0\noom_kill 1\n')])).toBe(1);
});

test('where there is no counter nothing is known', async () => {
  expect(await countOomKills(['/nowhere'])).toBeUndefined();
});
