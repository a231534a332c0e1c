/** Whose task an agent gets: the repository's, the project's, the installation's, or the seed's. */
import { beforeEach, describe, expect, test } from 'vitest';
import { chooseTask, type GitHubFiles } from '../../../activities/agents/prompt-task.ts';
import type { RepositoryFile } from '../../../src/domain/agent/repository-files.ts';
import { TASK_BYTES } from '../../../src/domain/agent/prompt-overrides.ts';
import { promptOverrides } from '../../../src/store/connection/schema.ts';
import { addPromptVersion, type PromptPlace } from '../../../src/store/projects/prompt-overrides.ts';
import { issueOf, useTables } from '../../support/tables.ts';

const tables = useTables();
/** The files of the repository, by path. */
let files: Record<string, RepositoryFile>;

beforeEach(async () => {
  await tables.db.delete(promptOverrides);
  files = {};
});

const github: GitHubFiles = {
  listFolder: async (_, folder) =>
    Object.keys(files).flatMap((path) => (path.startsWith(`${folder}/`) ? [path.slice(folder.length + 1)] : [])),
  readFile: async (_, path) => files[path] ?? null,
};

async function task(locale: 'en' | 'ru' = 'en', target = { stage: 'dev', kind: 'work' } as const) {
  const promptSeed = (name: string, of: string) => `seed ${name} ${of}`;
  const of = { issue: issueOf(7), target, locale, project: 'demo', defaultBranch: 'main' };
  return chooseTask({ db: tables.db, github, promptSeed }, of);
}

async function set(body: string | null, more: Partial<PromptPlace> = {}): Promise<void> {
  const place = { project: null, stage: 'dev', kind: 'work', locale: 'any', ...more } as const;
  await addPromptVersion(tables.db, place, { body, author: 'olivia' });
}

describe('B21: the task of a prompt', () => {
  test('is the seed’s when nobody has written another', async () => {
    expect(await task()).toMatchObject({ source: 'seed', version: 'dev-work', body: 'seed dev-work en' });
  });

  test('is the installation’s, the project’s, the repository’s, in this order', async () => {
    await set('installation');
    expect(await task()).toMatchObject({ source: 'installation', version: '1', body: 'installation' });
    await set('project', { project: 'demo' });
    expect(await task()).toMatchObject({ source: 'project', version: '1', body: 'project' });
    files['.codex-k8s/prompts/dev-work.md'] = { text: 'repository', sha: 'b10b' };
    expect(await task()).toMatchObject({ source: 'repository', version: 'b10b', body: 'repository' });
  });

  test('is never that of another project, stage or kind', async () => {
    await set('other', { project: 'other' });
    await set('other', { stage: 'qa' });
    await set('other', { kind: 'revise' });
    files['.codex-k8s/prompts/dev-revise.md'] = { text: 'other', sha: '1' };
    expect(await task()).toMatchObject({ source: 'seed' });
  });

  test('is the one of the run’s language before the one of any', async () => {
    await set('any', { project: 'demo' });
    await set('по-русски', { project: 'demo', locale: 'ru' });
    expect([(await task('en')).body, (await task('ru')).body]).toEqual(['any', 'по-русски']);
    files['.codex-k8s/prompts/dev-work.md'] = { text: 'file', sha: '1' };
    files['.codex-k8s/prompts/dev-work.ru.md'] = { text: 'файл', sha: '2' };
    expect([(await task('en')).body, (await task('ru')).body]).toEqual(['file', 'файл']);
  });

  test('is what stands below again when its newest version has none', async () => {
    await set('installation');
    await set('project', { project: 'demo' });
    await set(null, { project: 'demo' });
    expect(await task()).toMatchObject({ source: 'installation' });
  });

  test.each<[string, RepositoryFile]>([
    ['is empty', { text: ' \n', sha: '1' }],
    [`has ${TASK_BYTES + 1} bytes`, { text: 'a'.repeat(TASK_BYTES + 1), sha: '1' }],
    ['has 1 invisible characters', { text: 'Build\u200B it.', sha: '1' }],
    ['is no file (submodule)', { problem: 'is no file (submodule)', sha: '1' }],
  ])('fails the run when the repository’s file %s', async (words, file) => {
    files['.codex-k8s/prompts/dev-work.md'] = file;
    await expect(task()).rejects.toMatchObject({
      type: 'PromptUnusable',
      message: expect.stringContaining(`.codex-k8s/prompts/dev-work.md on main of acme/demo ${words}`) as string,
    });
  });

  test('of which two people set a version at once has both, one after the other', async () => {
    await Promise.all([set('one'), set('two')]);
    expect(await task()).toMatchObject({ version: '2' });
  });
});
