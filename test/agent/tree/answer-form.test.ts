/** F19: work is not thrown away over the form of the agent's answer. */
import { describe, expect, test } from 'vitest';
import { RUN_LIMIT_MS, setStage } from '../support/stage.ts';

function says(text: string, ...commands: string[]): { title: string; body: string } {
  const lines = [...commands.map((command) => `$ ${command}`), `says: ${text}`];
  return { title: 'As told [script: does]', body: lines.join('\n') };
}

const COMMITTED = ['echo code > code.js', 'git add --all && git commit --quiet -m Code', 'echo more > more.js'];

describe('F19: an agent', { timeout: RUN_LIMIT_MS }, () => {
  test('whose title has 119 characters is finished at once', async () => {
    await using stage = await setStage();
    stage.assign(
      says(JSON.stringify({ title: 'x'.repeat(119), summary: 'Done.', checks: [], answers: [] }), ...COMMITTED),
    );
    expect(await stage.run()).toMatchObject({ outcome: 'finished', answer: { title: `${'x'.repeat(99)}…` } });
    expect(stage.platform.log().join('\n')).not.toContain('asking once more');
  });

  test('that answers in prose twice fails, and its work is on the branch', async () => {
    await using stage = await setStage();
    stage.assign(says('All done.', ...COMMITTED));
    expect(await stage.run()).toMatchObject({
      failure: 'answer_invalid',
      detail: expect.stringMatching(/on the branch codex\/issue-7 \(2 commits\)/) as string,
    });
    expect(await stage.git('show', 'codex/issue-7:more.js')).toBe('more');
  });

  test('of the next run goes on from there', async () => {
    await using stage = await setStage();
    stage.assign(says('All done.', ...COMMITTED));
    await stage.run();
    stage.assign(says(JSON.stringify({ title: 'Done', summary: 'Done.' }), 'test -e more.js'));
    expect(await stage.run()).toMatchObject({
      outcome: 'finished',
      headSha: await stage.git('rev-parse', 'codex/issue-7'),
    });
  });

  test('whose turn fails has what it committed on the branch', async () => {
    await using stage = await setStage();
    const commands = COMMITTED.slice(0, 2).map((command) => `$ ${command}`);
    stage.assign({ title: 'As told [script: does]', body: [...commands, 'fails: Out of words.'].join('\n') });
    expect(await stage.run()).toMatchObject({
      failure: 'agent_failed',
      detail: expect.stringMatching(/Out of words[^]*on the branch codex\/issue-7 \(1 commit\)/) as string,
    });
    expect(await stage.git('show', 'codex/issue-7:code.js')).toBe('code');
  });
});
