import { deliveries } from '../../../src/store/connection/schema.ts';
import { bind, count, factsOf, keyOf, verifiedChain } from '../../support/tables.ts';
import { beforeEach, describe, expect, test } from 'vitest';
import { labeled, send, useWebhook } from './support/webhook.ts';

const { tables, webhook, kept } = useWebhook();

describe('T10: a delivery that comes again', () => {
  beforeEach(() => bind(tables.db));

  test('is answered with the run of the first time, and writes nothing', async () => {
    const first = await send(webhook(), labeled(), { id: 'd1' });
    const again = await send(webhook(), labeled(), { id: 'd1' });
    expect(again.status).toBe(200);
    expect(again.body).toEqual({ ...first.body, status: 'duplicate', duplicate: true });
    expect(await kept()).toEqual({ deliveries: 1, events: 1, facts: 1 });
  });

  test.each<[string, object]>([
    ['was ignored', labeled(7, { label: { name: 'bug' } })],
    ['was refused', labeled(7, { label: { name: 'run:qa' }, issue: { ...labeled().issue, labels: [] } })],
    ['closed the issue', labeled(7, { action: 'closed', label: undefined })],
  ])('and %s writes no second event and no second fact', async (_what, body) => {
    const first = await send(webhook(), body, { id: 'd1' });
    const before = await kept();
    const again = await send(webhook(), body, { id: 'd1' });
    expect(again.status).toBe(200);
    expect(again.body).toEqual({ ...first.body, status: 'duplicate', duplicate: true });
    expect(await kept()).toEqual(before);
  });

  test('keeps its first decision, even if the decision would differ now', async () => {
    const other = labeled(7, { repository: { ...labeled().repository, id: 43 } });
    await send(webhook(), other, { id: 'd1' });
    const again = await send(webhook(), labeled(), { id: 'd1' });
    expect(again.body).toMatchObject({ status: 'duplicate', reason: 'repository_not_bound_for_issue_label' });
    expect(await factsOf(tables.db, 7)).toEqual([]);
  });

  test('a month later is a duplicate still', async () => {
    await send(webhook(), labeled(), { id: 'd1' });
    await tables.db.update(deliveries).set({ receivedAt: new Date(Date.now() - 31 * 24 * 3_600_000) });
    expect((await send(webhook(), labeled(), { id: 'd1' })).body).toMatchObject({ status: 'duplicate' });
    expect(await kept()).toEqual({ deliveries: 1, events: 1, facts: 1 });
  });

  test('fifty times at once is accepted once', async () => {
    const app = webhook();
    const answers = await Promise.all(count(1, 50).map(() => send(app, labeled(), { id: 'd1' })));
    const taken = answers.filter(({ status }) => status === 202);
    expect(taken).toHaveLength(1);
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200, 202]));
    expect(new Set(answers.map(({ body }) => body['run_id'])).size).toBe(1);
    expect(await kept()).toEqual({ deliveries: 1, events: 1, facts: 1 });
    expect(await tables.db.select().from(deliveries)).toMatchObject([{ repeats: 49 }]);
  });

  test('is reported as a duplicate', async () => {
    const results: unknown[] = [];
    const app = webhook({ onResult: (result) => results.push(result) });
    await send(app, labeled(), { id: 'd1' });
    await send(app, labeled(), { id: 'd1' });
    await send(app, labeled(7, { label: { name: 'bug' } }));
    expect(results).toEqual(['accepted', 'duplicate', 'ignored'].map((result) => ({ event: 'issues', result })));
  });
});

describe('deliveries at once', () => {
  test('number the facts of each issue without gaps, and request a run each', async () => {
    await bind(tables.db);
    const apps = [webhook(), webhook({ db: tables.another().db })];
    const answers = await Promise.all(count(1, 60).map((n) => send(apps[n % 2] ?? webhook(), labeled((n % 3) + 1))));
    expect(answers.map(({ status }) => status)).toEqual(Array<number>(60).fill(202));
    expect(new Set(answers.map(({ body }) => body['run_id'])).size).toBe(60);
    for (const issue of [1, 2, 3]) {
      expect((await factsOf(tables.db, issue)).map(({ seq }) => seq)).toEqual(count(1, 20));
      expect(await verifiedChain(tables.db, keyOf(issue))).toHaveLength(20);
    }
  });
});
