/** What the runner commits of an agent's repository, and what it says of the rest. */
import { join } from 'node:path';
import { execa } from 'execa';
import { describe, expect, test } from 'vitest';
import type { Report } from '../../../src/agent/platform/protocol.ts';
import { RUN_LIMIT_MS, setStage, type Stage } from '../support/stage.ts';

const ADD_ALL = 'git add --all && git commit --quiet -m Everything';

/** A script: the agent runs these commands, then gives its answer. */
function told(...commands: string[]): { title: string; body: string } {
  return { title: 'As told [script: does]', body: commands.map((command) => `$ ${command}`).join('\n') };
}

async function changed(stage: Stage): Promise<string[]> {
  return (await stage.git('diff', '--name-only', 'main', 'codex/issue-7')).split('\n').filter(Boolean);
}

function notesOf(report: Report) {
  if (report.outcome !== 'finished') throw new Error(JSON.stringify(report));
  return report.notes;
}

describe('E15: files with CRLF that an attribute calls text', { timeout: RUN_LIMIT_MS }, () => {
  const FILES = {
    '.gitattributes': '*.txt text\n*.bat text eol=crlf\n',
    'dos.txt': 'one\r\ntwo\r\n',
    'with [a] "name"\\.txt': 'one\r\n',
    'run.bat': 'echo\r\n',
    'unix.txt': 'one\n',
  };

  test.each([
    ['the runner commits', []],
    ['the agent commits everything', [ADD_ALL]],
    ['a tool writes the file anew as it was', ['sed -i s/nothing/else/ dos.txt', ADD_ALL]],
  ])('are not in the pull request when %s', async (_what, commit) => {
    await using stage = await setStage(FILES, { convert: false });
    stage.assign(told('echo new > new.txt', ...commit));
    await stage.run();
    expect(await changed(stage)).toEqual(['new.txt']);
  });

  test('make no pull request where nothing was changed', async () => {
    await using stage = await setStage(FILES, { convert: false });
    stage.assign(told('true'));
    expect(await stage.run()).toMatchObject({ failure: 'no_changes' });
  });

  test('are committed with the lines that the agent changed, and no others', async () => {
    await using stage = await setStage(FILES, { convert: false });
    stage.assign(told(String.raw`sed -i 's/two/three/' dos.txt`));
    await stage.run();
    expect(await stage.git('diff', '--numstat', 'main', 'codex/issue-7')).toBe('1\t1\tdos.txt');
  });

  test('are as quiet in a clone that is used again', async () => {
    await using stage = await setStage(FILES, { convert: false });
    stage.assign(told('echo new > new.txt'));
    await stage.run();
    stage.assign(told('echo newer > newer.txt', ADD_ALL), { branch: 'codex/issue-7-2' });
    await stage.run();
    expect(await stage.git('diff', '--name-only', 'main', 'codex/issue-7-2')).toBe('newer.txt');
  });
});

describe('E17: new files that hardly ever belong into a pull request', { timeout: RUN_LIMIT_MS }, () => {
  const INSTALL = 'mkdir -p node_modules/lib && for n in $(seq 400); do echo > node_modules/lib/$n.js; done';

  test.each([
    ['the runner commits', []],
    ['the agent commits everything', [ADD_ALL]],
  ])('400 files of a package folder and .env stay out, and are named, when %s', async (_what, commit) => {
    await using stage = await setStage();
    stage.assign(told(INSTALL, 'echo KEY=value > .env', 'echo code > code.js', ...commit));
    const report = await stage.run();
    expect(await changed(stage)).toEqual(['code.js']);
    expect(notesOf(report)?.heldBack).toEqual([
      { path: 'node_modules/', files: 400, reason: 'dependencies' },
      { path: '.env', files: 1, reason: 'secret' },
    ]);
  });

  test('what the repository ignores itself is not spoken of', async () => {
    await using stage = await setStage({ '.gitignore': 'node_modules/\n', 'README.md': '# Demo\n' });
    stage.assign(told(INSTALL, 'echo code > code.js'));
    expect(notesOf(await stage.run())).toBeUndefined();
  });

  test('a folder that the repository keeps under version control goes on being so', async () => {
    await using stage = await setStage({ 'node_modules/lib/index.js': 'old\n' });
    stage.assign(told('echo new > node_modules/lib/index.js', 'echo more > node_modules/lib/more.js'));
    await stage.run();
    expect(await changed(stage)).toEqual(['node_modules/lib/index.js', 'node_modules/lib/more.js']);
  });

  test('an example of an .env file is committed', async () => {
    await using stage = await setStage();
    stage.assign(told('echo KEY= > .env.example'));
    await stage.run();
    expect(await changed(stage)).toEqual(['.env.example']);
  });

  test('hundreds of new files in one folder stay out, and the others do not', async () => {
    await using stage = await setStage();
    stage.assign(told('mkdir out src && for n in $(seq 350); do echo > out/$n; done', 'echo code > src/code.js'));
    const report = await stage.run();
    expect(await changed(stage)).toEqual(['src/code.js']);
    expect(notesOf(report)?.heldBack).toEqual([{ path: 'out/', files: 350, reason: 'many' }]);
  });

  test('a git repository in the repository stays out', async () => {
    await using stage = await setStage();
    stage.assign(
      told('git init --quiet other && cd other && git commit --quiet --allow-empty -m One', 'echo code > code.js'),
    );
    const report = await stage.run();
    expect(await changed(stage)).toEqual(['code.js']);
    expect(notesOf(report)?.heldBack).toEqual([{ path: 'other/', files: 1, reason: 'repository' }]);
  });

  test('what the agent adds with force is committed', async () => {
    await using stage = await setStage();
    stage.assign(told('echo KEY=value > .env', 'git add --force .env'));
    await stage.run();
    expect(await changed(stage)).toEqual(['.env']);
  });

  test('a run that made nothing else says what it held back', async () => {
    await using stage = await setStage();
    stage.assign(told('echo KEY=value > .env'));
    expect(await stage.run()).toMatchObject({
      failure: 'no_changes',
      detail: expect.stringContaining('held back: .env') as string,
    });
  });

  test('the next run does not find them', async () => {
    await using stage = await setStage();
    stage.assign(told('echo KEY=value > .env', 'echo code > code.js'));
    await stage.run();
    stage.assign(told('test ! -e .env', 'echo newer > newer.js'), { branch: 'codex/issue-7-2' });
    expect(notesOf(await stage.run())).toBeUndefined();
  });
});

