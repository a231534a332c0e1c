import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, test } from 'vitest';

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'codex-k8s-layers-'));
  cpSync('.oxlintrc.json', join(directory, '.oxlintrc.json'));
});
afterAll(() => rmSync(directory, { recursive: true }));

/** What lint says of a file that imports this, under the project's own rules. */
async function lint(file: string, statement: string): Promise<string> {
  const path = join(directory, file);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `${statement}\nexport const used: unknown = thing;\n`);
  const { stdout } = await execa('oxlint', ['--config', '.oxlintrc.json', file], {
    cwd: directory,
    localDir: process.cwd(),
    preferLocal: true,
    reject: false,
  });
  return stdout;
}

test.each([
  ['src/domain', 'node:fs'],
  ['src/domain', '../read-model/database.ts'],
  ['src/domain', 'zod'],
  ['src/read-model', '../adapters/github/index.ts'],
  ['src/adapters', '../read-model/database.ts'],
  ['src/adapters', '@temporalio/client'],
  ['src/agent', '../read-model/database.ts'],
  ['src/sandbox', '../app/config.ts'],
  ['workflows', 'node:fs'],
  ['workflows', '../activities/index.ts'],
  ['workflows', '../src/read-model/database.ts'],
  ['activities', '../src/adapters/github/index.ts'],
  ['activities', '../workflows/messages.ts'],
  ['ingress', '../activities/index.ts'],
  ['ingress', '../workflows/issue.ts'],
  ['ingress', '../src/agent/runner.ts'],
  ['ingress', '../src/adapters/github/index.ts'],
])('%s may not import %s', async (folder, from) => {
  expect(await lint(`${folder}/planted.ts`, `import { thing } from '${from}';`)).toContain('no-restricted-imports');
});

test.each([
  ['src/domain', './facts.ts'],
  ['ingress', '../workflows/messages.ts'],
  ['ingress', '../src/agent/protocol.ts'],
  ['activities', '../src/read-model/database.ts'],
  ['workflows', '../src/domain/facts.ts'],
])('%s may import %s', async (folder, from) => {
  expect(await lint(`${folder}/planted.ts`, `import { thing } from '${from}';`)).not.toContain('no-restricted-imports');
});
