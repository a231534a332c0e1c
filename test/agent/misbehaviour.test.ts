import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { LOG_LINE_CHARACTERS } from '../../src/agent/platform/protocol.ts';
import { revisePrompt, RUN_LIMIT_MS, setStage, until, type Stage } from './support/stage.ts';

describe('an agent that misbehaves', { timeout: RUN_LIMIT_MS }, () => {
  let stage: Stage;
  beforeEach(async () => {
    stage = await setStage();
  });
  afterEach(() => stage[Symbol.asyncDispose]());

  test('a refused request is agent_failed, with the exit code and the last error', async () => {
    stage.assign({ title: '[script: exit]' });
    expect(await stage.run()).toMatchObject({
      failure: 'agent_failed',
      detail: 'codex ended with exit code 1: The scripted model was told to refuse this request.',
    });
  });

  test('the conversation of a failed run is stored too', async () => {
    stage.assign({ title: '[script: exit]' });
    const report = await stage.run();
    expect(stage.platform.conversation?.threadId).toBe(report.threadId);
  });

  test('a run without a new commit is no_changes', async () => {
    stage.assign({ title: '[script: nothing]' });
    expect(await stage.run()).toMatchObject({ failure: 'no_changes' });
  });

  test('a revise that only answers is finished, with the head as it was', async () => {
    const head = await stage.pushByHand('codex/issue-7');
    const prompt = revisePrompt({ number: 7, title: '[script: nothing]' }, [
      { id: 1, path: 'a', line: 1, body: 'Why?' },
    ]);
    stage.assign({ title: '[script: nothing]' }, { kind: 'revise', prompt });
    expect(await stage.run()).toMatchObject({ outcome: 'finished', headSha: head });
  });

  test('prose instead of an answer, twice, is answer_invalid', async () => {
    stage.assign({ title: '[script: not-json]' });
    expect(await stage.run()).toMatchObject({ failure: 'answer_invalid' });
  });

  test('prose is asked about exactly once', async () => {
    stage.assign({ title: '[script: not-json]' });
    await stage.run();
    expect(stage.platform.log().filter((text) => text.startsWith('Turn finished'))).toHaveLength(2);
  });

  test('an answer that is right the second time is taken', async () => {
    stage.assign({ title: '[script: repair]' });
    expect(await stage.run()).toMatchObject({ outcome: 'finished' });
  });

  test('a silent agent is agent_stalled', async () => {
    stage.assign({ title: '[script: hang]' }, { limits: { stallSeconds: 1, runSeconds: 60 } });
    expect(await stage.run()).toMatchObject({ failure: 'agent_stalled' });
  });

  test('an agent that takes too long is deadline_exceeded', async () => {
    stage.assign({ title: '[script: hang]' }, { limits: { stallSeconds: 60, runSeconds: 2 } });
    expect(await stage.run()).toMatchObject({ failure: 'deadline_exceeded' });
  });

  test('a megabyte on one line is cut, and says so', async () => {
    stage.assign({ title: '[script: long-line]' });
    await stage.run();
    const cut = stage.platform.log().find((text) => text.startsWith('xxx'));
    expect(cut).toHaveLength(LOG_LINE_CHARACTERS);
    expect(cut).toMatch(/x… \(1,048,576 characters, cut\)$/);
  });

  test('a megabyte on one line does not keep the run from its end', async () => {
    stage.assign({ title: '[script: long-line]' });
    expect(await stage.run()).toMatchObject({ outcome: 'finished' });
  });

  test('a printed token is in neither the log nor the conversation', async () => {
    stage.assign({ title: '[script: leak]' });
    await stage.run();
    expect(stage.platform.log().join('\n')).toContain('[redacted]');
    expect(stage.platform.log().join('\n') + stage.platform.conversation?.content).not.toContain('ghp_');
  });

  test.each([
    ['took the newest commit off', ['update-ref', 'refs/heads/codex/issue-7', 'main']],
    ['deleted', ['update-ref', '-d', 'refs/heads/codex/issue-7']],
  ])('T19: a branch that somebody %s meanwhile is left as it is', async (_what, change) => {
    await stage.pushByHand('codex/issue-7');
    const go = join(stage.directory, 'go');
    stage.assign({ title: '[script: wait]', body: `wait-for: ${go}` });
    const running = stage.run();
    await until(() => stage.platform.log().some((text) => text.startsWith('$ until')), 'the agent waits');
    await stage.git(...change);
    const theirs = await stage.git('for-each-ref', 'refs/heads/codex/issue-7');
    await writeFile(go, '');
    expect(await running).toMatchObject({ failure: 'push_rejected' });
    expect(await stage.git('for-each-ref', 'refs/heads/codex/issue-7')).toBe(theirs);
  });

  test('a branch that somebody else has pushed to is push_rejected, with the words of git', async () => {
    const go = join(stage.directory, 'go');
    stage.assign({ title: '[script: wait]', body: `wait-for: ${go}` });
    const running = stage.run();
    await until(() => stage.platform.log().some((text) => text.startsWith('$ until')), 'the agent waits');
    const theirs = await stage.pushByHand('codex/issue-7');
    await writeFile(go, '');
    expect(await running).toMatchObject({
      failure: 'push_rejected',
      detail: expect.stringContaining('[rejected]') as string,
    });
    expect(await stage.git('rev-parse', 'codex/issue-7')).toBe(theirs);
  });
});
