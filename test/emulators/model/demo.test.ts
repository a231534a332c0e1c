import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Report } from '../../../src/agent/platform/protocol.ts';
import { DEMO_ISSUE, DEMO_REVIEW, demoRepositoryFiles } from '../../../src/emulators/demo-repository.ts';
import { revisePrompt, RUN_LIMIT_MS, setStage, workPrompt, type Stage } from '../../agent/support/stage.ts';

const ISSUE = { number: 7, ...DEMO_ISSUE };
const COMMENTS = DEMO_REVIEW.comments.map((comment, index) => ({ id: 100 + index, ...comment }));

describe('the demo, with the real agent', { timeout: RUN_LIMIT_MS }, () => {
  let stage: Stage;
  let work: Report;
  let changedLines: Map<string, number[]>;
  let revise: Report;

  beforeAll(async () => {
    stage = await setStage(Object.fromEntries(demoRepositoryFiles().map(({ path, content }) => [path, content])));
    stage.assign(ISSUE, { prompt: workPrompt(ISSUE) });
    work = await stage.run();
    changedLines = readChangedLines(await stage.git('diff', '--unified=0', 'main', 'codex/issue-7'));
    stage.assign(ISSUE, {
      kind: 'revise',
      prompt: revisePrompt(ISSUE, COMMENTS),
      resumeThreadId: work.threadId ?? null,
    });
    revise = await stage.run();
  }, RUN_LIMIT_MS);
  afterAll(() => stage[Symbol.asyncDispose]());

  test('the work changes the program, its tests and its README', () => {
    expect([...changedLines.keys()]).toEqual(['README.md', 'src/cli.js', 'src/report.js', 'test/cli.js']);
  });

  test('every check of the work was run, and passed', () => {
    expect(work).toMatchObject({ answer: { checks: [{ command: 'node --test', passed: true }, { passed: true }] } });
  });

  test.each(DEMO_REVIEW.comments)(
    'the review comments on a line that the work has changed: $path:$line',
    ({ path, line }) => {
      expect(changedLines.get(path)).toContain(line);
    },
  );

  test('every check of the revise was run, and passed', () => {
    expect(revise).toMatchObject({ answer: { checks: [{ command: 'node --test', passed: true }, { passed: true }] } });
  });

  test('each comment of the review gets an answer of its own', () => {
    const { answer } = revise as Extract<Report, { outcome: 'finished' }>;
    expect(answer.answers.map(({ comment_id }) => comment_id)).toEqual(COMMENTS.map(({ id }) => id));
    expect(new Set(answer.answers.map(({ answer: text }) => text)).size).toBe(COMMENTS.length);
  });

  test('the revised program rejects what the reviewer mistyped', async () => {
    expect(await stage.git('show', 'codex/issue-7:test/cli.js')).toContain('unknown option --jsno');
  });

  test('the log shows changed files as such', () => {
    expect(stage.platform.log()).toContain('update src/cli.js');
  });
});

/** The numbers of the added lines of each file, from a diff without context. */
function readChangedLines(diff: string): Map<string, number[]> {
  const changed = new Map<string, number[]>();
  let lines: number[] = [];
  for (const line of diff.split('\n')) {
    const path = /^\+\+\+ b\/(.*)$/.exec(line)?.[1];
    if (path !== undefined) changed.set(path, (lines = []));
    const hunk = /^@@ -\S+ \+(\d+)(?:,(\d+))? @@/.exec(line);
    if (hunk) lines.push(...Array.from({ length: Number(hunk[2] ?? 1) }, (_, index) => Number(hunk[1]) + index));
  }
  return changed;
}
