/** The README's walk with a repository of one's own: its commands, word by word, in a fresh clone. */
import { mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { OWNER } from '../../src/embedded/accounts.ts';
import { eventually } from '../support/stack.ts';
import { closeScene, openScene, type Scene } from './support/scene.ts';

const PROJECT = fileURLToPath(new URL('../../', import.meta.url));

let scene: Scene;
/** Has the clone, and `data/codex-k8s`: the data directory of the `up` that runs. */
let home: string;

beforeAll(async () => {
  scene = await openScene();
  home = mkdtempSync(join(tmpdir(), 'codex-k8s-readme-'));
  await execa('git', ['clone', '--quiet', '--no-hardlinks', PROJECT, join(home, 'codex-k8s')]);
  symlinkSync(join(PROJECT, 'node_modules'), join(home, 'codex-k8s', 'node_modules'));
  await execa('mkdir', [join(home, 'data')]);
  symlinkSync(scene.stack.directory, join(home, 'data', 'codex-k8s'));
});
afterAll(async () => {
  await closeScene(scene);
  rmSync(home, { recursive: true, force: true });
});

/** The indented commands that follow a text in the README, without its indentation; empty lines between them count. */
function commandsAfter(text: string): string {
  const readme = readFileSync(join(home, 'codex-k8s', 'README.md'), 'utf8');
  const [, rest = ''] = readme.split(text);
  const lines = rest.split('\n').slice(1);
  const begin = lines.findIndex((line) => line.startsWith('    '));
  const length = lines.slice(begin).findIndex((line) => line !== '' && !line.startsWith('    '));
  return lines
    .slice(begin, begin + length)
    .join('\n')
    .replaceAll(/^ {4}/gm, '');
}

/** What a person who follows the README types, with what they saw in place of each `...`. */
async function type(commands: string, values: Readonly<Record<string, string>>): Promise<void> {
  const filled = commands.replaceAll(/^([A-Z]+)=\.\.\./gm, (_, name: string) => `${name}='${values[name] ?? ''}'`);
  await execa('bash', ['-euc', `set -o pipefail\n${filled}`], {
    cwd: join(home, 'codex-k8s'),
    env: { XDG_DATA_HOME: join(home, 'data') },
    all: true,
  });
}

test('a repository of one’s own: the README’s commands lead from nothing to a pull request', async () => {
  const ready = JSON.parse(readFileSync(join(home, 'data', 'codex-k8s', 'ready.json'), 'utf8')) as Record<
    string,
    string
  >;
  const commands = commandsAfter('**Your own repository**');
  expect(commands).toMatch(/^GITHUB=\.\.\..*\nTOKEN=\.\.\..*\n/);
  await type(commands, { GITHUB: ready['githubUrl']!, TOKEN: ready['githubOwnerToken']! });

  const pull = await eventually('a pull request', async () => {
    const { data } = await scene.person.octokit.rest.pulls.list({ owner: OWNER, repo: 'mine' });
    return data[0];
  });
  const { data: files } = await scene.person.octokit.rest.pulls.listFiles({
    owner: OWNER,
    repo: 'mine',
    pull_number: pull.number,
  });
  expect(files.map(({ filename }) => filename)).toEqual(['notes/issue-1.md']);
});