describe('E16: an agent that stops in a merge', { timeout: RUN_LIMIT_MS }, () => {
  const CONFLICT = [
    'git checkout --quiet -b other && echo theirs > README.md && git commit --quiet -am Theirs',
    'git checkout --quiet codex/issue-7 && echo ours > README.md && git commit --quiet -am Ours',
  ];

  test.each([
    ['with unresolved conflicts', 'git merge other || true', 'are not resolved in README.md'],
    ['with its conflict markers added', 'git merge other || git add --all', 'conflict markers in README.md'],
    ['with its conflict markers committed', `git merge other || ${ADD_ALL}`, 'conflict markers in README.md'],
    ['of a rebase', 'git rebase other || true', 'README.md'],
  ])('%s is unmerged', async (_how, merge, problem) => {
    await using stage = await setStage();
    stage.assign(told(...CONFLICT, merge));
    const report = await stage.run();
    expect(report).toMatchObject({ failure: 'unmerged', detail: expect.stringContaining(problem) as string });
    expect(await stage.git('grep', '-c', '<<<<<<<', 'codex/issue-7').catch(() => 'none')).toBe('none');
  });

  test('is asked once more to finish it', async () => {
    await using stage = await setStage();
    stage.assign(told(...CONFLICT, 'git merge other || true'));
    await stage.run();
    expect(stage.platform.log().filter((text) => text.includes('asking once more'))).toHaveLength(1);
  });

  test('has what it committed before on the branch', async () => {
    await using stage = await setStage();
    stage.assign(told(...CONFLICT, 'git merge other || true'));
    expect(await stage.run()).toMatchObject({ detail: expect.stringContaining('1 commit') as string });
    expect(await stage.git('show', 'codex/issue-7:README.md')).toBe('ours');
  });

  test('and has resolved all conflicts is finished', async () => {
    await using stage = await setStage();
    stage.assign(told(...CONFLICT, 'git merge other || echo both > README.md', 'git add README.md'));
    expect(await stage.run()).toMatchObject({ outcome: 'finished' });
    expect(await stage.git('log', '-1', '--format=%P', 'codex/issue-7')).toMatch(/ /);
  });
});

test(
  'E16: an agent that writes a fixture with conflict markers, and says so in .gitattributes, is finished',
  { timeout: RUN_LIMIT_MS },
  async () => {
    await using stage = await setStage();
    const markers = String.raw`printf '<<<<<<< a\n=======\n>>>>>>> b\n'`;
    stage.assign(told(`${markers} > fixture.txt`, "echo 'fixture.txt conflict-marker-size=32' > .gitattributes"));
    expect(await stage.run()).toMatchObject({ outcome: 'finished' });
  },
);

describe('E18: content that a clone does not have', { timeout: RUN_LIMIT_MS }, () => {
  const POINTER = 'version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n';
  const FILES = { '.gitattributes': '*.png filter=lfs diff=lfs merge=lfs -text\n', 'logo.png': POINTER };

  async function withSubmodule(stage: Stage): Promise<void> {
    const index = { env: { GIT_INDEX_FILE: join(stage.directory, 'index') } };
    const git = execa({ cwd: join(stage.directory, 'git', 'demo.git'), ...index });
    await git`git read-tree main`;
    await git`git update-index --add --cacheinfo ${`160000,${await stage.git('rev-parse', 'main')},lib`}`;
    const { stdout: tree } = await git`git write-tree`;
    const commit = await stage.git('commit-tree', tree, '-p', 'main', '-m', 'A submodule');
    await stage.git('update-ref', 'refs/heads/main', commit);
  }

  test('is told to the agent and in the report', async () => {
    await using stage = await setStage(FILES);
    await withSubmodule(stage);
    stage.assign(told('echo code > code.js'));
    const report = await stage.run();
    expect(notesOf(report)?.absent).toEqual({ lfsFiles: 1, submodules: ['lib'] });
    expect(stage.platform.conversation?.content).toContain('1 file of this clone is a Git LFS pointer');
    expect(stage.platform.conversation?.content).toContain('their folders are empty: lib');
  });

  test('stays as it was, also when everything is committed', async () => {
    await using stage = await setStage(FILES);
    await withSubmodule(stage);
    stage.assign(told('echo code > code.js', ADD_ALL));
    await stage.run();
    expect(await changed(stage)).toEqual(['code.js']);
  });
});
