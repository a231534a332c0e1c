import { expect, test } from 'vitest';
import { BRANCH, startGitScene } from './support/git-scene.ts';

const CONFLICT = '<<<<<<< HEAD\nours\n=======\ntheirs\n>>>>>>> other\n';

test('E16: an agent that pushes unresolved conflicts is refused, told why, and may push what it resolved', async () => {
  await using scene = await startGitScene({ 'README.md': '# Demo\n' });
  const agent = await scene.agent();
  await agent.commit({ 'README.md': `# Demo\n${CONFLICT}`, 'src/new.js': CONFLICT, 'heading.md': 'Title\n=======\n' });
  const pushed = await agent.push();
  expect(pushed.exitCode).toBe(1);
  expect(pushed.stderr).toContain('[remote rejected]');
  expect(pushed.stderr).toMatch(
    /conflict markers to (README\.md, src\/new\.js|src\/new\.js, README\.md): resolve the conflicts/,
  );
  expect(pushed.stderr).not.toContain('heading.md');
  expect(scene.pushes()).toBe(0);

  await agent.commit({ 'README.md': '# Demo\nboth\n', 'src/new.js': null });
  expect(await agent.push()).toMatchObject({ exitCode: 0 });
  expect(await scene.head(BRANCH)).toBe(await agent.git('rev-parse', 'HEAD'));
});

test('E16: a file that is meant to have conflict markers passes with an attribute, in the same push too', async () => {
  await using scene = await startGitScene({ 'README.md': '# Demo\n' });
  const agent = await scene.agent();
  await agent.commit({
    'docs/merging.md': CONFLICT,
    'docs/é.md': CONFLICT,
    '.gitattributes': 'docs/*.md conflict-marker-size=32\n',
  });
  expect(await agent.push()).toMatchObject({ exitCode: 0 });
});

test('E16: a file that has conflicts on the base branch may be changed, and get no more of them', async () => {
  await using scene = await startGitScene({ 'test/fixture.txt': CONFLICT });
  const agent = await scene.agent();
  await agent.commit({ 'test/fixture.txt': `A fixture\n${CONFLICT}` });
  expect(await agent.push()).toMatchObject({ exitCode: 0 });
  await agent.commit({ 'test/fixture.txt': CONFLICT + CONFLICT });
  expect(await agent.push()).toMatchObject({ exitCode: 1 });
});

test('E16: conflicts that people committed to the base branch come in with a merge of it', async () => {
  await using scene = await startGitScene({ 'README.md': '# Demo\n' });
  const agent = await scene.agent();
  const person = await scene.person();
  await person.commit({ 'test/fixture.txt': CONFLICT });
  await person.push();
  await agent.commit({ 'src/new.js': '1\n' });
  await agent.git('fetch', '--quiet', 'origin', 'main');
  await agent.git('merge', '--quiet', '--no-edit', 'FETCH_HEAD');
  expect(await agent.push()).toMatchObject({ exitCode: 0 });
});
