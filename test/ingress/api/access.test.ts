import { describe, expect, test } from 'vitest';
import { BEARER, createSite } from '../dashboard/support/site.ts';
import { putRun, runId } from '../dashboard/support/world.ts';
import { post, useApi } from './support/api.ts';

const api = useApi();

describe('access', () => {
  test.each([
    ['no token', {}],
    ['another token', { authorization: 'Bearer staff-token-of-the-testz' }],
    ['another scheme', { authorization: BEARER.authorization.replace('Bearer', 'Basic') }],
  ])('changes nothing with %s, even where reads are open', async (_what, headers) => {
    await putRun(api.connection.db, 1);
    const answer = await api.site.ask(`/api/v1/runs/${runId(1)}/cancel`, post({}, headers));
    expect([answer.status, answer.headers.get('www-authenticate'), api.site.canceled]).toEqual([401, 'Bearer', []]);
  });

  test('reads need the token unless they are open', async () => {
    const closed = createSite(api.connection, { readsOpen: false });
    const answers = [await closed.ask('/api/v1/runs'), await closed.ask('/api/v1/runs', { headers: BEARER })];
    await closed.live.close();
    expect(answers.map(({ status }) => status)).toEqual([401, 200]);
  });

  test.each(['evil.example', 'evil.example:8080', '127.0.0.1.evil.example', '10.0.0.1:8080', 'localhost:evil'])(
    'open reads refuse the host %s',
    async (host) => {
      expect(await api.json('/runs', { headers: { host } })).toMatchObject({
        status: 403,
        body: { code: 'forbidden' },
      });
    },
  );

  test.each(['127.0.0.1', 'localhost:3000', '[::1]:8080'])('open reads answer to the host %s', async (host) => {
    expect((await api.json('/runs', { headers: { host } })).status).toBe(200);
  });

  test.each([
    ['origin', { origin: 'http://evil.example' }],
    ['fetch metadata', { 'sec-fetch-site': 'cross-site' }],
    ['a sibling site', { 'sec-fetch-site': 'same-site' }],
  ])('refuses requests of another site, recognized by %s', async (_what, headers) => {
    await putRun(api.connection.db, 1);
    expect(await api.json(`/runs/${runId(1)}/cancel`, post({}, { ...BEARER, ...headers }))).toMatchObject({
      status: 403,
      body: { field: 'Origin' },
    });
  });
});
