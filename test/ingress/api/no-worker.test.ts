import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { RunView } from '../../../ingress/api/views.ts';
import { createSite, type Site } from '../dashboard/support/site.ts';
import { putRun, runId } from '../dashboard/support/world.ts';
import { useApi } from './support/api.ts';

const api = useApi();
let site: Site;
beforeAll(() => {
  site = createSite(api.connection, { noWorkerSince: new Date('2026-12-01T10:00:00.000Z') });
});
afterAll(async () => site?.live.close());

async function shown(on: Site, n: number): Promise<Pick<RunView, 'status' | 'hold' | 'statusText'>> {
  return (await (await on.ask(`/api/v1/runs/${runId(n)}`)).json()) as RunView;
}

describe('T37: while no worker takes tasks', () => {
  test('T37: a queued run is shown as held up, with what to do', async () => {
    await putRun(api.connection.db, 1, { status: 'queued' });
    const held = await shown(site, 1);
    expect(held).toMatchObject({ status: 'queued', hold: 'no_worker' });
    expect(held.statusText).toMatch(/No worker .* since .*codex-k8s worker/);
    expect(await (await site.ask(`/runs/${runId(1)}`)).text()).toContain('No worker has taken a task since');
    expect(await (await site.ask('/')).text()).toContain('No worker has taken a task since');
  });

  test('T37: a run that has ended is shown as it ended', async () => {
    await putRun(api.connection.db, 2, { status: 'succeeded' });
    expect(await shown(site, 2)).toMatchObject({ status: 'succeeded', hold: null });
  });

  test('T37: and nothing of that when there is a worker', async () => {
    await putRun(api.connection.db, 1, { status: 'queued' });
    expect(await shown(api.site, 1)).toMatchObject({ status: 'queued', hold: null });
    expect(await (await api.site.ask('/')).text()).not.toContain('No worker');
  });
});
