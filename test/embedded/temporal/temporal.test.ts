import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { Connection } from '@temporalio/client';
import { beforeAll, expect, test } from 'vitest';
import { cacheDirectory } from '../../../src/embedded/files/cache-directory.ts';
import { temporalServer, type TemporalServer } from '../../../src/embedded/temporal/temporal.ts';
import { readTemporalDev, type TemporalDev } from '../../../src/embedded/temporal/dev-settings.ts';
import { resolveTemporal } from '../../../src/embedded/temporal/executable.ts';
import { freePort } from '../../support/free-port.ts';
import { run } from '../running.ts';
import { temporaryDirectory } from '../temporary-directory.ts';

const settings = readTemporalDev(new URL('../../../temporal-dev.yaml', import.meta.url));
let executable: string;

beforeAll(async () => {
  const cache = cacheDirectory(process.env);
  ({ path: executable } = await resolveTemporal({
    ...settings,
    cacheDirectory: cache,
    env: process.env,
    report: () => {},
  }));
}, 10 * 60_000);

async function server(dataDirectory: string, wanted: TemporalDev = settings): Promise<TemporalServer> {
  return temporalServer({
    executable,
    dataDirectory,
    port: await freePort(),
    uiPort: await freePort(),
    settings: wanted,
  });
}

async function namespaceOf({
  address,
  namespace,
}: TemporalServer): Promise<{ retention: number; attributes: string[] }> {
  const connection = await Connection.connect({ address });
  const { config } = await connection.workflowService.describeNamespace({ namespace });
  const { customAttributes } = await connection.operatorService.listSearchAttributes({ namespace });
  await connection.close();
  return {
    retention: Number(config?.workflowExecutionRetentionTtl?.seconds) / 86_400,
    attributes: Object.keys(customAttributes),
  };
}

test('the namespace and its search attributes are there at the first start and after a restart', async () => {
  const dataDirectory = temporaryDirectory();
  const first = await server(dataDirectory);
  const supervisor = await run(dataDirectory, first.spec);
  const wanted = { retention: 90, attributes: expect.arrayContaining(Object.keys(settings.searchAttributes)) };
  expect(await namespaceOf(first)).toEqual(wanted);
  await supervisor.stop();

  const second = await server(dataDirectory);
  await run(dataDirectory, second.spec);
  expect(await namespaceOf(second)).toEqual(wanted);
});

test('an older database gets what temporal-dev.yaml has gained since', async () => {
  const dataDirectory = temporaryDirectory();
  const old = await server(dataDirectory, {
    ...settings,
    namespace: { name: 'codex-k8s', retentionDays: 3 },
    searchAttributes: { Repository: 'Keyword' },
  });
  const supervisor = await run(dataDirectory, old.spec);
  const before = await namespaceOf(old);
  expect(before.retention).toBe(3);
  expect(before.attributes).not.toContain('WaitingFor');
  await supervisor.stop();

  const current = await server(dataDirectory);
  await run(dataDirectory, current.spec);
  const after = await namespaceOf(current);
  expect(after.retention).toBe(90);
  expect(after.attributes).toContain('WaitingFor');
});

test('a search attribute that is there with another type is an error, not a surprise later', async () => {
  const dataDirectory = temporaryDirectory();
  const old = await server(dataDirectory, { ...settings, searchAttributes: { Issue: 'Keyword' } });
  await (await run(dataDirectory, old.spec)).stop();
  const current = await server(dataDirectory);
  const start = run(dataDirectory, { ...current.spec, readyWithinMs: 25_000 });
  await expect(start).rejects.toThrow('The search attribute Issue exists with another type than Int');
});

test('a database whose making was interrupted is made anew, and one with a namespace is kept', async () => {
  const dataDirectory = temporaryDirectory();
  const { spec } = await server(dataDirectory);
  const file = join(dataDirectory, 'temporal', 'temporal.db');

  writeFileSync(file, '');
  await spec.prepare?.();
  expect(existsSync(file)).toBe(false);

  const database = new DatabaseSync(file);
  database.exec("CREATE TABLE namespaces (name TEXT); INSERT INTO namespaces VALUES ('codex-k8s')");
  database.close();
  await spec.prepare?.();
  expect(existsSync(file)).toBe(true);
});
