import { describe, expect, test } from 'vitest';
import { reserveCall, settleCall } from '../../../src/store/money/ledger.ts';
import { storeNetworkFinding } from '../../../src/store/workspaces/cluster-findings.ts';
import { keyOf, putDelivery, putEvent, putIssue, putLines, putRun, runId } from '../dashboard/support/world.ts';
import { useApi } from './support/api.ts';

const api = useApi();

test('costs are shown by day, issue, project or run', async () => {
  const { db } = api.connection;
  const call = { runId: runId(1), issue: keyOf(1), project: 'demo', attempt: 1, model: 'm', most: 50, prices: '' };
  const { id = '' } = await reserveCall(db, { ...call, lostAfterMs: 1000 }, {});
  await settleCall(db, id, undefined, {});
  await putRun(db, 1);
  expect(await api.json('/costs?by=project')).toMatchObject({
    status: 200,
    body: { by: 'project', items: [{ name: 'demo', cost: 50, calls: 1 }] },
  });
  expect(await api.json(`/runs/${runId(1)}`)).toMatchObject({ body: { cost: 50 } });
  expect(await api.json('/costs?by=weather')).toMatchObject({ status: 400, body: { field: 'by' } });
});

describe('runs', () => {
  test('are listed as JSON, with sentences beside the codes', async () => {
    await putRun(api.connection.db, 1, { status: 'failed', failure: 'no_changes' });
    expect(await api.json('/runs')).toMatchObject({
      status: 200,
      body: {
        items: [
          {
            id: runId(1),
            label: 'run:dev',
            terminal: true,
            failure: 'no_changes',
            failureText: expect.stringContaining('without changing anything') as string,
            createdAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT/) as string,
          },
        ],
        next: null,
      },
    });
  });

  test('are read page by page with the cursor of the last answer', async () => {
    for (const n of [1, 2]) await putRun(api.connection.db, n);
    const first = (await api.json('/runs?limit=1')).body as { next: string };
    expect(await api.json(`/runs?limit=1&cursor=${first.next}`)).toMatchObject({
      body: { items: [{ id: runId(2) }], next: null },
    });
  });

  test.each([
    ['limit=0', 'limit'],
    ['limit=201', 'limit'],
    ['status=asleep', 'status'],
    ['issue=12', 'issue'],
    ['repository=acme', 'repository'],
    ['cursor=abc', 'cursor'],
    ['id=12345', 'id'],
    ['id=0198c0de-', undefined],
  ])('are asked for with %s', async (query, field) => {
    const { status, body } = await api.json(`/runs?${query}`);
    expect({ status, body }).toMatchObject(
      field === undefined ? { status: 200 } : { status: 400, body: { code: 'invalid_argument', field } },
    );
  });

  test('are shown one by one', async () => {
    await putRun(api.connection.db, 1);
    expect(await api.json(`/runs/${runId(1)}`)).toMatchObject({ status: 200, body: { repository: 'acme/shop' } });
  });

  test('that are unknown answer 404', async () => {
    expect(await api.json(`/runs/${runId(1)}`)).toMatchObject({ status: 404, body: { code: 'not_found' } });
  });

  test('with an invalid id answer 400 with the field', async () => {
    expect(await api.json('/runs/42')).toMatchObject({ status: 400, body: { code: 'invalid_argument', field: 'id' } });
  });

  test('have events in plain words', async () => {
    await putRun(api.connection.db, 1);
    await putEvent(api.connection.db, { id: 'e', type: 'run.pr.created', runId: runId(1), payload: { pr_number: 7 } });
    expect(await api.json(`/runs/${runId(1)}/events`)).toMatchObject({
      body: { items: [{ type: 'run.pr.created', text: 'Pull request #7 was opened' }], after: 1 },
    });
  });

  test('have a log that is read after a line, with whether more follows', async () => {
    await putRun(api.connection.db, 1);
    await putLines(api.connection.db, runId(1), [{ n: 0 }, { n: 1 }, { n: 2 }]);
    expect(await api.json(`/runs/${runId(1)}/log?after=0&limit=1`)).toMatchObject({
      body: { items: [{ n: 1, text: 'line 1' }], after: 1, more: true, status: 'working', terminal: false },
    });
  });

  test('have a log whose last page says that it is the last', async () => {
    await putRun(api.connection.db, 1, { status: 'succeeded' });
    expect(await api.json(`/runs/${runId(1)}/log?after=5`)).toMatchObject({
      body: { items: [], after: 5, more: false, terminal: true },
    });
  });
});

describe('issues', () => {
  test('are found by key, with their runs and events', async () => {
    await putIssue(api.connection.db, 1);
    await putRun(api.connection.db, 1);
    await putEvent(api.connection.db, { id: 'e', type: 'issue.closed' });
    expect(await api.json(`/issues/${encodeURIComponent(keyOf(1))}`)).toMatchObject({
      status: 200,
      body: { key: keyOf(1), runs: [{ id: runId(1) }], events: [{ id: 'e' }] },
    });
  });

  test('are found by name', async () => {
    await putIssue(api.connection.db, 1);
    expect(await api.json('/issues/acme/shop/1')).toMatchObject({ status: 200, body: { key: keyOf(1) } });
  });

  test('that are unknown answer 404', async () => {
    expect(await api.json('/issues/acme/shop/2')).toMatchObject({ status: 404, body: { code: 'not_found' } });
  });

  test('are filtered by state', async () => {
    await putIssue(api.connection.db, 1, { state: 'closed' });
    expect(await api.json('/issues?state=working')).toMatchObject({ body: { items: [] } });
  });
});

test('deliveries say in words why nothing happened', async () => {
  await putDelivery(api.connection.db, 'one', { status: 'ignored', reason: 'sender_type_bot_not_permitted' });
  expect(await api.json('/deliveries?status=ignored')).toMatchObject({
    body: { items: [{ id: 'one', reasonText: expect.stringContaining('only people may') as string }] },
  });
});

describe('the cluster', () => {
  test('is unknown before a worker has probed it', async () => {
    expect(await api.json('/cluster')).toEqual({ status: 200, body: { network: null } });
  });

  test('says of a network without policies whether agents are started, and what to do', async () => {
    await storeNetworkFinding(api.connection.db, { state: 'unenforced', detail: '10.96.0.1:443', agents: 'stopped' });
    expect(await api.json('/cluster')).toEqual({
      status: 200,
      body: {
        network: {
          state: 'unenforced',
          detail: '10.96.0.1:443',
          agents: 'stopped',
          text: expect.stringMatching(/^no agent is started: .* 10\.96\.0\.1:443$/) as string,
          advice: expect.stringContaining('CODEXK8S_ALLOW_UNENFORCED_NETWORK_POLICY=true') as string,
          foundAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT/) as string,
        },
      },
    });
  });

  test('has no text for a network that enforces policies', async () => {
    await storeNetworkFinding(api.connection.db, { state: 'enforced', detail: '', agents: 'started' });
    expect(await api.json('/cluster')).toMatchObject({
      body: { network: { state: 'enforced', text: null, advice: null } },
    });
  });
});
