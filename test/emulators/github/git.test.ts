import { randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { DEMO, freshDirectory, openPull, remote, startWithDemo, type Stage } from './emulator.ts';

let stage: Stage;

beforeAll(async () => {
  stage = await startWithDemo();
});
afterAll(async () => stage.emulator.close());

describe('what is pushed', () => {
  test('is what the API shows', async () => {
    const head = await stage.copy.git('rev-parse', 'main');
    const branch = await stage.octo.repos.getBranch({ ...DEMO, branch: 'main' });
    const file = await stage.octo.repos.getContent({ ...DEMO, path: 'story.txt' });
    expect(branch.data.commit.sha).toBe(head);
    expect(Buffer.from((file.data as { content: string }).content, 'base64').toString()).toBe('once\nupon\na time\n');
    expect((await stage.octo.repos.listCommits(DEMO)).data.map((commit) => commit.commit.message)).toEqual(['begin']);
  });

  test('can be cloned again', async () => {
    const target = join(await freshDirectory(), 'clone');
    await stage.copy.git('clone', '--quiet', remote(stage.emulator), target);
    expect(await readFile(join(target, 'story.txt'), 'utf8')).toBe('once\nupon\na time\n');
  });

  test('moves the pull request that rests on the branch', async () => {
    const number = await openPull(stage, { branch: 'moving', files: { 'moving.txt': 'one\n' } });
    const head = await stage.copy.commit({ 'moving.txt': 'one\ntwo\n', 'other.txt': 'other\n' });
    await stage.copy.git('push', '--quiet', remote(stage.emulator), 'moving');
    const pull = (await stage.octo.pulls.get({ ...DEMO, pull_number: number })).data;
    const files = (await stage.octo.pulls.listFiles({ ...DEMO, pull_number: number })).data;
    const commits = (await stage.octo.pulls.listCommits({ ...DEMO, pull_number: number })).data;
    expect(pull).toMatchObject({ head: { sha: head }, commits: 2, changed_files: 2, additions: 3, mergeable: true });
    expect(files.map(({ filename, status }) => [filename, status])).toEqual([
      ['moving.txt', 'added'],
      ['other.txt', 'added'],
    ]);
    expect(commits.at(-1)?.sha).toBe(head);
  });

  test('is shown as a diff to whoever asks for one', async () => {
    const number = await openPull(stage, { branch: 'diffed', files: { 'diffed.txt': 'new line\n' } });
    const diff = await stage.octo.pulls.get({ ...DEMO, pull_number: number, mediaType: { format: 'diff' } });
    expect(diff.data as unknown as string).toContain('+new line');
  });

  test('may be large and come in chunks', async () => {
    const content = randomBytes(6 << 20);
    await stage.copy.git('checkout', '--quiet', '-B', 'large', 'main');
    await writeFile(join(stage.copy.directory, 'large.bin'), content);
    await stage.copy.commit({}, 'large');
    await stage.copy.git('push', '--quiet', remote(stage.emulator), 'large');
    const tree = await stage.octo.git.getTree({ ...DEMO, tree_sha: 'large' });
    expect(tree.data.tree.find(({ path }) => path === 'large.bin')?.size).toBe(content.byteLength);
  });

  test('may be many branches, asked for in a compressed request', async () => {
    await stage.copy.git('checkout', '--quiet', '-B', 'many', 'main');
    const names = Array.from({ length: 30 }, (_, index) => `many-${index}`);
    for (const name of names) {
      await stage.copy.git('commit', '--quiet', '--allow-empty', `--message=${name}`);
      await stage.copy.git('branch', name);
    }
    await stage.copy.git('push', '--quiet', remote(stage.emulator), ...names);
    const target = join(await freshDirectory(), 'clone');
    await stage.copy.git('clone', '--quiet', remote(stage.emulator), target);
    expect(await stage.copy.git('-C', target, 'branch', '--remotes', '--list', 'origin/many-*')).toContain('many-29');
  });

  test('may be forced and deleted', async () => {
    await stage.copy.git('checkout', '--quiet', '-B', 'forced', 'main');
    await stage.copy.commit({ 'forced.txt': 'first\n' });
    await stage.copy.git('push', '--quiet', remote(stage.emulator), 'forced');
    await stage.copy.git('commit', '--quiet', '--amend', '--message=second');
    await stage.copy.git('push', '--quiet', '--force', remote(stage.emulator), 'forced');
    const head = await stage.copy.git('rev-parse', 'HEAD');
    expect((await stage.octo.git.getRef({ ...DEMO, ref: 'heads/forced' })).data.object.sha).toBe(head);
    await stage.copy.git('push', '--quiet', '--delete', remote(stage.emulator), 'forced');
    await expect(stage.octo.repos.getBranch({ ...DEMO, branch: 'forced' })).rejects.toMatchObject({ status: 404 });
  });
});

describe('what the API does', () => {
  test('is there to fetch: a file', async () => {
    const put = { ...DEMO, path: 'note.md', message: 'a note', content: Buffer.from('noted\n').toString('base64') };
    const { data } = await stage.octo.repos.createOrUpdateFileContents(put);
    await stage.copy.git('fetch', '--quiet', remote(stage.emulator), 'main');
    expect(await stage.copy.git('rev-parse', 'FETCH_HEAD')).toBe(data.commit.sha);
    expect(await stage.copy.git('show', 'FETCH_HEAD:note.md')).toBe('noted');
  });

  test('is there to fetch: a branch that was made, moved and removed', async () => {
    const refs = async (): Promise<string> => stage.copy.git('ls-remote', remote(stage.emulator), 'refs/heads/by-api');
    const main = (await stage.octo.git.getRef({ ...DEMO, ref: 'heads/main' })).data.object.sha;
    await stage.octo.git.createRef({ ...DEMO, ref: 'refs/heads/by-api', sha: main });
    expect(await refs()).toContain(main);
    const base_tree = (await stage.octo.git.getCommit({ ...DEMO, commit_sha: main })).data.tree.sha;
    const entry = { path: 'deep/er.txt', mode: '100644', type: 'blob', content: 'deep\n' } as const;
    const { data: tree } = await stage.octo.git.createTree({ ...DEMO, base_tree, tree: [entry] });
    const { data: commit } = await stage.octo.git.createCommit({
      ...DEMO,
      message: 'deep',
      tree: tree.sha,
      parents: [main],
    });
    await stage.octo.git.updateRef({ ...DEMO, ref: 'heads/by-api', sha: commit.sha });
    expect(await refs()).toContain(commit.sha);
    await stage.octo.git.deleteRef({ ...DEMO, ref: 'heads/by-api' });
    expect(await refs()).toBe('');
  });
});

describe('who may', () => {
  test('a push without a token is asked for one', async () => {
    const anonymous = `${stage.emulator.url}/octo/demo.git`;
    await expect(stage.copy.git('push', anonymous, 'main:refs/heads/nobody')).rejects.toThrow(
      /could not read Username|Authentication/,
    );
    const answer = await fetch(`${anonymous}/info/refs?service=git-receive-pack`);
    expect([answer.status, answer.headers.get('www-authenticate')]).toEqual([401, 'Basic realm="GitHub"']);
  });

  test('a push by somebody without write permission is refused', async () => {
    const push = stage.copy.git('push', remote(stage.emulator, 'token-stranger'), 'main:refs/heads/stranger');
    await expect(push).rejects.toThrow(/403/);
  });

  test('a private repository asks who reads it', async () => {
    await stage.octo.repos.createForAuthenticatedUser({ name: 'hidden', private: true, auto_init: true });
    const ask = async (token?: string): Promise<number> => {
      const headers: Record<string, string> = token ? { authorization: `Bearer ${token}` } : {};
      return (await fetch(`${stage.emulator.url}/octo/hidden.git/info/refs?service=git-upload-pack`, { headers }))
        .status;
    };
    expect([await ask(), await ask('wrong'), await ask('token-stranger'), await ask('token-octo')]).toEqual([
      401, 401, 404, 200,
    ]);
  });
});

test('the first branch that is pushed becomes the default one', async () => {
  await stage.octo.repos.createForAuthenticatedUser({ name: 'trunk-based' });
  await stage.copy.git('push', '--quiet', remote(stage.emulator, 'token-octo', 'octo/trunk-based'), 'main:trunk');
  const { data } = await stage.octo.repos.get({ owner: 'octo', repo: 'trunk-based' });
  expect(data.default_branch).toBe('trunk');
  expect(
    await stage.copy.git('ls-remote', '--symref', remote(stage.emulator, 'token-octo', 'octo/trunk-based'), 'HEAD'),
  ).toContain('refs/heads/trunk');
});
