import { ensureProject } from '../../../src/store/projects/repositories.ts';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { RequestRefused } from '../../../ingress/http/errors.ts';
import { storeNetworkFinding } from '../../../src/store/workspaces/cluster-findings.ts';
import { connect, type Connection } from '../../../src/store/connection/database.ts';
import { startTestDatabase, type TestDatabase } from '../../support/postgres.ts';
import { BEARER, createSite, LABEL_CHANGES, type Site } from '../dashboard/support/site.ts';
import {
  bind,
  clear,
  keyOf,
  putDelivery,
  putEvent,
  putIssue,
  putLines,
  putRun,
  runId,
} from '../dashboard/support/world.ts';

let database: TestDatabase;
let connection: Connection;
let site: Site;

beforeAll(async () => {
  database = await startTestDatabase();
  connection = connect(database.url, { name: 'test' });
  site = createSite(connection);
});
afterAll(async () => {
  await site?.live.close();
  await connection?.close();
  await database?.stop();
});
beforeEach(async () => {
  await clear(connection.db);
  await bind(connection.db);
  site.canceled.length = 0;
});

async function json(path: string, init?: RequestInit): Promise<{ status: number; body: unknown }> {
  const response = await site.ask(`/api/v1${path}`, init);
  return { status: response.status, body: await response.json() };
}

function post(body: unknown, headers: Record<string, string> = BEARER): RequestInit {
  return { method: 'POST', body: JSON.stringify(body), headers: { 'content-type': 'application/json', ...headers } };
}

