/** Files of a repository, read from the GitHub emulator. */
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createGitHub } from '../../../src/adapters/github/index.ts';
import { DEMO, remote, startWithDemo, type Stage } from '../../emulators/github/emulator.ts';

const AT = { owner: DEMO.owner, name: DEMO.repo };
const LIMITS = { ref: 'main', bytes: 100 };
let stage: Stage;

beforeAll(async () => {
  stage = await startWithDemo();
  const { copy, emulator } = stage;
  await mkdir(join(copy.directory, 'folder'));
  await writeFile(join(copy.directory, 'folder/one.md'), 'Привет.\n');
  await writeFile(join(copy.directory, 'folder/large.md'), 'a'.repeat(101));
  await writeFile(join(copy.directory, 'folder/bytes.md'), Uint8Array.of(0xff, 0xfe, 0x00));
  await symlink('/etc/passwd', join(copy.directory, 'out.md'));
  await copy.git('add', '.');
  await copy.git('commit', '--quiet', '--message', 'files');
  await copy.git('push', '--quiet', remote(emulator), 'HEAD:main');
});
afterAll(async () => stage.emulator.close());

function github() {
  const waits = { current: () => Promise.resolve(undefined), hold: () => Promise.reject(new Error('nobody waits')) };
  return createGitHub({ apiUrl: stage.emulator.apiUrl, token: 'token-octo', waits });
}

test('a folder is listed', async () => {
  expect(await github().listFolder(AT, 'folder', 'main')).toEqual(['bytes.md', 'large.md', 'one.md']);
});

test('a folder that is not there has no files', async () => {
  expect(await github().listFolder(AT, 'nowhere', 'main')).toEqual([]);
});

test('a file is read, with the id of its blob', async () => {
  const sha = await stage.copy.git('rev-parse', 'HEAD:folder/one.md');
  expect(await github().readFile(AT, 'folder/one.md', LIMITS)).toEqual({ text: 'Привет.\n', sha });
});

test('a file that is not there is null', async () => {
  expect(await github().readFile(AT, 'folder/two.md', LIMITS)).toBeNull();
});

test.each([
  ['folder/large.md', 'has 101 bytes, and at most 100 are allowed'],
  ['folder/bytes.md', 'is not text in UTF-8'],
  ['out.md', 'is no file (symlink)'],
  ['folder', 'is a folder'],
])('%s is not given: it %s', async (path, problem) => {
  expect(await github().readFile(AT, path, LIMITS)).toMatchObject({ problem });
});
