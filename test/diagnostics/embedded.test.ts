import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { examine } from '../../src/diagnostics/doctor.ts';
import { claimDataDirectory, writeReady } from '../../src/embedded/data-directory.ts';
import { openSecrets } from '../../src/embedded/secrets.ts';
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

test("A5: the token that is checked is the platform's, not that of the person", async () => {
  const data = mkdtempSync(join(tmpdir(), 'doctor-'));
  const claim = claimDataDirectory(data);
  onTestFinished(() => claim.release());
  const secrets = openSecrets(data);
  const logins = { [secrets['github-bot-token']]: 'codex-k8s[bot]', [secrets['github-owner-token']]: 'olivia' };
  const github = createServer(({ headers }, response) => {
    const login = logins[headers.authorization?.replace('Bearer ', '') ?? ''];
    response.setHeader('content-type', 'application/json').end(JSON.stringify({ login }));
  }).listen(0, '127.0.0.1');
  onTestFinished(() => void github.close());
  await once(github, 'listening');
  const nobody = 'http://127.0.0.1:1';
  writeReady(data, {
    ready: true,
    url: nobody,
    githubUrl: `http://127.0.0.1:${(github.address() as AddressInfo).port}`,
    githubOwnerToken: secrets['github-owner-token'],
    webhookSecret: 'webhook-secret-01',
    temporalAddress: '127.0.0.1:1',
    temporalUi: nobody,
    databaseUrl: 'postgres://codexk8s:hunter2hunter2@127.0.0.1:1/codexk8s',
    processes: { server: process.pid },
  });
  const report = await examine({ data }, {});
  expect(linesOf(report.findings)).toContain("ok GitHub: the token is codex-k8s[bot]'s");
  expect(JSON.stringify(report)).not.toContain(secrets['github-bot-token']);
});
