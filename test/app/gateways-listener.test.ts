import { Registry } from 'prom-client';
import { expect, test } from 'vitest';
import { createMetrics } from '../../ingress/http/metrics.ts';
import { BODY_LIMITS } from '../../ingress/http/slow-bodies.ts';
import { GATEWAY_LIMITS } from '../../ingress/gateways/upstream.ts';
import { createServerApp, type ServerParts } from '../../src/app/server/server-app.ts';
import { useTables } from '../support/tables.ts';

const tables = useTables();

function appOf(gatewaysHost: string | undefined): ReturnType<typeof createServerApp> {
  const registry = new Registry();
  return createServerApp({
    config: {
      CODEXK8S_GATEWAYS_HOST: gatewaysHost,
      CODEXK8S_DASHBOARD: 'token',
      CODEXK8S_STAFF_TOKEN_FILE: 'the token of the staff',
      CODEXK8S_GITHUB_TOKEN_FILE: 'the token of GitHub',
      CODEXK8S_MODEL_KEY_FILE: 'the key of the model',
      CODEXK8S_RUN_TOKEN_KEY_FILE: 'the key of run tokens',
      CODEXK8S_WEBHOOK_SECRETS_FILE: ['the secret of webhooks'],
      CODEXK8S_PUBLIC_URL: 'http://platform.test',
      CODEXK8S_INTERNAL_URL: 'http://platform.test',
      CODEXK8S_GITHUB_URL: 'http://github.test',
      CODEXK8S_MODEL_URL: 'http://model.test/v1',
    },
    log: { warn: () => undefined, error: () => undefined },
    registry,
    metrics: createMetrics(registry),
    bodies: BODY_LIMITS,
    gatewayLimits: GATEWAY_LIMITS,
    pages: tables.another(),
    agents: tables.another(),
    tokens: { verify: () => undefined },
    checks: {},
    degraded: {},
  } as unknown as ServerParts);
}

const GATEWAYS = [
  '/api/v1/agent/assignment',
  '/git/acme/demo.git/info/refs?service=git-upload-pack',
  '/model/v1/models',
];

test('S10: gateways with a listener of their own do not answer on the public one', async () => {
  const { app, gateways, close } = appOf('10.0.0.7');
  for (const path of GATEWAYS) {
    const open = await app.request(path, { headers: { authorization: 'Bearer the token of the staff' } });
    expect([path, open.status]).toEqual([path, 404]);
    expect([path, (await gateways.request(path)).status]).toEqual([path, 401]);
  }
  await close();
});

test('gateways without one answer on the public listener', async () => {
  const { app, close } = appOf(undefined);
  for (const path of GATEWAYS) expect([path, (await app.request(path)).status]).toEqual([path, 401]);
  await close();
});
