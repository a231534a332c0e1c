import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { outgoing, outgoingTitle } from '../../../src/adapters/github/outgoing.ts';
import { answerMarker, renderPullRequest } from '../../../src/domain/messages/pull-request.ts';
import type { AgentAnswer } from '../../../src/domain/run/runs.ts';

const ANSWER: AgentAnswer = {
  title: 'Count words',
  summary: 'Words are counted.',
  checks: [
    { command: 'npm test', passed: true },
    { command: 'npm run lint', passed: false },
  ],
  answers: [],
};

function render(answer: Partial<AgentAnswer> = {}, locale: 'en' | 'ru' = 'en'): { title: string; body: string } {
  const { title, body } = renderPullRequest(
    {
      issueNumber: 7,
      target: { stage: 'dev', kind: 'work' },
      closes: true,
      requestedBy: 'olivia',
      runUrl: 'https://codex.example/runs/1',
      answer: { ...ANSWER, ...answer },
    },
    locale,
  );
  return { title: outgoingTitle(title), body: outgoing(body) };
}

describe('the pull request', () => {
  test("has the agent's title on one line", () => {
    expect(render({ title: ' Count\n\nwords ' }).title).toBe('Count words');
  });

  test('has a title that GitHub accepts, whatever the agent says', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', minLength: 1, maxLength: 300 }), (title) => {
        fc.pre(title.isWellFormed() && title.trim() !== '');
        const shown = render({ title }).title;
        expect(shown).toMatch(/^[^\r\n]{1,256}$/);
        expect(shown.isWellFormed()).toBe(true);
      }),
    );
  });

  test("begins with the agent's summary", () => {
    expect(render().body.startsWith('Words are counted.\n\n')).toBe(true);
  });

  test.each(['en', 'ru'] as const)('closes its issue, in %s', (locale) => {
    expect(render({}, locale).body.split('\n')).toContain('Closes #7');
  });

  test('closes its issue though the summary leaves a block of code open', () => {
    const { body } = render({ summary: 'Use it so:\n\n```js\ncount()' });
    const before = body.slice(0, body.indexOf('Closes #7'));
    expect(before.match(/^```/gm)?.length ?? 0).toSatisfy((fences: number) => fences % 2 === 0);
  });

  test.each(['en', 'ru'] as const)('says how each check ended, in %s', (locale) => {
    const [passed, failed] = render({}, locale)
      .body.split('\n')
      .filter((line) => line.startsWith('- `npm'));
    expect(passed).toMatch(/^- `npm test`: \p{L}+$/u);
    expect(failed).toMatch(/^- `npm run lint`: [\p{L} ]+$/u);
    expect(passed?.split(': ')[1]).not.toBe(failed?.split(': ')[1]);
  });

  test('has no list of checks where none was run', () => {
    expect(render({ checks: [] }).body).not.toContain('Checks');
  });

  test.each(['`rm -rf`\n# Big', '``` x', '$(a)\r\nb'])('keeps the command %j in its place', (command) => {
    expect(render({ checks: [{ command, passed: true }] }).body).toMatch(/\n- `[^`\r\n]+`: passed\n/);
  });

  test('names who asked, with which label, and where the run is seen', () => {
    expect(render().body).toMatch(/`run:dev`.*@olivia.*\(https:\/\/codex\.example\/runs\/1\)/);
  });
});

test('an answer to a review comment is found again by run and comment', () => {
  const markers = [answerMarker('r1', 'c1'), answerMarker('r1', 'c2'), answerMarker('r2', 'c1')];
  expect(new Set(markers).size).toBe(3);
  for (const marker of markers) expect(marker).toMatch(/^<!-- \S.* -->$/);
});
