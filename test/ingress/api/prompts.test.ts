import { beforeEach, describe, expect, test } from 'vitest';
import { ensureProject } from '../../../src/store/projects/repositories.ts';
import { agentAssignments, promptOverrides } from '../../../src/store/connection/schema.ts';
import { storeAssignment } from '../../../src/store/runs/assignments.ts';
import { assignmentOf } from '../../support/tables.ts';
import { runId } from '../dashboard/support/world.ts';
import { post, useApi } from './support/api.ts';

const api = useApi();

beforeEach(async () => {
  await api.connection.db.delete(promptOverrides);
  await api.connection.db.delete(agentAssignments);
  await ensureProject(api.connection.db, 'trial');
});

const set = async (body: string, more: object = {}) =>
  api.json('/prompts/dev', post({ body, actor: 'olivia', ...more }));

describe('prompts', () => {
  test('are the seeds while nobody sets another', async () => {
    expect(await api.json('/prompts/dev?kind=revise')).toMatchObject({
      status: 200,
      body: { source: 'seed', version: 'dev-revise', body: 'Seed dev-revise.en\n', versions: [] },
    });
  });

  test('are set with version and author, and listed', async () => {
    expect(await set('Do it.')).toMatchObject({ status: 201, body: { version: 1, author: 'olivia', project: null } });
    expect(await set('Do it well.', { project: 'trial' })).toMatchObject({ body: { version: 1, project: 'trial' } });
    expect(await api.json('/prompts')).toMatchObject({ body: { items: [{ scope: 'installation' }] } });
    expect(await api.json('/prompts?project=trial')).toMatchObject({ body: { items: [{}, { project: 'trial' }] } });
    expect(await api.json('/prompts/dev?project=trial')).toMatchObject({
      body: { source: 'project', version: '1', body: 'Do it well.', versions: [{ version: 1, author: 'olivia' }] },
    });
  });

  test('that say the same are one version', async () => {
    await set('Do it.');
    expect(await set('Do it.')).toMatchObject({ body: { version: 1 } });
  });

  test('are compared with each other, and with the seed', async () => {
    await set('One.\n');
    await set('Two.\n');
    expect(await api.json('/prompts/dev/diff?from=1&to=2')).toMatchObject({
      body: { diff: expect.stringMatching(/-One\.\n\+Two\./) as string },
    });
    expect(await api.json('/prompts/dev/diff?from=0&to=2')).toMatchObject({
      body: { diff: expect.stringMatching(/-Seed dev-work\.en\n\+Two\./) as string },
    });
  });

  test('are rolled back by a new version with the old text', async () => {
    await set('One.');
    await set('Two.');
    expect(await api.json('/prompts/dev/rollback', post({ to: 1 }))).toMatchObject({
      status: 201,
      body: { version: 3 },
    });
    expect(await api.json('/prompts/dev')).toMatchObject({ body: { body: 'One.' } });
    expect(await api.json('/prompts/dev?version=2')).toMatchObject({ body: { body: 'Two.' } });
  });

  test('are the seeds again after a rollback to 0', async () => {
    await set('One.');
    await api.json('/prompts/dev/rollback', post({ to: 0 }));
    expect(await api.json('/prompts/dev')).toMatchObject({
      body: { source: 'seed', versions: [{ sha256: null }, {}] },
    });
  });

  test.each([
    ['without a text', { body: '' }, 409, 'body'],
    ['with a text that hides something', { body: 'a\u202Eb' }, 409, 'body'],
    ['with more than 32 KiB', { body: 'я'.repeat(20_000) }, 409, 'body'],
    ['for an unknown project', { body: 'Do it.', project: 'unknown' }, 404, 'project'],
    ['for an unknown kind', { body: 'Do it.', kind: 'play' }, 400, 'kind'],
  ])('are not set %s', async (_what, body, status, field) => {
    expect(await api.json('/prompts/dev', post(body))).toMatchObject({ status, body: { field } });
  });

  test.each(['/prompts/dev?version=9', '/prompts/dev/diff?from=1&to=9'])(
    'that are unknown are not shown: %s',
    async (path) => {
      await set('One.');
      expect(await api.json(path)).toMatchObject({ status: 404 });
    },
  );

  test('are set with the staff token only', async () => {
    expect(await api.json('/prompts/dev', post({ body: 'Do it.' }, {}))).toMatchObject({ status: 401 });
  });
});

describe('the prompt of a run', () => {
  test('is shown with where its task is from', async () => {
    const more = {
      prompt: 'Told.',
      promptSha256: 'ab',
      taskSource: 'project',
      taskVersion: '4',
      taskSha256: 'cd',
    } as const;
    await storeAssignment(api.connection.db, assignmentOf(runId(1), more));
    expect(await api.json(`/runs/${runId(1)}/prompt`)).toMatchObject({
      body: { prompt: 'Told.', sha256: 'ab', task: { source: 'project', version: '4', sha256: 'cd' } },
    });
  });

  test('that is unknown is not found', async () => {
    expect(await api.json(`/runs/${runId(9)}/prompt`)).toMatchObject({ status: 404 });
  });
});
