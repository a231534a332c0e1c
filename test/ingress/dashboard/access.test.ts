import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { createStaffAccess, SESSION_SECONDS } from '../../../ingress/api/access.ts';
import { connect, type Connection } from '../../../src/store/connection/database.ts';
import { startTestDatabase, type TestDatabase } from '../../support/postgres.ts';
import { BEARER, createSite, form, STAFF_TOKEN, type Site } from './support/site.ts';
import { bind, clear, keyOf, putRun, runId } from './support/world.ts';

let database: TestDatabase;
let connection: Connection;
let open: Site;
let closed: Site;

beforeAll(async () => {
  database = await startTestDatabase();
  connection = connect(database.url, { name: 'test' });
  open = createSite(connection);
  closed = createSite(connection, { readsOpen: false });
});
afterAll(async () => {
  await Promise.all([open?.live.close(), closed?.live.close()]);
  await connection?.close();
  await database?.stop();
});
beforeEach(async () => {
  await clear(connection.db);
  await bind(connection.db);
  await putRun(connection.db, 1);
  open.canceled.length = 0;
  closed.canceled.length = 0;
});
afterEach(() => {
  vi.useRealTimers();
});

async function signIn(site: Site): Promise<string> {
  const response = await site.ask('/login', form({ token: STAFF_TOKEN }));
  return response.headers.get('set-cookie')?.split(';')[0] ?? '';
}

describe('somebody who guesses the staff token', () => {
  let guessed: Site;
  beforeEach(() => {
    guessed = createSite(connection, { readsOpen: false });
  });
  afterEach(async () => guessed.live.close());

  test('may sign in twenty times a minute, and is then refused without a look at the token', async () => {
    const statuses: number[] = [];
    for (let n = 0; n < 20; n++) statuses.push((await guessed.ask('/login', form({ token: `wrong-${n}` }))).status);
    expect(new Set(statuses)).toEqual(new Set([401]));
    const refused = await guessed.ask('/login', form({ token: STAFF_TOKEN }));
    expect(refused.status).toBe(429);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(refused.headers.get('set-cookie')).toBeNull();
  });

  test('is told to wait by the API too, while the right token goes on being accepted', async () => {
    const wrong = { authorization: 'Bearer staff-token-of-the-testz' };
    for (let n = 0; n < 20; n++) await guessed.ask('/api/v1/runs', { headers: wrong });
    const refused = await guessed.ask('/api/v1/runs', { headers: wrong });
    expect([refused.status, await refused.json()]).toMatchObject([429, { code: 'resource_exhausted' }]);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    expect((await guessed.ask('/api/v1/runs', { headers: BEARER })).status).toBe(200);
  });

  test('may try again after a minute', async () => {
    vi.useFakeTimers({ toFake: ['performance'] });
    for (let n = 0; n < 21; n++) await guessed.ask('/login', form({ token: 'wrong' }));
    vi.advanceTimersByTime(60_000);
    expect((await guessed.ask('/login', form({ token: STAFF_TOKEN }))).status).toBe(303);
  });
});

describe('signing in', () => {
  test('is where pages lead to, and back again', async () => {
    const sent = await closed.ask('/runs?status=failed');
    expect([sent.status, sent.headers.get('location')]).toEqual([
      303,
      `/login?next=${encodeURIComponent('/runs?status=failed')}`,
    ]);
    const answer = await closed.ask('/login', form({ token: STAFF_TOKEN, next: '/runs?status=failed' }));
    expect([answer.status, answer.headers.get('location')]).toEqual([303, '/runs?status=failed']);
  });

  test('gives a session that no script reads and no other site sends, and that is not the token', async () => {
    const cookie = (await closed.ask('/login', form({ token: STAFF_TOKEN }))).headers.get('set-cookie') ?? '';
    expect(cookie).toMatch(/HttpOnly/);
    expect(cookie).toMatch(/SameSite=Strict/);
    expect(cookie).not.toContain(STAFF_TOKEN);
  });

  test('opens the pages', async () => {
    const cookie = await signIn(closed);
    expect((await closed.ask('/', { headers: { cookie } })).status).toBe(200);
  });

  test('with another token shows the form again and gives nothing', async () => {
    const answer = await closed.ask('/login', form({ token: 'another' }));
    expect([answer.status, answer.headers.get('set-cookie')]).toEqual([401, null]);
    expect(await answer.text()).toContain('role="alert"');
  });

  test('from another site is refused', async () => {
    const answer = await closed.ask('/login', form({ token: STAFF_TOKEN }, { 'sec-fetch-site': 'cross-site' }));
    expect([answer.status, answer.headers.get('set-cookie')]).toEqual([403, null]);
  });

  test.each(['//evil.example/', '/\\evil.example', 'https://evil.example', 'javascript:alert(1)', '/\nevil'])(
    'never leads to %j',
    async (next) => {
      const answer = await closed.ask('/login', form({ token: STAFF_TOKEN, next }));
      expect(answer.headers.get('location')).toBe('/');
    },
  );

  test('ends with signing out', async () => {
    const answer = await closed.ask('/logout', form({}));
    expect(answer.headers.get('set-cookie')).toMatch(/codex_k8s_session=; Max-Age=0/);
  });
});

