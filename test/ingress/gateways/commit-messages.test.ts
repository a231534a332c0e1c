/** Commit messages that GitHub would act on do not pass the git gateway, whatever program pushes them. */
import { expect, test } from 'vitest';
import { BRANCH, startGitScene } from './support/git-scene.ts';

test.each(['Fixes #12', 'Done, closes GH-3', 'For @olivia'])(
  'an agent that pushes “%s” by itself is refused',
  async (message) => {
    await using scene = await startGitScene({ 'README.md': '# Demo\n' });
    const agent = await scene.agent();
    await agent.git('commit', '--quiet', '--allow-empty', '--message', message);
    await agent.git('commit', '--quiet', '--allow-empty', '--message', 'Count words');
    const pushed = await agent.push();
    expect(pushed.stderr).toContain('mentions people or closes issues on GitHub');
    expect(await scene.head(BRANCH)).toBeUndefined();
  },
);

test('an agent that pushes other messages, such as the runner makes, is not', async () => {
  await using scene = await startGitScene({ 'README.md': '# Demo\n' });
  const agent = await scene.agent();
  await agent.git(
    'commit',
    '--quiet',
    '--allow-empty',
    '--message',
    'Fixes\u200B #12 for @\u200Bolivia, see #3 and a@example.com',
  );
  expect(await agent.push()).toMatchObject({ exitCode: 0 });
});

test('an agent that merges what a person wrote on the base branch is not', async () => {
  await using scene = await startGitScene({ 'README.md': '# Demo\n' });
  const agent = await scene.agent();
  await agent.commit({ 'work.txt': '1\n' });
  const person = await scene.person();
  await person.git('commit', '--quiet', '--allow-empty', '--message', 'Fixes #1, thanks @olivia');
  await person.git('push', '--quiet', 'origin', 'HEAD:main');
  await agent.git('fetch', '--quiet', 'origin');
  await agent.git('merge', '--quiet', '--no-edit', 'origin/main');
  expect(await agent.push()).toMatchObject({ exitCode: 0 });
});
