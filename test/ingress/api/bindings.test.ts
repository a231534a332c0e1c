import { describe, expect, test } from 'vitest';
import { ensureProject } from '../../../src/store/projects/repositories.ts';
import { BEARER, LABEL_CHANGES } from '../dashboard/support/site.ts';
import { post, useApi } from './support/api.ts';

const api = useApi();

describe('repositories and members', () => {
  test('are bound', async () => {
    expect(await api.json('/repositories', post({ fullName: 'acme/app', project: 'trial' }))).toEqual({
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
    expect(await api.json('/repositories/acme/app/labels', post({}))).toEqual({
      status: 200,
      body: { fullName: 'acme/app', ...LABEL_CHANGES },
    });
  });

  test.each([
    ['acme/a b', 400, 'invalid_argument'],
    ['acme/unbound', 409, 'failed_precondition'],
  ])('get no labels when they are %s', async (fullName, status, code) => {
    expect(await api.json(encodeURI(`/repositories/${fullName}/labels`), post({}))).toMatchObject({
      status,
      body: { code },
    });
  });

  test('get no labels without the token', async () => {
    expect(await api.json('/repositories/acme/app/labels', post({}, {}))).toMatchObject({ status: 401 });
  });

  test.each([
    ['/repositories', { fullName: 'acme' }, 'fullName'],
    ['/repositories', { fullName: 'a/b', project: 'Big Project' }, 'project'],
    ['/members', { login: 'olivia', role: 'king' }, 'role'],
    ['/members', { login: 'no spaces', role: 'admin' }, 'login'],
  ])('%s refuses %j', async (path, body, field) => {
    expect(await api.json(path, post(body))).toMatchObject({ status: 400, body: { code: 'invalid_argument', field } });
  });

  test('get a role', async () => {
    expect(await api.json('/members', post({ login: 'olivia', role: 'admin' }))).toEqual({
      status: 201,
      body: { id: 3, login: 'olivia', role: 'admin', project: 'default' },
    });
  });

  test.each([
    ['/members/olivia?project=trial', 'trial'],
    ['/members/olivia', null],
  ])('lose a role: DELETE %s', async (path, project) => {
    expect(await api.json(path, { method: 'DELETE', headers: BEARER })).toEqual({
      status: 200,
      body: { id: 3, login: 'olivia', project },
    });
  });

  test('lose no role without the token', async () => {
    expect(await api.json('/members/olivia', { method: 'DELETE' })).toMatchObject({ status: 401 });
  });

  test('change settings of a project; others stay', async () => {
    await ensureProject(api.connection.db, 'chooser');
    await api.json('/projects/chooser', post({ locale: 'ru', model: 'gpt-5.4' }));
    expect(await api.json('/projects/chooser', post({ reasoningEffort: 'low', model: 'default' }))).toEqual({
      status: 200,
      body: {
        slug: 'chooser',
        locale: 'ru',
        model: null,
        reasoningEffort: 'low',
        namespaceTemplate: null,
        branchPrefix: null,
        cli: null,
        command: null,
        egress: [],
        learning: false,
      },
    });
  });

  test('choose the agents of a project, and the program of its own', async () => {
    await ensureProject(api.connection.db, 'chooser');
    const chosen = await api.json('/projects/chooser', post({ cli: 'command', command: ['my-agent', '--flag'] }));
    expect(chosen).toMatchObject({ status: 200, body: { cli: 'command', command: ['my-agent', '--flag'] } });
    const back = await api.json('/projects/chooser', post({ cli: 'default', command: 'default' }));
    expect(back).toMatchObject({ status: 200, body: { cli: null, command: null } });
  });

  test.each([{ cli: 'cobol' }, { command: [] }, { command: 'my-agent' }])(
    'refuse agents that are none: %j',
    async (body) => {
      await ensureProject(api.connection.db, 'chooser');
      expect(await api.json('/projects/chooser', post(body))).toMatchObject({ status: 400 });
    },
  );

  test('choose how a project names its namespaces', async () => {
    await ensureProject(api.connection.db, 'chooser');
    const namespaceTemplate = '{{ .Project }}-dev-{{ .Slot }}';
    expect(await api.json('/projects/chooser', post({ namespaceTemplate }))).toMatchObject({
      body: { namespaceTemplate },
    });
  });

  test('choose what the agents of a project reach, and that it is nothing again', async () => {
    await ensureProject(api.connection.db, 'chooser');
    const egress = ['203.0.113.0/24', '198.51.100.7'];
    expect(await api.json('/projects/chooser', post({ egress }))).toMatchObject({
      body: { egress: ['203.0.113.0/24', '198.51.100.7/32'] },
    });
    expect(await api.json('/projects/chooser', post({ egress: [] }))).toMatchObject({ body: { egress: [] } });
  });

  test('get the invalid address of a project in the error', async () => {
    await ensureProject(api.connection.db, 'chooser');
    expect(await api.json('/projects/chooser', post({ egress: ['registry.npmjs.org'] }))).toMatchObject({
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
    await ensureProject(api.connection.db, 'chooser');
    expect(await api.json(path, post(body))).toMatchObject({ status });
  });

  test('refuse a body that is not JSON', async () => {
    const init = { method: 'POST', body: '{', headers: BEARER };
    expect(await api.json('/members', init)).toMatchObject({ status: 400, body: { field: 'body' } });
  });
});
