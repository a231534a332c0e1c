import { expect, test } from 'vitest';
import { BRANCH, startGitScene } from './support/git-scene.ts';

const FILES = { 'README.md': '# Demo\n' };

test('an agent that forces its branch over a person’s commit is refused, and told to merge it', async () => {
  await using scene = await startGitScene(FILES);
  const agent = await scene.agent();
  await agent.commit({ 'a.txt': 'one' });
  expect(await agent.push()).toMatchObject({ exitCode: 0 });
  const person = await scene.person();
  await person.git('switch', '--quiet', BRANCH);
  const theirs = await person.commit({ 'b.txt': 'by olivia' });
  expect(await person.push('origin', `HEAD:${BRANCH}`)).toMatchObject({ exitCode: 0 });

  await agent.commit({ 'a.txt': 'two' });
  const pushed = await agent.push('--force');
  expect(pushed.exitCode).toBe(1);
  expect(pushed.stderr).toContain(
    `this run may not remove commits from ${BRANCH}: ${theirs.slice(0, 12)} is not part of`,
  );
  expect(pushed.stderr).toContain('fetch and merge it, then push without --force');
  expect(await scene.head(BRANCH)).toBe(theirs);

  await agent.git('fetch', '--quiet', 'origin');
  await agent.git('merge', '--quiet', '--no-edit', `origin/${BRANCH}`);
  expect(await agent.push()).toMatchObject({ exitCode: 0 });
  expect(await scene.head(BRANCH)).toBe(await agent.git('rev-parse', 'HEAD'));
});

test('an agent that rewrites its own pushed commit is refused', async () => {
  await using scene = await startGitScene(FILES);
  const agent = await scene.agent();
  const first = await agent.commit({ 'a.txt': 'one' });
  await agent.push();
  await agent.git('commit', '--quiet', '--amend', '--message', 'another');
  expect((await agent.push('--force')).stderr).toContain('may not remove commits');
  expect(await scene.head(BRANCH)).toBe(first);
});

test('an agent that forces the branch back to the base branch, with nothing to send, is refused', async () => {
  await using scene = await startGitScene(FILES);
  const agent = await scene.agent();
  const first = await agent.commit({ 'a.txt': 'one' });
  await agent.push();
  await agent.git('reset', '--quiet', '--hard', 'origin/main');
  expect((await agent.push('--force')).stderr).toContain('may not remove commits');
  expect(await scene.head(BRANCH)).toBe(first);
});

test('an agent that forces a history without a beginning in common is refused', async () => {
  await using scene = await startGitScene(FILES);
  const agent = await scene.agent();
  const first = await agent.commit({ 'a.txt': 'one' });
  await agent.push();
  await agent.git('switch', '--quiet', '--orphan', 'new');
  await agent.commit({ 'c.txt': 'new' });
  expect((await agent.push('--force')).stderr).toContain('may not remove commits');
  expect(await scene.head(BRANCH)).toBe(first);
});

test('an agent whose branch was merged moves it on to the base branch, which holds its commits', async () => {
  await using scene = await startGitScene(FILES);
  const agent = await scene.agent();
  await agent.commit({ 'a.txt': 'one' });
  await agent.push();
  const person = await scene.person();
  await person.git('merge', '--quiet', '--no-ff', '--no-edit', `origin/${BRANCH}`);
  const merged = await person.commit({ 'b.txt': 'by olivia' });
  await person.push('origin', 'main');
  await agent.git('fetch', '--quiet', 'origin');
  await agent.git('reset', '--quiet', '--hard', 'origin/main');
  expect(await agent.push()).toMatchObject({ exitCode: 0 });
  expect(await scene.head(BRANCH)).toBe(merged);
});

