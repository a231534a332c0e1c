/** What a project chooses, as its runs are told. */
import { beforeEach, expect, test } from 'vitest';
import { createRecordActivities } from '../../activities/records/records.ts';
import type { RunSettings } from '../../src/domain/stages/settings.ts';
import { setProject } from '../../src/store/projects/repositories.ts';
import { bind, REPOSITORY, UNCHANGED, useTables } from '../support/tables.ts';

const tables = useTables();

beforeEach(async () => {
  await tables.clear();
  await bind(tables.db);
});

function settings(ownLogin?: () => Promise<string | undefined>): Promise<RunSettings> {
  const defaults = {
    model: 'm',
    reasoningEffort: 'high',
    dashboardUrl: 'http://dashboard',
    workspaceHours: 24,
    waitHours: { question: 168, paused: 168 },
  } as const;
  return createRecordActivities({
    db: tables.db,
    github: ownLogin ? { ...UNCHANGED, ownLogin } : UNCHANGED,
    defaults,
  }).readSettings({
    repositoryId: REPOSITORY.id,
  });
}

test('the addresses that a project lists are among the settings of its runs', async () => {
  await setProject(tables.db, 'demo', { egress: ['203.0.113.0/24'] });
  expect((await settings()).egress).toEqual(['203.0.113.0/24']);
});

test('the prefix that a project chooses for its branches is among the settings of its runs', async () => {
  expect(await settings()).not.toHaveProperty('branchPrefix');
  await setProject(tables.db, 'demo', { branchPrefix: 'bots/codex' });
  expect((await settings()).branchPrefix).toBe('bots/codex');
});

test('a project that lists no addresses has settings as they were before there were lists', async () => {
  expect(await settings()).not.toHaveProperty('egress');
});

test("the account of the platform's token is among the settings of its runs, unless GitHub does not say", async () => {
  expect((await settings(async () => 'olivia')).account).toBe('olivia');
  expect(await settings(async () => undefined)).not.toHaveProperty('account');
  expect(await settings(() => Promise.reject(new Error('away')))).not.toHaveProperty('account');
});
