import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Report } from '../../src/agent/platform/protocol.ts';
import { RUN_LIMIT_MS, setStage, type Stage } from './support/stage.ts';

const ISSUE = { title: 'Count words [script: asks]' };

/** As the platform writes it (src/domain/agent/going-on.ts). */
const ANSWERED = 'Your question was answered.\n\nQuestion:\n> Which format?\n\nAnswer:\n> CSV\n\nGo on.';

describe('an agent that asks, and goes on with the answer in a new environment', { timeout: RUN_LIMIT_MS }, () => {
  let stage: Stage;
  let asked: Report;
  let branchWhenAsked: string;
  let finished: Report;

  beforeAll(async () => {
    stage = await setStage();
    stage.assign(ISSUE);
    asked = await stage.run();
    branchWhenAsked = await stage.git('rev-parse', 'codex/issue-7');
    stage.assign(ISSUE, { prompt: ANSWERED, resumeThreadId: asked.threadId ?? null, interrupted: true });
    stage.options.workspace = `${stage.directory}/another-workspace`;
    finished = await stage.run();
  }, RUN_LIMIT_MS);
  afterAll(() => stage[Symbol.asyncDispose]());

  test('reports the question with its options', () => {
    expect(asked).toMatchObject({
      outcome: 'asked',
      question: { text: expect.stringContaining('format') as string, options: ['JSON', 'CSV', 'Plain text'] },
    });
  });

  test('has pushed what it committed', async () => {
    expect(asked).toMatchObject({ headSha: branchWhenAsked });
    expect(await stage.git('show', `${branchWhenAsked}:reports/issue-7.md`)).toBe('# Count words [script: asks]');
  });

  test('goes on with the same conversation', () => {
    expect(finished).toMatchObject({ outcome: 'finished', threadId: asked.threadId });
  });

  test('does what the answer says, on top of what it had pushed', async () => {
    expect(await stage.git('show', 'codex/issue-7:reports/issue-7.md')).toContain('Answer: CSV');
    expect(await stage.git('log', '-1', '--format=%P', 'codex/issue-7')).toBe(branchWhenAsked);
  });
});

describe('what an agent has not committed when it asks', { timeout: RUN_LIMIT_MS }, () => {
  const FREELY = { title: 'Count words [script: asks-freely]' };
  let stage: Stage;
  let asked: Report;

  beforeAll(async () => {
    stage = await setStage();
    stage.assign(FREELY);
    asked = await stage.run();
  }, RUN_LIMIT_MS);
  afterAll(() => stage[Symbol.asyncDispose]());

  test('is not pushed', async () => {
    expect(asked).toMatchObject({ outcome: 'asked', headSha: null, question: { options: [] } });
    expect(await stage.git('for-each-ref', '--format=%(refname:short)')).toBe('main');
  });

  test('is spoken of in the log', () => {
    expect(stage.platform.log()).toContain('1 path is not committed: it stays in this workspace and is lost with it');
  });

  test('is found by the agent that goes on in the same workspace', async () => {
    stage.assign(FREELY, { prompt: ANSWERED, resumeThreadId: asked.threadId ?? null, interrupted: true });
    expect(await stage.run()).toMatchObject({ outcome: 'finished', threadId: asked.threadId });
    expect(await stage.git('show', 'codex/issue-7:reports/issue-7.md')).toBe(`# ${FREELY.title}\n\nAnswer: CSV`);
  });
});

test('what a revise had pushed before it asked counts as its work', { timeout: RUN_LIMIT_MS }, async () => {
  await using stage = await setStage();
  const before = await stage.git('rev-parse', 'main');
  const pushed = await stage.pushByHand('codex/issue-7');
  stage.assign({ title: 'Count words [script: nothing]' }, { kind: 'revise', since: before, interrupted: true });
  expect(await stage.run()).toMatchObject({ outcome: 'finished', headSha: pushed });
});

test('a discussion does not wait: its questions belong into the comment', { timeout: RUN_LIMIT_MS }, async () => {
  await using stage = await setStage();
  stage.assign(ISSUE, { kind: 'discussion' });
  expect(await stage.run()).toMatchObject({ outcome: 'failed', failure: 'answer_invalid' });
});
