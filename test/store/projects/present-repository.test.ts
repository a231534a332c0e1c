/** B7, S17: the name and the default branch of a repository are what GitHub shows, whatever a delivery says. */
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { createGitHub } from '../../../src/adapters/github/index.ts';
import { presentRepository } from '../../../src/store/projects/present-repository.ts';
import { bindRepository, ensureProject, findRepository } from '../../../src/store/projects/repositories.ts';
import { client, remote, startEmulator, WorkingCopy } from '../../emulators/github/emulator.ts';
import { useTables } from '../../support/tables.ts';

const tables = useTables();
let emulator: Awaited<ReturnType<typeof startEmulator>>;
let octo: ReturnType<typeof client>;
let names = 0;

beforeAll(async () => {
  emulator = await startEmulator();
  octo = client(emulator);
});
afterAll(async () => {
  await emulator.close();
});
beforeEach(() => tables.clear());

/** An empty repository that is bound. */
async function bound(): Promise<{ id: number; name: string }> {
  const name = `repo-${(names += 1)}`;
  const { data } = await octo.repos.createForAuthenticatedUser({ name });
  const projectId = await ensureProject(tables.db, 'demo');
  await bindRepository(tables.db, { id: data.id, owner: 'octo', name, defaultBranch: 'main', projectId });
  return { id: data.id, name };
}

async function push(name: string, branch: string): Promise<void> {
  const copy = await WorkingCopy.create();
  await copy.commit({ 'README.md': 'hello\n' });
  await copy.git('push', '--quiet', remote(emulator, 'token-octo', `octo/${name}`), `HEAD:${branch}`);
}

function present(id: number, also?: { owner: string; name: string }) {
  const github = createGitHub({
    apiUrl: emulator.apiUrl,
    token: 'token-octo',
    waits: { current: () => Promise.resolve(undefined), hold: () => Promise.reject(new Error('nobody waits')) },
  });
  return presentRepository(tables.db, github, id, also);
}

test('a repository that was bound while it was empty has the default branch of its first push', async () => {
  const { id, name } = await bound();
  await push(name, 'trunk');
  expect(await present(id)).toMatchObject({ defaultBranch: 'trunk' });
  expect(await findRepository(tables.db, id)).toMatchObject({ defaultBranch: 'trunk' });
});

test('a default branch that somebody changes is the new one', async () => {
  const { id, name } = await bound();
  await push(name, 'main');
  await push(name, 'develop');
  await octo.repos.update({ owner: 'octo', repo: name, default_branch: 'develop' });
  expect(await present(id)).toMatchObject({ defaultBranch: 'develop' });
});

test('a repository that somebody renames has its new name', async () => {
  const { id, name } = await bound();
  await octo.repos.update({ owner: 'octo', repo: name, name: `${name}-new` });
  expect(await present(id)).toMatchObject({ name: `${name}-new` });
});

test('it has its new name also when its former one is another repository’s by now', async () => {
  const { id, name } = await bound();
  await octo.repos.update({ owner: 'octo', repo: name, name: `${name}-new` });
  await octo.repos.createForAuthenticatedUser({ name });
  expect(await present(id)).toMatchObject({ name });
  expect(await present(id, { owner: 'octo', name: `${name}-new` })).toMatchObject({ name: `${name}-new` });
});

test('a captured delivery that calls it otherwise changes nothing', async () => {
  const { id, name } = await bound();
  const other = await bound();
  expect(await present(id, { owner: 'octo', name: other.name })).toMatchObject({ name });
  expect(await present(id, { owner: 'mallory', name: 'evil' })).toMatchObject({ owner: 'octo', name });
});
