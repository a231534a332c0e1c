import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { temporalArguments } from '../../../src/embedded/temporal/temporal.ts';
import { readTemporalDev } from '../../../src/embedded/temporal/dev-settings.ts';
import { temporaryDirectory } from '../temporary-directory.ts';

const file = new URL('../../../temporal-dev.yaml', import.meta.url);

test('temporal-dev.yaml says what the workflows need', () => {
  const settings = readTemporalDev(file);
  expect(settings.namespace.name).toBe('codex-k8s');
  expect(settings.searchAttributes).toEqual({
    Repository: 'Keyword',
    Issue: 'Int',
    Stage: 'Keyword',
    RunStatus: 'Keyword',
    WaitingFor: 'Keyword',
  });
});

test('a mistake in the file is named by its place', () => {
  const wrong = join(temporaryDirectory(), 'temporal-dev.yaml');
  writeFileSync(
    wrong,
    'cli: 1.5.1\nserver: 1.29.1\nnamespace: {name: a, retentionDays: 0}\nsearchAttributes: {}\ndynamicConfig: {}\nsqlite: {}\n',
  );
  expect(() => readTemporalDev(wrong)).toThrow('namespace.retentionDays');
});

test('the dynamic config of a test is put over that of the file', () => {
  const settings = {
    ...readTemporalDev(file),
    dynamicConfig: { 'limit.historyCount.suggestContinueAsNew': 4096, 'frontend.rps': 10 },
  };
  const options = { dataDirectory: '/data', port: 1, uiPort: 2, settings };
  const args = temporalArguments(
    { ...options, dynamicConfig: { 'limit.historyCount.suggestContinueAsNew': 40 } },
    '/data/temporal.db',
  );
  const values = args.filter((_, index) => args[index - 1] === '--dynamic-config-value');
  expect(values).toEqual(['limit.historyCount.suggestContinueAsNew=40', 'frontend.rps=10']);
});
