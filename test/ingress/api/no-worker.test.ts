import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { RunView } from '../../../ingress/api/views.ts';
import { createSite, type Site } from '../dashboard/support/site.ts';
import { recordDelivery } from '../../../src/store/intake/intake.ts';
import { deliveryOf, issueOf } from '../../support/tables.ts';
import { bind, putIssue, putRun, runId } from '../dashboard/support/world.ts';
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

  test('T37: a run that was asked for meanwhile is in every list, and nothing that was decided on before', async () => {
    const { db } = api.connection;
    await bind(db);
    await putIssue(db, 7);
    const asked = (n: number, delivery: string): Parameters<typeof recordDelivery>[1] =>
      deliveryOf(delivery, 7, {
        repositoryId: 4711,
        issue: { ...issueOf(7), repositoryId: 4711, owner: 'acme', name: 'shop' },
        fact: {
          kind: 'trigger_label_added',
          label: 'run:qa',
          target: { stage: 'qa', kind: 'work' },
          runId: runId(n),
          delivery,
          by: { id: 7, login: 'olivia' },
          at: new Date().toISOString(),
        },
      });
    await recordDelivery(db, asked(8, 'asked-8'));
    await recordDelivery(db, asked(9, 'asked-9'));
    await putRun(db, 9, { status: 'queued' });

    const requested = { id: runId(8), label: 'run:qa', status: 'queued', hold: 'no_worker', triggeredBy: 'olivia' };
    expect(await shown(site, 8)).toMatchObject(requested);
    const list = (await (await site.ask('/api/v1/runs')).json()) as { items: RunView[] };
    expect(list.items.filter(({ id }) => [runId(8), runId(9)].includes(id)).map(({ id }) => id)).toEqual([
      runId(8),
      runId(9),
    ]);
    expect(await (await site.ask('/')).text()).toContain(runId(8));
    expect(await (await site.ask('/runs?status=queued')).text()).toContain(runId(8));
    expect(await (await site.ask('/runs?status=failed')).text()).not.toContain(runId(8));
    expect(await (await api.site.ask('/')).text()).not.toContain(runId(8));
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