describe('a session', () => {
  test('ends by itself', async () => {
    const cookie = await signIn(closed);
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + SESSION_SECONDS * 1000 + 1000 });
    expect((await closed.ask('/', { headers: { cookie } })).status).toBe(303);
  });

  test('cannot be prolonged by whoever holds it', async () => {
    const cookie = (await signIn(closed)).replace(/=\d+\./, '=9999999999.');
    expect((await closed.ask('/', { headers: { cookie } })).status).toBe(303);
  });

  test('is not good for another token', async () => {
    const other = createStaffAccess({ staffToken: 'another-token-of-the-tests', readsOpen: false });
    const cookie = `codex_k8s_session=${other.newSession()}`;
    expect((await closed.ask('/', { headers: { cookie } })).status).toBe(303);
  });
});

describe('streams', () => {
  test('need a session where pages do', async () => {
    expect((await closed.ask(`/runs/${runId(1)}/stream`)).status).toBe(303);
  });
});

describe('cancelling on a page', () => {
  test('asks once more', async () => {
    const cookie = await signIn(closed);
    const html = await (await closed.ask(`/runs/${runId(1)}/cancel`, { headers: { cookie } })).text();
    expect(html).toContain(`method="post" action="/runs/${runId(1)}/cancel"`);
  });

  test('hands the wish to the issue, and leads back to the run', async () => {
    const cookie = await signIn(closed);
    const answer = await closed.ask(`/runs/${runId(1)}/cancel`, form({ reason: 'enough', actor: '' }, { cookie }));
    expect([answer.status, answer.headers.get('location')]).toEqual([303, `/runs/${runId(1)}`]);
    expect(closed.canceled).toEqual([{ issueKey: keyOf(1), runId: runId(1), actor: 'staff', reason: 'enough' }]);
  });

  test('needs a session even where pages do not', async () => {
    const answer = await open.ask(`/runs/${runId(1)}/cancel`, form({}));
    expect([answer.status, open.canceled]).toEqual([401, []]);
  });

  test('shows how to sign in to those who are not', async () => {
    const html = await (await open.ask(`/runs/${runId(1)}/cancel`)).text();
    expect(html).toContain(`/login?next=${encodeURIComponent(`/runs/${runId(1)}/cancel`)}`);
  });

  test('is refused when another site asks for it', async () => {
    const cookie = await signIn(open);
    const headers = { cookie, 'sec-fetch-site': 'cross-site' };
    const answer = await open.ask(`/runs/${runId(1)}/cancel`, form({}, headers));
    expect([answer.status, open.canceled]).toEqual([403, []]);
  });

  test('of a run that ended meanwhile says so', async () => {
    await putRun(connection.db, 1, { status: 'succeeded', revision: 2 });
    const answer = await open.ask(`/runs/${runId(1)}/cancel`, form({}, BEARER));
    expect([answer.status, await answer.text()]).toEqual([409, expect.stringContaining('Too late') as string]);
  });
});

test.each(['/', '/runs', '/stream', '/deliveries'])('open pages refuse foreign hosts: %s', async (path) => {
  expect((await open.ask(path, { headers: { host: 'evil.example' } })).status).toBe(403);
});

test('a short staff token is no token', () => {
  expect(() => createStaffAccess({ staffToken: 'short', readsOpen: false })).toThrow('at least 20 characters');
});
