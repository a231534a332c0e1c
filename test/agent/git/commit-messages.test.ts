/** An agent's commit messages close no issue and mention nobody when they reach the default branch. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { neutralizeMessages } from '../../../src/agent/git/commit-messages.ts';
import { RUN_LIMIT_MS, setStage, type Stage } from '../support/stage.ts';

const ENV = {
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_AUTHOR_NAME: 'an agent',
  GIT_AUTHOR_EMAIL: 'agent@example.com',
  GIT_COMMITTER_NAME: 'an agent',
  GIT_COMMITTER_EMAIL: 'agent@example.com',
};

let directory: string;
let lines: string[];

async function git(...args: string[]): Promise<string> {
  return (await execa('git', args, { cwd: join(directory, 'repo'), env: ENV })).stdout.trim();
}

async function commit(message: string, file = message): Promise<string> {
  await writeFile(join(directory, 'repo', `${file.replaceAll(/\W/g, '')}.txt`), message);
  await git('add', '--all');
  await git('commit', '--quiet', '--message', message);
  return git('rev-parse', 'HEAD');
}

const neutralize = (): Promise<void> =>
  neutralizeMessages(git, directory, (_kind, text) => {
    lines.push(text);
  });

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'messages-'));
  lines = [];
  await execa('git', ['init', '--quiet', '--initial-branch', 'main', join(directory, 'repo')], { env: ENV });
  const start = await commit('Fixes #1, by a person');
  await git('update-ref', 'refs/remotes/origin/main', start);
});
afterEach(async () => {
  await rm(directory, { recursive: true, force: true });
});

describe('before a push', () => {
  test('a message that would close an issue is written again', async () => {
    await commit('Fixes #12\n\nfor @olivia, resolves GH-3');
    await neutralize();
    expect(await git('log', '-1', '--format=%B')).toBe(
      'Fixes\u200B #12\n\nfor @\u200Bolivia, resolves\u200B GH\u200B-3',
    );
  });

  test('so are the commits after it, with their own messages, authors, dates and files', async () => {
    await commit('closes #12');
    await commit('Count words');
    const before = await git('log', '--format=%s %an %ad %T');
    await neutralize();
    expect((await git('log', '--format=%s %an %ad %T')).replaceAll('\u200B', '')).toBe(before);
    expect(await git('status', '--porcelain')).toBe('');
    expect(await git('symbolic-ref', 'HEAD')).toBe('refs/heads/main');
  });

  test('what the remote has stays, also below a merge', async () => {
    const theirs = await commit('Fixes #2, by another person');
    await git('update-ref', 'refs/remotes/origin/other', theirs);
    await git('checkout', '--quiet', '-b', 'work', 'HEAD~1');
    await commit('fixes #4');
    await git('merge', '--quiet', '--no-ff', '-m', 'Merge', theirs);
    await neutralize();
    expect(await git('rev-parse', 'HEAD^2')).toBe(theirs);
    expect(await git('log', '--format=%s', 'HEAD^1', '--not', '--remotes')).toBe('fixes\u200B #4');
  });

  test('messages that do nothing are left alone, and so are those that were written again', async () => {
    const before = await commit('See #12 by a@example.com');
    await neutralize();
    expect(await git('rev-parse', 'HEAD')).toBe(before);
    await commit('fixes #5');
    await neutralize();
    const once = await git('rev-parse', 'HEAD');
    await neutralize();
    expect(await git('rev-parse', 'HEAD')).toBe(once);
    expect(lines).toHaveLength(1);
  });
});

describe('a run of an agent whose commit closes an issue', { timeout: RUN_LIMIT_MS }, () => {
  let stage: Stage;
  afterEach(() => stage[Symbol.asyncDispose]());

  test('pushes a message without effect, and reports what it pushed', async () => {
    stage = await setStage();
    stage.assign({ title: '[script: calls-out]' });
    const report = await stage.run();
    const message = await stage.git('log', '-1', '--format=%s', 'codex/issue-7');
    expect(message).toBe('Fixes\u200B #1 for @\u200Bolivia');
    expect(report).toMatchObject({ outcome: 'finished', headSha: await stage.git('rev-parse', 'codex/issue-7') });
  });
});
