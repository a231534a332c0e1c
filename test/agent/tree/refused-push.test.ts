/** A1: a push that GitHub refuses ends the run in GitHub's words, and its commits are not lost. */
import { chmod, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Report } from '../../../src/agent/platform/protocol.ts';
import { RUN_LIMIT_MS, setStage, type Stage } from '../support/stage.ts';

const WORDS = [
  'error: GH013: Repository rule violations found for refs/heads/codex/issue-7.',
  '- Commits must have verified signatures.',
];
const COMMIT = 'echo code > code.js && git add --all && git commit --quiet -m Code';

function told(...commands: string[]): { title: string; body: string } {
  return { title: 'As told [script: does]', body: commands.map((command) => `$ ${command}`).join('\n') };
}

const hookOf = (stage: Stage): string => join(stage.directory, 'git', 'demo.git', 'hooks', 'pre-receive');

/** From now on, GitHub refuses every push with these words. */
async function refusePushes(stage: Stage): Promise<void> {
  const lines = WORDS.map((line) => `echo '${line}' >&2`);
  await writeFile(hookOf(stage), ['#!/bin/sh', ...lines, 'exit 1', ''].join('\n'));
  await chmod(hookOf(stage), 0o755);
}

test(
  'E16: an agent whose push is refused before its question asks all the same, and its commits are kept',
  { timeout: RUN_LIMIT_MS },
  async () => {
    await using stage = await setStage();
    await refusePushes(stage);
    stage.assign({ title: 'Count words [script: asks]' });
    expect(await stage.run()).toMatchObject({ outcome: 'asked', headSha: null });
    expect(stage.platform.kept).toBeDefined();
  },
);

/** The next run on the branch is told of the commits that were kept. */
function assignNext(stage: Stage, report: Report, ...commands: string[]): void {
  const { kept } = stage.platform;
  if (!kept || report.outcome !== 'failed') throw new Error('nothing is kept');
  const paths = { workspace: join(stage.directory, `workspace-${crypto.randomUUID()}`) };
  Object.assign(stage.options, paths);
  stage.assign(told(...commands), { kept: { headSha: kept.headSha, reason: report.detail } });
}

describe('A1: a push that GitHub refuses', { timeout: RUN_LIMIT_MS }, () => {
  async function refused(stage: Stage, ...commands: string[]): Promise<Report> {
    await refusePushes(stage);
    stage.assign(told(...commands));
    return stage.run();
  }

  test("is push_refused, in GitHub's words", async () => {
    await using stage = await setStage();
    const report = await refused(stage, COMMIT);
    expect(report).toMatchObject({ failure: 'push_refused' });
    expect(report).toMatchObject({ detail: expect.stringContaining(WORDS.join('\n')) as string });
    expect(report).toMatchObject({
      detail: expect.stringContaining('The platform keeps its commits (1 commit)') as string,
    });
  });

  test('leaves its commits to the next run, which pushes them when it may', async () => {
    await using stage = await setStage();
    const report = await refused(stage, COMMIT);
    await rm(hookOf(stage));
    assignNext(stage, report, 'test -e code.js', 'echo more > more.js');
    expect(await stage.run()).toMatchObject({ outcome: 'finished' });
    expect(await stage.git('log', '--format=%s', 'main..codex/issue-7')).toBe('As told [script: does]\nCode');
  });

  test('is a next run of its own where nothing else is to be done', async () => {
    await using stage = await setStage();
    const report = await refused(stage, COMMIT);
    await rm(hookOf(stage));
    assignNext(stage, report);
    expect(await stage.run()).toMatchObject({ outcome: 'finished' });
    expect(await stage.git('show', 'codex/issue-7:code.js')).toBe('code');
  });

  test('tells the next agent why', async () => {
    await using stage = await setStage();
    const report = await refused(stage, COMMIT);
    assignNext(stage, report);
    await stage.run();
    expect(stage.platform.conversation?.content).toContain('> - Commits must have verified signatures.');
  });

  test('may be refused again, and nothing is lost', async () => {
    await using stage = await setStage();
    assignNext(stage, await refused(stage, COMMIT), 'echo more > more.js');
    const again = await stage.run();
    expect(again).toMatchObject({ failure: 'push_refused', detail: expect.stringContaining('2 commits') as string });
    await rm(hookOf(stage));
    assignNext(stage, again);
    await stage.run();
    expect(await stage.git('show', 'codex/issue-7:more.js')).toBe('more');
  });

  test('lets the next agent rewrite what was at fault', async () => {
    await using stage = await setStage();
    const report = await refused(stage, COMMIT);
    await rm(hookOf(stage));
    assignNext(stage, report, 'git reset --hard --quiet origin/main', 'echo small > small.js');
    expect(await stage.run()).toMatchObject({ outcome: 'finished' });
    expect(await stage.git('ls-tree', '--name-only', 'codex/issue-7')).toBe('README.md\nsmall.js');
  });
});

describe('commits that were kept', { timeout: RUN_LIMIT_MS }, () => {
  test('are offered beside a branch that somebody has pushed to meanwhile', async () => {
    await using stage = await setStage();
    await refusePushes(stage);
    stage.assign(told(COMMIT));
    const report = await stage.run();
    await rm(hookOf(stage));
    const theirs = await stage.pushByHand('codex/issue-7');
    assignNext(stage, report, 'git cherry-pick refs/codex-k8s/kept');
    expect(await stage.run()).toMatchObject({ outcome: 'finished' });
    expect(await stage.git('log', '-1', '--format=%P', 'codex/issue-7')).toBe(theirs);
    expect(await stage.git('show', 'codex/issue-7:code.js')).toBe('code');
  });

  test('A2: of a push beside which somebody made a branch that excludes it are kept', async () => {
    await using stage = await setStage();
    const bare = join(stage.directory, 'git', 'demo.git');
    stage.assign(told(COMMIT, `git --git-dir=${bare} update-ref refs/heads/codex main`));
    expect(await stage.run()).toMatchObject({
      failure: 'push_refused',
      detail: expect.stringMatching(/'refs\/heads\/codex' exists[^]*keeps its commits/) as string,
    });
  });

  test('of a push that lost against a person are kept too', async () => {
    await using stage = await setStage();
    const bare = join(stage.directory, 'git', 'demo.git');
    stage.assign(told(COMMIT, `git --git-dir=${bare} update-ref refs/heads/codex/issue-7 main`));
    expect(await stage.run()).toMatchObject({
      failure: 'push_rejected',
      detail: expect.stringContaining('The platform keeps its commits (1 commit)') as string,
    });
  });

  test('that do not fit the repository any more are left out', async () => {
    await using stage = await setStage();
    stage.platform.kept = { headSha: 'a'.repeat(40), bundle: Buffer.from('no bundle') };
    stage.assign(told('echo code > code.js'), { kept: { headSha: 'a'.repeat(40), reason: '' } });
    expect(await stage.run()).toMatchObject({ outcome: 'finished' });
    expect(stage.platform.log().join('\n')).toContain('do not fit the repository any more');
  });
});
