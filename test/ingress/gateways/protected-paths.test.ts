import { execa } from 'execa';
import { expect, test } from 'vitest';
import { BRANCH, startGitScene, type Clone, type Files } from './support/git-scene.ts';

const FILES: Files = {
  'README.md': '# Demo\n',
  'src/index.js': '1\n',
  'AGENTS.md': 'Be careful.\n',
  '.github/workflows/ci.yml': 'on: push\n',
};

test.each<[string, Files, string]>([
  [
    'adds a workflow',
    { '.github/workflows/new.yml': 'on: push' },
    '.github/workflows/new.yml (workflows of GitHub Actions)',
  ],
  [
    'changes a workflow',
    { '.github/workflows/ci.yml': 'on: x' },
    '.github/workflows/ci.yml (workflows of GitHub Actions)',
  ],
  [
    'removes a workflow',
    { '.github/workflows/ci.yml': null },
    '.github/workflows/ci.yml (workflows of GitHub Actions)',
  ],
  [
    'puts a link in place of the folder of workflows',
    { '.github/workflows': { link: '../src' } },
    'workflows of GitHub Actions',
  ],
  ['adds owners of code', { CODEOWNERS: '* @agent' }, 'CODEOWNERS (owners of code)'],
  ['changes what agents obey', { 'AGENTS.md': 'Anything goes.' }, 'AGENTS.md (instructions of agents)'],
  [
    'adds what agents obey in a folder',
    { 'src/.codex/config.toml': 'x' },
    'src/.codex/config.toml (instructions of agents)',
  ],
  [
    'links to a file of the machine',
    { 'src/passwd': { link: '/etc/passwd' } },
    'src/passwd (a link out of the repository)',
  ],
  ['links beside the repository', { link: { link: '../other' } }, 'link (a link out of the repository)'],
])('an agent that %s is refused, told why, and may push the rest', async (_what, files, reason) => {
  await using scene = await startGitScene(FILES);
  const agent = await scene.agent();
  await agent.commit({ ...files, 'src/index.js': '2\n' });
  const pushed = await agent.push();
  expect(pushed.exitCode).toBe(1);
  expect(pushed.stderr).toContain('[remote rejected]');
  expect(pushed.stderr).toContain(reason);
  expect(pushed.stderr).toContain('put these paths back to what they are on the base branch, commit, and push again');
  expect(await scene.head(BRANCH)).toBeUndefined();
  expect(scene.pushes()).toBe(0);

  // As the message says: the refused commit stays in the history, and its paths are as they were.
  await agent.git('checkout', '--quiet', 'origin/main', '--', 'AGENTS.md', '.github').catch(() => undefined);
  for (const path of Object.keys(files))
    if (!(path in FILES)) await agent.git('rm', '-rq', '--cached', '--ignore-unmatch', path);
  await agent.git('checkout', '--quiet', 'origin/main', '--', '.github', 'AGENTS.md');
  await agent.git('commit', '--quiet', '--message', 'Put back');
  expect(await agent.push()).toMatchObject({ exitCode: 0 });
  expect(await scene.head(BRANCH)).toBe(await agent.git('rev-parse', 'HEAD'));
});

/** Commits a tree that the index does not let pass: `git mktree` writes what it is told. */
async function commitTree(agent: Clone, entry: string): Promise<string> {
  const tree = await agent.git('ls-tree', 'HEAD');
  const { stdout } = await execa('git', ['mktree', '--missing'], {
    cwd: agent.directory,
    input: `${tree}\n${entry}\n`,
  });
  const commit = await agent.git('commit-tree', stdout, '-p', 'HEAD', '-m', 'Odd');
  await agent.git('update-ref', `refs/heads/${BRANCH}`, commit);
  return commit;
}

test('an agent that adds a submodule is refused', async () => {
  await using scene = await startGitScene(FILES);
  const agent = await scene.agent();
  await commitTree(agent, `160000 commit ${'a'.repeat(40)}\tvendored`);
  const pushed = await agent.push();
  expect(pushed.stderr).toContain('vendored (a submodule)');
  expect(await scene.head(BRANCH)).toBeUndefined();
});

test.each(['100664', '100600', '104755'])('an agent that writes a file with mode %s is refused', async (mode) => {
  await using scene = await startGitScene(FILES);
  const agent = await scene.agent();
  const blob = await agent.git('rev-parse', 'HEAD:README.md');
  const { stdout: tree } = await execa('git', ['cat-file', 'tree', 'HEAD'], {
    cwd: agent.directory,
    encoding: 'buffer',
  });
  const input = Buffer.concat([Buffer.from(tree), Buffer.from(`${mode} zz\0`), Buffer.from(blob, 'hex')]);
  const { stdout: id } = await execa('git', ['hash-object', '-t', 'tree', '-w', '--literally', '--stdin'], {
    cwd: agent.directory,
    input,
  });
  const commit = await agent.git('commit-tree', id, '-p', 'HEAD', '-m', 'Odd');
  await agent.git('update-ref', `refs/heads/${BRANCH}`, commit);
  const pushed = await agent.push();
  expect(pushed.stderr).toContain(`zz (a file mode that git does not write: ${mode})`);
  expect(await scene.head(BRANCH)).toBeUndefined();
});

