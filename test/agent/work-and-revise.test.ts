import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Report } from '../../src/agent/platform/protocol.ts';
import { revisePrompt, RUN_LIMIT_MS, setStage, type Stage } from './support/stage.ts';

const ISSUE = { number: 7, title: "Don't panic" };

describe('a work run and the revise that follows it in a new environment', { timeout: RUN_LIMIT_MS }, () => {
  let stage: Stage;
  let work: Report;
  let branchAfterWork: string;
  let logAfterWork: string[];
  let conversationAfterWork: { threadId: string; content: string } | undefined;
  let revise: Report;

  beforeAll(async () => {
    stage = await setStage();
    stage.assign(ISSUE);
    work = await stage.run();
    branchAfterWork = await stage.git('rev-parse', 'codex/issue-7');
    logAfterWork = stage.platform.log();
    conversationAfterWork = stage.platform.conversation;

    stage.platform.lines.clear();
    stage.assign(ISSUE, {
      kind: 'revise',
      prompt: revisePrompt(ISSUE, [{ id: 4711, path: 'notes/issue-7.md', line: 1, body: 'More detail, please' }]),
      resumeThreadId: threadOf(work),
    });
    stage.options.workspace = `${stage.directory}/another-workspace`;
    revise = await stage.run();
  }, RUN_LIMIT_MS);
  afterAll(() => stage[Symbol.asyncDispose]());

  test('the work is reported finished with the commit at the branch head', () => {
    expect(work).toMatchObject({
      outcome: 'finished',
      headSha: branchAfterWork,
      model: 'gpt-5.5',
      reasoningEffort: 'medium',
    });
  });

  test('the agent commits as the author of the assignment', async () => {
    const author = await stage.git('log', '-1', '--format=%an <%ae>', branchAfterWork);
    expect(author).toBe('codex-k8s <codex-k8s@example.com>');
  });

  test('the log tells the commands, what they printed and how they ended', () => {
    expect(logAfterWork).toEqual(
      expect.arrayContaining(['$ git log --oneline -5 && git ls-files | head -50', 'README.md', 'exit code 0']),
    );
  });

  test('the conversation is stored under its thread', () => {
    expect(conversationAfterWork).toMatchObject({
      threadId: threadOf(work),
      content: expect.stringContaining("Don't panic") as string,
    });
  });

  test('the revise goes on with the same conversation', () => {
    expect(threadOf(revise)).toBe(threadOf(work));
  });

  test('the model sees the earlier turn again', () => {
    expect(stage.platform.conversation?.content.match(/"role":"user".*?Issue: #7/g)?.length).toBeGreaterThan(1);
  });

  test('the revise adds to the same branch', async () => {
    const parents = await stage.git('log', '-1', '--format=%P', 'codex/issue-7');
    expect(parents).toBe(branchAfterWork);
  });

  test('every review comment is answered', () => {
    expect(revise).toMatchObject({ answer: { answers: [{ comment_id: 4711 }] } });
  });
});

function threadOf(report: Report): string {
  if (report.threadId === undefined) throw new Error('a report without its thread');
  return report.threadId;
}
