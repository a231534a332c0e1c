import { Hono } from 'hono';
import { Counter, Registry } from 'prom-client';
import { describe, expect, test } from 'vitest';
import { createHealth, measureRequests } from '../../../ingress/http/health.ts';

const well = async (): Promise<void> => undefined;
const ill = async (): Promise<void> => {
  throw Object.assign(new Error('password of host db.internal is wrong'), { code: 'ECONNREFUSED' });
};

async function ready(options: Partial<Parameters<typeof createHealth>[0]>): Promise<[number, unknown]> {
  const response = await createHealth({ checks: {}, registry: new Registry(), ...options }).request('/readyz');
  return [response.status, await response.json()];
}

describe('readiness', () => {
  test('is there when all checks pass', async () => {
    expect(await ready({ checks: { postgres: well } })).toEqual([
      200,
      { status: 'ok', checks: { postgres: { status: 'ok' } } },
    ]);
  });

  test('is gone when a check fails, and tells the kind of error only', async () => {
    expect(await ready({ checks: { postgres: ill } })).toEqual([
      503,
      { status: 'failed', checks: { postgres: { status: 'failed', error: 'ECONNREFUSED' } } },
    ]);
  });

  test('stays when something fails that can be done without for a while', async () => {
    expect(await ready({ checks: { postgres: well }, degraded: { temporal: ill } })).toMatchObject([
      200,
      { status: 'degraded', checks: { temporal: { status: 'degraded' } } },
    ]);
  });

  test('does not wait for a check that never answers', async () => {
    const silent = (): Promise<void> => new Promise(() => undefined);
    const [status, body] = await ready({ checks: { postgres: silent } });
    expect([status, body]).toMatchObject([503, { checks: { postgres: { error: 'no answer in time' } } }]);
  });
});

test('a hundred questions at once are one look at each dependency', async () => {
  let looks = 0;
  const health = createHealth({ checks: { postgres: async () => void looks++ }, registry: new Registry() });
  const answers = await Promise.all(Array.from({ length: 100 }, async () => health.request('/readyz')));
  expect(answers.every(({ status }) => status === 200)).toBe(true);
  expect(looks).toBe(1);
});

test('a process that lives says so, whatever is down', async () => {
  const health = createHealth({ checks: { postgres: ill }, registry: new Registry() });
  expect((await health.request('/healthz')).status).toBe(200);
});

test('metrics are those of the registry', async () => {
  const registry = new Registry();
  new Counter({ name: 'things_total', help: 'things', registers: [registry] }).inc(3);
  const response = await createHealth({ checks: {}, registry }).request('/metrics');
  expect(response.headers.get('content-type')).toContain('text/plain');
  expect(await response.text()).toContain('things_total 3');
});

test('requests are measured by route, so that no address makes a series of its own', async () => {
  const registry = new Registry();
  const app = new Hono();
  app.use(measureRequests(registry));
  app.get('/runs/:id', (c) => c.text('x'));
  for (const id of ['1', '2']) await app.request(`/runs/${id}`);
  await app.request('/nowhere/4711', { method: 'BREW' });
  const metrics = await registry.metrics();
  expect(metrics).toContain('_count{method="GET",route="/runs/:id",status="200"} 2');
  expect(metrics).toContain('method="other"');
  expect(metrics).not.toContain('nowhere');
});