test('a self-improve run may change what agents obey, and no workflow', async () => {
  await using scene = await startGitScene(FILES);
  scene.stage = 'self-improve';
  const agent = await scene.agent();
  await agent.commit({ 'AGENTS.md': 'Be more careful.' });
  expect(await agent.push()).toMatchObject({ exitCode: 0 });
  await agent.commit({ '.github/workflows/ci.yml': 'on: x' });
  expect((await agent.push()).stderr).toContain('workflows of GitHub Actions');
});

test('an agent that merges the base branch brings in what people changed there', async () => {
  await using scene = await startGitScene(FILES);
  const agent = await scene.agent();
  await agent.commit({ 'src/index.js': '2' });
  await agent.push();
  const person = await scene.person();
  await person.commit({ '.github/workflows/ci.yml': 'on: pull_request', 'src/link': { link: '/etc/hosts' } });
  await person.push('origin', 'main');
  await agent.git('fetch', '--quiet', 'origin');
  await agent.git('merge', '--quiet', '--no-edit', 'origin/main');
  expect(await agent.push()).toMatchObject({ exitCode: 0 });
});

test('an agent whose base branch has moved on may push what is built on the older one', async () => {
  await using scene = await startGitScene(FILES);
  const agent = await scene.agent();
  const person = await scene.person();
  await person.commit({ '.github/workflows/ci.yml': 'on: pull_request', 'AGENTS.md': null });
  await person.push('origin', 'main');
  await agent.commit({ 'src/index.js': '2' });
  expect(await agent.push()).toMatchObject({ exitCode: 0 });
  await agent.commit({ 'AGENTS.md': 'Neither the old nor the new.' });
  expect((await agent.push()).stderr).toContain('AGENTS.md (instructions of agents)');
});

test('an agent goes on with a workflow that a person put on its branch', async () => {
  await using scene = await startGitScene(FILES);
  const agent = await scene.agent();
  await agent.commit({ 'src/index.js': '2' });
  await agent.push();
  const person = await scene.person();
  await person.git('switch', '--quiet', BRANCH);
  await person.commit({ '.github/workflows/new.yml': 'on: push' });
  await person.push('origin', `HEAD:${BRANCH}`);
  await agent.git('pull', '--quiet', 'origin', BRANCH);
  await agent.commit({ 'src/index.js': '3' });
  expect(await agent.push()).toMatchObject({ exitCode: 0 });
  await agent.commit({ '.github/workflows/new.yml': 'on: schedule' });
  expect((await agent.push()).stderr).toContain('.github/workflows/new.yml');
});

test('an agent may not take a workflow from another branch, of which its push sends nothing', async () => {
  await using scene = await startGitScene(FILES);
  const person = await scene.person();
  await person.git('switch', '--quiet', '--create', 'draft');
  await person.commit({ '.github/workflows/draft.yml': 'on: push' });
  await person.push('origin', 'HEAD:draft');
  const agent = await scene.agent();
  await agent.git('reset', '--quiet', '--hard', 'origin/draft');
  expect((await agent.push()).stderr).toContain('.github/workflows/draft.yml');
  await agent.git('reset', '--quiet', '--hard', 'origin/main');
  await agent.git('merge', '--quiet', '--no-ff', '--no-edit', 'origin/draft');
  expect((await agent.push()).stderr).toContain('.github/workflows/draft.yml');
  expect(await scene.head(BRANCH)).toBeUndefined();
});

test('an agent that pushes an object which nobody has is refused', async () => {
  await using scene = await startGitScene(FILES);
  const agent = await scene.agent();
  const commit = await commitTree(agent, `040000 tree ${'b'.repeat(40)}\tzz`);
  // Git itself would not send it.
  const { stdout: pack } = await execa('git', ['pack-objects', '--stdout', '--quiet'], {
    cwd: agent.directory,
    input: `${commit}\n${await agent.git('rev-parse', `${commit}^{tree}`)}\n`,
    encoding: 'buffer',
  });
  const { username, password, origin, pathname } = new URL(await agent.git('remote', 'get-url', 'origin'));
  const command = `${'0'.repeat(40)} ${commit} refs/heads/${BRANCH}\0 report-status`;
  const answer = await fetch(`${origin}${pathname}/git-receive-pack`, {
    method: 'POST',
    headers: { authorization: `Basic ${btoa(`${username}:${password}`)}` },
    body: Buffer.concat([
      Buffer.from(`${(command.length + 4).toString(16).padStart(4, '0')}${command}0000`),
      Buffer.from(pack),
    ]),
  });
  expect(await answer.text()).toContain('neither in');
  expect(await scene.head(BRANCH)).toBeUndefined();
});

test('an agent that pushes more than the limit is told so', async () => {
  await using scene = await startGitScene(FILES, { gateway: { pushBytes: 1024 } });
  const agent = await scene.agent();
  await agent.commit({ 'src/large.txt': Array.from({ length: 2000 }, () => crypto.randomUUID()).join('\n') });
  expect((await agent.push()).stderr).toContain('MiB at most');
  expect(scene.pushes()).toBe(0);
});
