/** Server, worker, doctor and commands against a Temporal that speaks TLS and wants a certificate and an API key. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Connection } from '@temporalio/client';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { NativeConnection } from '@temporalio/worker';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { checkTemporal, temporalAccess, TemporalSettings } from '../../src/app/config/temporal-config.ts';
import { temporalAddress } from '../../src/cli/client/resolve-api.ts';
import { withTemporal } from '../../src/cli/histories/temporal-access.ts';
import { temporalCheck } from '../../src/diagnostics/temporal.ts';
import { connectionOptions } from '../../src/temporal/access.ts';
import { createAuthority, type Authority } from '../support/certificates.ts';
import { openTemporal } from '../support/temporal.ts';
import { TEMPORAL_DEV } from '../support/temporal-server.ts';
import { startTlsTemporal, type TlsTemporal } from '../support/tls-temporal.ts';

const API_KEY = 'the key of the tests';
const directory = mkdtempSync(join(tmpdir(), 'temporal-tls-'));
let authority: Authority;
let temporal: TestWorkflowEnvironment;
let secure: TlsTemporal;
let complete: Record<string, string>;

beforeAll(async () => {
  authority = createAuthority();
  temporal = await openTemporal();
  secure = await startTlsTemporal(temporal.address ?? '', {
    own: authority.issue('temporal.test'),
    authority,
    apiKey: API_KEY,
  });
  const own = authority.issue('codex-k8s');
  const keyFile = join(directory, 'api-key');
  writeFileSync(keyFile, `${API_KEY}\n`, { mode: 0o600 });
  complete = {
    CODEXK8S_TEMPORAL_ADDRESS: secure.address,
    CODEXK8S_TEMPORAL_NAMESPACE: temporal.namespace ?? 'default',
    CODEXK8S_TEMPORAL_TLS: 'on',
    CODEXK8S_TEMPORAL_TLS_CA_FILE: authority.certificate,
    CODEXK8S_TEMPORAL_TLS_CERT_FILE: own.certificate,
    CODEXK8S_TEMPORAL_TLS_KEY_FILE: own.key,
    CODEXK8S_TEMPORAL_API_KEY_FILE: keyFile,
  };
});
afterAll(async () => {
  await secure?.stop();
  await temporal?.teardown();
  authority?.remove();
  rmSync(directory, { recursive: true, force: true });
});

const Settings = TemporalSettings.superRefine(checkTemporal);
const accessOf = (env: Record<string, string>) => temporalAccess(Settings.parse(env));
const without = (...names: string[]) =>
  Object.fromEntries(Object.entries(complete).filter(([name]) => !names.includes(name)));

describe('with all settings', () => {
  test("the server's connection is answered, and shows its certificate", async () => {
    const connection = Connection.lazy(connectionOptions(accessOf(complete)));
    const { serverVersion } = await connection.workflowService.getSystemInfo({});
    await connection.close();
    expect(serverVersion).toMatch(/^1\./);
    expect([...secure.clients]).toEqual(['codex-k8s']);
  });

  test("the worker's connection is answered", async () => {
    const connection = await NativeConnection.connect(connectionOptions(accessOf(complete)));
    const { namespaceInfo } = await connection.workflowService.describeNamespace({
      namespace: temporal.namespace ?? '',
    });
    await connection.close();
    expect(namespaceInfo?.name).toBe(temporal.namespace);
  });

  test('a command that reads histories is answered', async () => {
    const listed = await withTemporal(temporalAddress(undefined, complete), async ({ workflowService }) =>
      workflowService.listWorkflowExecutions({ namespace: temporal.namespace ?? '' }),
    );
    expect(listed.executions).toEqual([]);
  });

  test('the doctor is answered', async () => {
    const found = await temporalCheck(accessOf(complete), TEMPORAL_DEV).run(AbortSignal.timeout(60_000));
    expect([found].flat()[0]).toMatchObject({
      verdict: 'ok',
      found: expect.stringContaining(secure.address) as string,
    });
  });

  test('a server of another name is accepted by that name', async () => {
    const named = accessOf({ ...complete, CODEXK8S_TEMPORAL_TLS_SERVER_NAME: 'temporal.test' });
    const connection = await Connection.connect(connectionOptions(named));
    await connection.close();
  });
});

describe('no answer comes', () => {
  async function refused(env: Record<string, string>): Promise<unknown> {
    const options = { ...connectionOptions(accessOf(env)), connectTimeout: 1500 };
    return Connection.connect(options).then(
      async (connection) => {
        await connection.close();
        return undefined;
      },
      (error: unknown) => error,
    );
  }

  test.each<[string, string[]]>([
    ['without its authority', ['CODEXK8S_TEMPORAL_TLS_CA_FILE']],
    ['without our certificate', ['CODEXK8S_TEMPORAL_TLS_CERT_FILE', 'CODEXK8S_TEMPORAL_TLS_KEY_FILE']],
    ['without the API key', ['CODEXK8S_TEMPORAL_API_KEY_FILE']],
  ])('%s', async (_what, names) => {
    expect(await refused(without(...names))).toBeInstanceOf(Error);
  });

  test('under another name than the certificate has', async () => {
    const other = { ...complete, CODEXK8S_TEMPORAL_TLS_SERVER_NAME: 'another.test' };
    expect(await refused(other)).toBeInstanceOf(Error);
  });
});

describe('settings that do not go together are refused', () => {
  test.each<[string, () => Record<string, string>, RegExp]>([
    ['an API key without TLS', () => ({ ...complete, CODEXK8S_TEMPORAL_TLS: 'off' }), /needs CODEXK8S_TEMPORAL_TLS=on/],
    ['a certificate without its key', () => without('CODEXK8S_TEMPORAL_TLS_KEY_FILE'), /set both or none/],
    [
      'a file that is no certificate',
      () => ({ ...complete, CODEXK8S_TEMPORAL_TLS_CA_FILE: complete['CODEXK8S_TEMPORAL_API_KEY_FILE'] ?? '' }),
      /holds no certificate/,
    ],
  ])('%s', (_what, env, message) => {
    expect(() => Settings.parse(env())).toThrow(message);
  });
});