test('a push with more commits than are read one by one is compared with the whole history', async () => {
  await using scene = await startGitScene(FILES, { inspection: { commits: 3 } });
  const agent = await scene.agent();
  const first = await agent.commit({ 'a.txt': '0' });
  await agent.push();
  for (const n of [1, 2, 3, 4, 5]) await agent.commit({ 'a.txt': String(n) });
  expect(await agent.push()).toMatchObject({ exitCode: 0 });
  await agent.git('reset', '--quiet', '--hard', 'origin/main');
  for (const n of [1, 2, 3, 4, 5]) await agent.commit({ 'b.txt': String(n) });
  const before = await scene.head(BRANCH);
  expect((await agent.push('--force')).stderr).toContain('may not remove commits');
  expect(await scene.head(BRANCH)).toBe(before);
  expect(before).not.toBe(first);
});

test('a push that says another commit is on the branch than is there changes nothing', async () => {
  await using scene = await startGitScene(FILES);
  const agent = await scene.agent();
  const first = await agent.commit({ 'a.txt': 'one' });
  await agent.push();
  const base = await agent.git('rev-parse', 'origin/main');
  await agent.git('reset', '--quiet', '--hard', 'origin/main');
  const other = await agent.commit({ 'a.txt': 'other' });
  // What git send-pack sends when the advertised commit is replaced: the base is an ancestor of the new commit.
  const url = await agent.git('remote', 'get-url', 'origin');
  const { username, password, origin, pathname } = new URL(url);
  const { execa } = await import('execa');
  const { stdout: pack } = await execa('git', ['pack-objects', '--stdout', '--revs', '--quiet'], {
    cwd: agent.directory,
    input: `${other}\n^${base}\n`,
    encoding: 'buffer',
  });
  const command = `${base} ${other} refs/heads/${BRANCH}\0 report-status`;
  const line = `${(command.length + 4).toString(16).padStart(4, '0')}${command}`;
  const answer = await fetch(`${origin}${pathname}/git-receive-pack`, {
    method: 'POST',
    headers: {
      authorization: `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`,
      'content-type': 'application/x-git-receive-pack-request',
    },
    body: Buffer.concat([Buffer.from(`${line}0000`), Buffer.from(pack)]),
  });
  expect(await answer.text()).toContain(`ng refs/heads/${BRANCH}`);
  expect(await scene.head(BRANCH)).toBe(first);
});

test('S11: a push that is received while the run’s token is closed is not sent on', async () => {
  await using scene = await startGitScene(FILES);
  const agent = await scene.agent();
  await agent.commit({ 'a.txt': 'one' });
  scene.closesWhileInspecting = true;
  expect((await agent.push()).exitCode).not.toBe(0);
  expect(scene.pushes()).toBe(0);
  expect(await scene.head(BRANCH)).toBeUndefined();
});

test('S11: a push that comes while another of the run is under way is not sent on', async () => {
  await using scene = await startGitScene(FILES);
  const agent = await scene.agent();
  await agent.commit({ 'a.txt': 'one' });
  scene.otherPush = true;
  expect((await agent.push()).stderr).toContain('503');
  expect(scene.pushes()).toBe(0);
  scene.otherPush = false;
  expect(await agent.push()).toMatchObject({ exitCode: 0 });
});

test('an agent that pushes twice at once has the second push refused before it is looked into', async () => {
  await using scene = await startGitScene(FILES);
  const agent = await scene.agent();
  await agent.commit({ 'a.txt': 'one' });
  const second: { exitCode: number | undefined; stderr: string }[] = [];
  scene.afterInspection = async () => {
    scene.afterInspection = undefined;
    second.push(await agent.push());
  };
  expect(await agent.push()).toMatchObject({ exitCode: 0 });
  expect(second).toMatchObject([{ stderr: expect.stringContaining('503') as string }]);
  expect(scene.pushes()).toBe(1);
});

test('S11: a push whose agent is gone before its answer is read ends, and holds up nobody', async () => {
  await using scene = await startGitScene(FILES);
  const agent = await scene.agent();
  const commit = await agent.commit({ 'a.txt': 'one' });
  const answer = await scene.pushUnread(agent);
  expect(answer.status).toBe(200);
  await expect.poll(() => scene.leases(), { timeout: 30_000 }).toBe(0);
  expect(await scene.head(BRANCH)).toBe(commit);
});
