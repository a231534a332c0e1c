import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { examine } from '../../src/diagnostics/doctor.ts';
import { claimDataDirectory, writeReady } from '../../src/embedded/data-directory.ts';
import { linesOf } from './support.ts';

test('no up in the directory', async () => {
  const data = mkdtempSync(join(tmpdir(), 'doctor-'));
  const { findings, healthy } = await examine({ data }, {});
  expect(healthy).toBe(false);
  expect(linesOf(findings)).toEqual([`failed up: not running in ${data}`]);
});

test('an up whose parts are silent', async () => {
  const data = mkdtempSync(join(tmpdir(), 'doctor-'));
  const claim = claimDataDirectory(data);
  onTestFinished(() => claim.release());
  const nobody = 'http://127.0.0.1:1';
  writeReady(data, {
    ready: true,
    url: nobody,
    githubUrl: nobody,
    githubOwnerToken: 'owner-token-0001',
    webhookSecret: 'webhook-secret-01',
    temporalAddress: '127.0.0.1:1',
    temporalUi: nobody,
    databaseUrl: 'postgres://codexk8s:hunter2hunter2@127.0.0.1:1/codexk8s',
    processes: { server: process.pid, worker: 2 ** 22 + 1 },
  });
  const report = await examine({ data }, { CODEXK8S_PUBLIC_URL: 'https://elsewhere.example' });
  expect(report.findings.map(({ check, verdict }) => `${verdict} ${check}`)).toEqual([
    'failed up',
    'failed server',
    'failed Postgres',
    'failed Temporal',
    'failed GitHub',
  ]);
  expect(report.findings[0]?.found).toBe('worker not running');
  expect(JSON.stringify(report)).not.toMatch(/owner-token|hunter2/);
});
