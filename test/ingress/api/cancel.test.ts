import { describe, expect, test } from 'vitest';
import { BEARER, createSite } from '../dashboard/support/site.ts';
import { keyOf, putRun, runId } from '../dashboard/support/world.ts';
import { post, useApi } from './support/api.ts';

const api = useApi();

describe('cancel', () => {
  test('signals the cancel to the run', async () => {
    await putRun(api.connection.db, 1);
    expect(await api.json(`/runs/${runId(1)}/cancel`, post({ reason: 'enough', actor: 'olivia' }))).toEqual({
      status: 202,
      body: { id: runId(1), status: 'working', canceling: true },
    });
    expect(api.site.canceled).toEqual([{ issueKey: keyOf(1), runId: runId(1), actor: 'olivia', reason: 'enough' }]);
  });

  test('needs no body', async () => {
    await putRun(api.connection.db, 1);
    const { status } = await api.json(`/runs/${runId(1)}/cancel`, { method: 'POST', headers: BEARER });
    expect(status).toBe(202);
  });

  test('of a finished run answers 409 and names its status', async () => {
    await putRun(api.connection.db, 1, { status: 'succeeded' });
    expect(await api.json(`/runs/${runId(1)}/cancel`, post({}))).toMatchObject({
      status: 409,
      body: { code: 'conflict', message: expect.stringMatching(/^already_terminal: .*succeeded/) as string },
    });
    expect(api.site.canceled).toEqual([]);
  });

  test('of an unknown run answers 404', async () => {
    expect(await api.json(`/runs/${runId(1)}/cancel`, post({}))).toMatchObject({ status: 404 });
  });

  test('refuses fields that it does not know', async () => {
    await putRun(api.connection.db, 1);
    expect(await api.json(`/runs/${runId(1)}/cancel`, post({ why: 'x' }))).toMatchObject({
      status: 400,
      body: { field: 'why' },
    });
  });

  test('answers 409 if the workflow is not running', async () => {
    const dead = createSite(api.connection, { control: { cancelRun: async () => false } });
    await putRun(api.connection.db, 1);
    const answer = await dead.ask(`/api/v1/runs/${runId(1)}/cancel`, post({}));
    await dead.live.close();
    expect([answer.status, await answer.json()]).toMatchObject([409, { code: 'failed_precondition' }]);
  });

  test('answers 503 if Temporal is unreachable, with the reason in the log only', async () => {
    const control = { cancelRun: async () => Promise.reject(new Error('secret address')) };
    const away = createSite(api.connection, { control });
    await putRun(api.connection.db, 1);
    const answer = await away.ask(`/api/v1/runs/${runId(1)}/cancel`, post({}));
    await away.live.close();
    expect([answer.status, await answer.text()]).toEqual([503, expect.not.stringContaining('secret address')]);
    expect(away.logged).toHaveLength(1);
  });
});
