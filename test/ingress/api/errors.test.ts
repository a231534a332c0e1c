import { describe, expect, test } from 'vitest';
import { RequestRefused } from '../../../ingress/http/errors.ts';
import { connect } from '../../../src/store/connection/database.ts';
import { createSite } from '../dashboard/support/site.ts';
import { putRun, runId } from '../dashboard/support/world.ts';
import { post, useApi } from './support/api.ts';

const api = useApi();

describe('errors', () => {
  test.each(['/nothing', '/runs/a/b/c', '/webhooks'])('%s has no route: 404 in the envelope', async (path) => {
    expect(await api.json(path)).toMatchObject({ status: 404, body: { code: 'not_found' } });
  });

  test('an unexpected error is answered with a correlation id, its message is logged only', async () => {
    const broken = createSite(api.connection, {});
    broken.app.get('/api/v2/broken', () => {
      throw new Error('select * from secrets');
    });
    const answer = await broken.ask('/api/v2/broken');
    await broken.live.close();
    const id = answer.headers.get('x-correlation-id') ?? '';
    expect([answer.status, await answer.json()]).toEqual([
      500,
      { code: 'internal', message: expect.stringContaining(id) as string },
    ]);
    expect(broken.logged).toMatchObject([{ correlationId: id, err: { message: 'select * from secrets' } }]);
  });

  test('an unreachable database is answered as unavailable', async () => {
    const nowhere = connect('postgres://nobody@127.0.0.1:1/none', { name: 'test' });
    const away = createSite({ ...nowhere, sql: api.connection.sql });
    const answer = await away.ask('/api/v1/runs');
    await Promise.all([away.live.close(), nowhere.close()]);
    expect([answer.status, answer.headers.get('retry-after'), await answer.json()]).toMatchObject([
      503,
      '5',
      { code: 'unavailable' },
    ]);
  });

  test('a refusal of a port keeps its code and message', async () => {
    const control = { cancelRun: async () => Promise.reject(new RequestRefused('not_found', 'gone')) };
    const refusing = createSite(api.connection, { control });
    await putRun(api.connection.db, 1);
    const answer = await refusing.ask(`/api/v1/runs/${runId(1)}/cancel`, post({}));
    await refusing.live.close();
    expect([answer.status, await answer.json()]).toEqual([404, { code: 'not_found', message: 'gone' }]);
  });
});