describe('runs', () => {
  test('are listed as JSON, with their meaning in words', async () => {
    await putRun(connection.db, 1, { status: 'failed', failure: 'no_changes' });
    expect(await json('/runs')).toMatchObject({
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
    for (const n of [1, 2]) await putRun(connection.db, n);
    const first = (await json('/runs?limit=1')).body as { next: string };
    expect(await json(`/runs?limit=1&cursor=${first.next}`)).toMatchObject({
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
    const { status, body } = await json(`/runs?${query}`);
    expect({ status, body }).toMatchObject(
      field === undefined ? { status: 200 } : { status: 400, body: { code: 'invalid_argument', field } },
    );
  });

  test('are shown one by one', async () => {
    await putRun(connection.db, 1);
    expect(await json(`/runs/${runId(1)}`)).toMatchObject({ status: 200, body: { repository: 'acme/shop' } });
  });

  test('that are unknown answer 404', async () => {
    expect(await json(`/runs/${runId(1)}`)).toMatchObject({ status: 404, body: { code: 'not_found' } });
  });

  test('whose id is none answer 400 with the field', async () => {
    expect(await json('/runs/42')).toMatchObject({ status: 400, body: { code: 'invalid_argument', field: 'id' } });
  });

  test('have events in plain words', async () => {
    await putRun(connection.db, 1);
    await putEvent(connection.db, { id: 'e', type: 'run.pr.created', runId: runId(1), payload: { pr_number: 7 } });
    expect(await json(`/runs/${runId(1)}/events`)).toMatchObject({
      body: { items: [{ type: 'run.pr.created', text: 'Pull request #7 was opened' }], after: 1 },
    });
  });

  test('have a log that goes on after a line, and says whether more can come', async () => {
    await putRun(connection.db, 1);
    await putLines(connection.db, runId(1), [{ n: 0 }, { n: 1 }, { n: 2 }]);
    expect(await json(`/runs/${runId(1)}/log?after=0&limit=1`)).toMatchObject({
      body: { items: [{ n: 1, text: 'line 1' }], after: 1, more: true, status: 'working', terminal: false },
    });
  });

  test('have a log whose last page says that it is the last', async () => {
    await putRun(connection.db, 1, { status: 'succeeded' });
    expect(await json(`/runs/${runId(1)}/log?after=5`)).toMatchObject({
      body: { items: [], after: 5, more: false, terminal: true },
    });
  });
});

describe('issues', () => {
  test('are found by key, with their runs and events', async () => {
    await putIssue(connection.db, 1);
    await putRun(connection.db, 1);
    await putEvent(connection.db, { id: 'e', type: 'issue.closed' });
    expect(await json(`/issues/${encodeURIComponent(keyOf(1))}`)).toMatchObject({
      status: 200,
      body: { key: keyOf(1), runs: [{ id: runId(1) }], events: [{ id: 'e' }] },
    });
  });

  test('are found by name', async () => {
    await putIssue(connection.db, 1);
    expect(await json('/issues/acme/shop/1')).toMatchObject({ status: 200, body: { key: keyOf(1) } });
  });

  test('that are unknown answer 404', async () => {
    expect(await json('/issues/acme/shop/2')).toMatchObject({ status: 404, body: { code: 'not_found' } });
  });

  test('are filtered by state', async () => {
    await putIssue(connection.db, 1, { state: 'closed' });
    expect(await json('/issues?state=working')).toMatchObject({ body: { items: [] } });
  });
});

test('deliveries say in words why nothing happened', async () => {
  await putDelivery(connection.db, 'one', { status: 'ignored', reason: 'sender_type_bot_not_permitted' });
  expect(await json('/deliveries?status=ignored')).toMatchObject({
    body: { items: [{ id: 'one', reasonText: expect.stringContaining('only people may') as string }] },
  });
});

describe('the cluster', () => {
  test('is not known where no worker has tried it', async () => {
    expect(await json('/cluster')).toEqual({ status: 200, body: { network: null } });
  });

  test('says of a network without policies whether agents are started, and what to do', async () => {
    await storeNetworkFinding(connection.db, { state: 'unenforced', detail: '10.96.0.1:443', agents: 'stopped' });
    expect(await json('/cluster')).toEqual({
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

  test('has nothing to say of a network that is as it ought to be', async () => {
    await storeNetworkFinding(connection.db, { state: 'enforced', detail: '', agents: 'started' });
    expect(await json('/cluster')).toMatchObject({
      body: { network: { state: 'enforced', text: null, advice: null } },
    });
  });
});

describe('cancel', () => {
  test('hands the wish to the issue', async () => {
    await putRun(connection.db, 1);
    expect(await json(`/runs/${runId(1)}/cancel`, post({ reason: 'enough', actor: 'olivia' }))).toEqual({
      status: 202,
      body: { id: runId(1), status: 'working', canceling: true },
    });
    expect(site.canceled).toEqual([{ issueKey: keyOf(1), runId: runId(1), actor: 'olivia', reason: 'enough' }]);
  });

  test('needs no body', async () => {
    await putRun(connection.db, 1);
    const { status } = await json(`/runs/${runId(1)}/cancel`, { method: 'POST', headers: BEARER });
    expect(status).toBe(202);
  });

  test('of a finished run answers 409 and names its status', async () => {
    await putRun(connection.db, 1, { status: 'succeeded' });
    expect(await json(`/runs/${runId(1)}/cancel`, post({}))).toMatchObject({
      status: 409,
      body: { code: 'conflict', message: expect.stringMatching(/^already_terminal: .*succeeded/) as string },
    });
    expect(site.canceled).toEqual([]);
  });

  test('of an unknown run answers 404', async () => {
    expect(await json(`/runs/${runId(1)}/cancel`, post({}))).toMatchObject({ status: 404 });
  });

  test('refuses fields that it does not know', async () => {
    await putRun(connection.db, 1);
    expect(await json(`/runs/${runId(1)}/cancel`, post({ why: 'x' }))).toMatchObject({
      status: 400,
      body: { field: 'why' },
    });
  });

  test('answers 409 when the workflow does not live', async () => {
    const dead = createSite(connection, { control: { cancelRun: async () => false } });
    await putRun(connection.db, 1);
    const answer = await dead.ask(`/api/v1/runs/${runId(1)}/cancel`, post({}));
    await dead.live.close();
    expect([answer.status, await answer.json()]).toMatchObject([409, { code: 'failed_precondition' }]);
  });

  test('answers 503 when Temporal is away, and keeps why to the log', async () => {
    const control = { cancelRun: async () => Promise.reject(new Error('secret address')) };
    const away = createSite(connection, { control });
    await putRun(connection.db, 1);
    const answer = await away.ask(`/api/v1/runs/${runId(1)}/cancel`, post({}));
    await away.live.close();
    expect([answer.status, await answer.text()]).toEqual([503, expect.not.stringContaining('secret address')]);
    expect(away.logged).toHaveLength(1);
  });
});

describe('repositories and members', () => {
  test('are bound', async () => {
    expect(await json('/repositories', post({ fullName: 'acme/app', project: 'trial' }))).toEqual({
      status: 201,
      body: {
        fullName: 'acme/app',
        repositoryId: 1,
        project: 'trial',
        hookId: 2,
        labels: LABEL_CHANGES,
        trigger: 'agent:dev',
      },
    });
  });

  test('get their labels', async () => {
    expect(await json('/repositories/acme/app/labels', post({}))).toEqual({
      status: 200,
      body: { fullName: 'acme/app', ...LABEL_CHANGES },
    });
  });

  test.each([
    ['acme/a b', 400, 'invalid_argument'],
    ['acme/unbound', 409, 'failed_precondition'],
  ])('get no labels when they are %s', async (fullName, status, code) => {
    expect(await json(encodeURI(`/repositories/${fullName}/labels`), post({}))).toMatchObject({
      status,
      body: { code },
    });
  });

  test('get no labels without the token', async () => {
    expect(await json('/repositories/acme/app/labels', post({}, {}))).toMatchObject({ status: 401 });
  });

  test.each([
    ['/repositories', { fullName: 'acme' }, 'fullName'],
    ['/repositories', { fullName: 'a/b', project: 'Big Project' }, 'project'],
    ['/members', { login: 'olivia', role: 'king' }, 'role'],
    ['/members', { login: 'no spaces', role: 'admin' }, 'login'],
  ])('%s refuses %j', async (path, body, field) => {
    expect(await json(path, post(body))).toMatchObject({ status: 400, body: { code: 'invalid_argument', field } });
  });

  test('get a role', async () => {
    expect(await json('/members', post({ login: 'olivia', role: 'admin' }))).toEqual({
      status: 201,
      body: { id: 3, login: 'olivia', role: 'admin', project: 'default' },
    });
  });

  test('choose what a project works with; what is not named stays', async () => {
    await ensureProject(connection.db, 'chooser');
    await json('/projects/chooser', post({ locale: 'ru', model: 'gpt-5.4' }));
    expect(await json('/projects/chooser', post({ reasoningEffort: 'low', model: 'default' }))).toEqual({
      status: 200,
      body: {
        slug: 'chooser',
        locale: 'ru',
        model: null,
        reasoningEffort: 'low',
        namespaceTemplate: null,
        egress: [],
      },
    });
  });

  test('choose how a project names its namespaces', async () => {
    await ensureProject(connection.db, 'chooser');
    const namespaceTemplate = '{{ .Project }}-dev-{{ .Slot }}';
    expect(await json('/projects/chooser', post({ namespaceTemplate }))).toMatchObject({ body: { namespaceTemplate } });
  });

  test('choose what the agents of a project reach, and that it is nothing again', async () => {
    await ensureProject(connection.db, 'chooser');
    const egress = ['203.0.113.0/24', '198.51.100.7'];
    expect(await json('/projects/chooser', post({ egress }))).toMatchObject({
      body: { egress: ['203.0.113.0/24', '198.51.100.7/32'] },
    });
    expect(await json('/projects/chooser', post({ egress: [] }))).toMatchObject({ body: { egress: [] } });
  });

  test('are told which address of a project is wrong', async () => {
    await ensureProject(connection.db, 'chooser');
    expect(await json('/projects/chooser', post({ egress: ['registry.npmjs.org'] }))).toMatchObject({
      body: { field: 'egress', message: expect.stringContaining('registry.npmjs.org is not an address') as string },
    });
  });

  test.each([
    ['/projects/chooser', {}, 400],
    ['/projects/chooser', { locale: 'fr' }, 400],
    ['/projects/chooser', { model: 'a model' }, 400],
    ['/projects/chooser', { namespaceTemplate: 'one-for-all' }, 400],
    ['/projects/chooser', { egress: '203.0.113.0/24' }, 400],
    ['/projects/chooser', { egress: ['169.254.169.254'] }, 400],
    ['/projects/nobody', { locale: 'ru' }, 404],
  ])('%s refuses %j', async (path, body, status) => {
    await ensureProject(connection.db, 'chooser');
    expect(await json(path, post(body))).toMatchObject({ status });
  });

  test('refuse a body that is no JSON', async () => {
    const init = { method: 'POST', body: '{', headers: BEARER };
    expect(await json('/members', init)).toMatchObject({ status: 400, body: { field: 'body' } });
  });
});

describe('access', () => {
  test.each([
    ['no token', {}],
    ['another token', { authorization: 'Bearer staff-token-of-the-testz' }],
    ['another scheme', { authorization: BEARER.authorization.replace('Bearer', 'Basic') }],
  ])('changes nothing with %s, even where reads are open', async (_what, headers) => {
    await putRun(connection.db, 1);
    const answer = await site.ask(`/api/v1/runs/${runId(1)}/cancel`, post({}, headers));
    expect([answer.status, answer.headers.get('www-authenticate'), site.canceled]).toEqual([401, 'Bearer', []]);
  });

  test('reads need the token unless they are open', async () => {
    const closed = createSite(connection, { readsOpen: false });
    const answers = [await closed.ask('/api/v1/runs'), await closed.ask('/api/v1/runs', { headers: BEARER })];
    await closed.live.close();
    expect(answers.map(({ status }) => status)).toEqual([401, 200]);
  });

  test.each(['evil.example', 'evil.example:8080', '127.0.0.1.evil.example', '10.0.0.1:8080', 'localhost:evil'])(
    'open reads refuse the host %s',
    async (host) => {
      expect(await json('/runs', { headers: { host } })).toMatchObject({ status: 403, body: { code: 'forbidden' } });
    },
  );

  test.each(['127.0.0.1', 'localhost:3000', '[::1]:8080'])('open reads answer to the host %s', async (host) => {
    expect((await json('/runs', { headers: { host } })).status).toBe(200);
  });

  test.each([
    ['origin', { origin: 'http://evil.example' }],
    ['fetch metadata', { 'sec-fetch-site': 'cross-site' }],
    ['a sibling site', { 'sec-fetch-site': 'same-site' }],
  ])('refuses what another site posts, told by %s', async (_what, headers) => {
    await putRun(connection.db, 1);
    expect(await json(`/runs/${runId(1)}/cancel`, post({}, { ...BEARER, ...headers }))).toMatchObject({
      status: 403,
      body: { field: 'Origin' },
    });
  });
});

describe('what goes wrong', () => {
  test.each(['/nothing', '/runs/a/b/c', '/webhooks'])('%s is nowhere, in the envelope', async (path) => {
    expect(await json(path)).toMatchObject({ status: 404, body: { code: 'not_found' } });
  });

  test('an unexpected error is told without its inside, under an id that is logged', async () => {
    const broken = createSite(connection, {});
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

  test('a database that is away is told as unavailable', async () => {
    const nowhere = connect('postgres://nobody@127.0.0.1:1/none', { name: 'test' });
    const away = createSite({ ...nowhere, sql: connection.sql });
    const answer = await away.ask('/api/v1/runs');
    await Promise.all([away.live.close(), nowhere.close()]);
    expect([answer.status, answer.headers.get('retry-after'), await answer.json()]).toMatchObject([
      503,
      '5',
      { code: 'unavailable' },
    ]);
  });

  test('a refusal from a port is told as it is', async () => {
    const control = { cancelRun: async () => Promise.reject(new RequestRefused('not_found', 'gone')) };
    const refusing = createSite(connection, { control });
    await putRun(connection.db, 1);
    const answer = await refusing.ask(`/api/v1/runs/${runId(1)}/cancel`, post({}));
    await refusing.live.close();
    expect([answer.status, await answer.json()]).toEqual([404, { code: 'not_found', message: 'gone' }]);
  });
});
