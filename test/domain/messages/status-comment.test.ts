import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { outgoing } from '../../../src/adapters/github/outgoing.ts';
import type { Locale } from '../../../src/domain/locale.ts';
import { FAILURES, isTerminal, RUN_STATUSES, type RunStatus } from '../../../src/domain/run/runs.ts';
import { withLatestOutput } from '../../../src/domain/messages/latest-output.ts';
import {
  newRunProgress,
  pagesOf,
  renderStatusComment,
  statusMarker,
  withStep,
  type RunProgress,
} from '../../../src/domain/messages/status-comment.ts';

/** The comment as it stands on GitHub. */
const shownComment = (...of: Parameters<typeof renderStatusComment>): string => outgoing(renderStatusComment(...of));

const RUN = '0f0f0f0f-0000-4000-8000-000000000002';
const PAGE = `https://codex.example/runs/${RUN}`;
const PAGES = pagesOf('https://codex.example', { repositoryId: 1, owner: 'acme', name: 'demo', number: 7 }, RUN);
const LOCALES: Locale[] = ['en', 'ru'];
const OF_ALL = LOCALES.flatMap((locale) => RUN_STATUSES.map((status): [Locale, RunStatus] => [locale, status]));

function progress(status: RunStatus, more: Partial<RunProgress> = {}): RunProgress {
  const asked = newRunProgress(
    {
      runId: RUN,
      target: { stage: 'dev', kind: 'work' },
      trigger: { kind: 'label', event: 1 },
      by: { login: 'olivia' },
      requestedAt: '2026-11-21T10:00:00.000Z',
    },
    { branch: 'codex/issue-7', model: 'gpt-5.5', reasoningEffort: 'medium', pullRequest: null },
  );
  return { ...withStep(asked, status, '2026-11-21T10:05:00.000Z'), ...more };
}

function failed(detail: string): RunProgress {
  return progress('failed', { failure: { reason: 'agent_failed', detail } });
}

/** The line under the title. */
function headline(text: string): string {
  return text.split('\n\n')[2] ?? '';
}

describe('the status comment', () => {
  test.each(OF_ALL)('in %s begins with its marker when the run is %s', (locale, status) => {
    expect(shownComment(progress(status), locale, PAGES).startsWith(`${statusMarker(RUN)}\n`)).toBe(true);
  });

  test.each(OF_ALL)('in %s says in a sentence that the run is %s, with a link', (locale, status) => {
    expect(headline(shownComment(progress(status), locale, PAGES))).toMatch(
      new RegExp(String.raw`^\p{Lu}[\p{L}\s;,'-]+\. \[\p{L}+\]\(${PAGE}\)$`, 'u'),
    );
  });

  test.each(LOCALES)('in %s says why the documents of the project were left out', (locale) => {
    const text = shownComment(progress('working', { documentsProblem: 'is no YAML: @olivia' }), locale, PAGES);
    expect(text).toContain('`services.yaml` is no YAML');
    expect(text).not.toContain(' @olivia');
  });

  test.each(LOCALES)('T63: in %s says how much was hidden in what people wrote', (locale) => {
    expect(shownComment(progress('working', { hidden: 21 }), locale, PAGES)).toMatch(/⚠️ .*21/);
  });

  test.each(LOCALES)('in %s says until when a question waits, what is asked and how to answer', (locale) => {
    const waiting = progress('waiting', {
      wait: {
        kind: 'question',
        request: `${RUN}.1`,
        for: 'x',
        since: '2026-11-21T10:05:00Z',
        until: '2026-11-28T10:05:00Z',
      },
      question: { question: 'Which **format**, @olivia?', options: ['JSON', 'CSV'] },
    });
    const text = shownComment(waiting, locale, PAGES);
    expect(headline(text)).toContain('2026-11-28 10:05 UTC');
    expect(text).toContain('1. JSON\n2. CSV');
    expect(text).not.toContain(' @olivia');
    expect(text).toContain(`codex-k8s runs answer ${RUN} TEXT`);
  });

  test.each(LOCALES)('in %s says until when a paused run waits, and how to resume it', (locale) => {
    const wait = {
      kind: 'paused',
      request: null,
      for: 'x',
      since: '2026-11-21T10:05:00Z',
      until: '2026-11-28T10:05:00Z',
    } as const;
    const text = shownComment(progress('waiting', { wait }), locale, PAGES);
    expect(headline(text)).toContain('2026-11-28 10:05 UTC');
    expect(text).toContain(`codex-k8s runs resume ${RUN}`);
  });

  test.each(LOCALES)('in %s shows no question once the run continues', (locale) => {
    const on = progress('working', { question: { question: 'Which format?', options: ['JSON', 'CSV'] } });
    expect(shownComment(on, locale, PAGES)).not.toContain('JSON');
  });

  test.each(OF_ALL)('in %s has no placeholder left when the run is %s', (locale, status) => {
    expect(shownComment(progress(status), locale, PAGES)).not.toMatch(/undefined|null|NaN|\{\w+\}|\[object/);
  });

  test.each(OF_ALL)('in %s shows in its timeline that the run is %s', (locale, status) => {
    const steps = shownComment(progress(status), locale, PAGES)
      .split('\n')
      .filter((line) => line.startsWith('- '));
    expect(steps).toHaveLength(status === 'queued' ? 1 : 2);
    for (const step of steps) expect(step).toMatch(/^- [✅⏳❌🚫] \p{Lu}[\p{L} ]+ · 2026-11-21 10:0[05]:00 UTC$/u);
  });

  test.each(LOCALES.flatMap((locale) => FAILURES.map((failure) => [locale, failure] as const)))(
    'in %s has a sentence of its own for %s',
    (locale, failure) => {
      const text = (reason: (typeof FAILURES)[number]): string =>
        shownComment(progress('failed', { failure: { reason, detail: '' } }), locale, PAGES).split('\n\n')[3] ?? '';
      expect(text(failure)).toMatch(/^\p{Lu}.+\.$/u);
      expect(FAILURES.filter((other) => text(other) === text(failure))).toEqual([failure]);
    },
  );

  test.each(RUN_STATUSES)('is in two languages when the run is %s', (status) => {
    const [english, russian] = LOCALES.map((locale) => shownComment(progress(status), locale, PAGES));
    expect(english).not.toMatch(/\p{Script=Cyrillic}/u);
    expect(russian).toMatch(/\p{Script=Cyrillic}/u);
  });

  test.each(LOCALES)('in %s names the queue position of a queued run', (locale) => {
    expect(headline(shownComment(progress('queued', { queuePosition: 3 }), locale, PAGES))).toMatch(/\b3\b/);
  });

  test.each(LOCALES)('in %s names the pull request of finished work', (locale) => {
    const pullRequest = { number: 8, url: 'https://github.com/acme/demo/pull/8' };
    expect(headline(shownComment(progress('succeeded', { pullRequest }), locale, PAGES))).toMatch(/#8\b/);
  });

  test.each(LOCALES)('in %s says who ended a run, and why', (locale) => {
    const text = shownComment(
      progress('canceled', { canceled: { actor: 'olivia', reason: 'wrong issue' } }),
      locale,
      PAGES,
    );
    expect(headline(text)).toMatch(/olivia.*wrong issue/);
  });

  test.each<[string, RegExp, Partial<RunProgress>]>([
    ['the run', new RegExp(RUN), {}],
    ['who asked', /\| olivia \|/, {}],
    ['the branch', /`codex\/issue-7`/, {}],
    ['the model and its effort', /gpt-5\.5 \(medium\)/, {}],
    ['the workspace', /`codex-demo-r42-i7`/, { workspace: 'codex-demo-r42-i7' }],
    ['how long the workspace is kept', /2026-11-22 10:00 UTC/, { workspaceUntil: '2026-11-22T10:00:00.000Z' }],
    ['the pull request', /\| #8 \|/, { pullRequest: { number: 8, url: '' } }],
  ])('names %s when it is known', (_what, shown, more) => {
    expect(shownComment(progress('working', more), 'en', PAGES)).toMatch(shown);
  });

  test('leaves out what is not known', () => {
    const text = shownComment(progress('working', { model: null }), 'en', PAGES);
    expect(text).not.toMatch(/Workspace|Model|Pull request/);
  });

  test('A5: of a run that failed before it had a workspace does not say until when that is kept', () => {
    const kept = { workspace: 'codex-demo-r42-i7', workspaceUntil: '2026-11-22T10:00:00.000Z' };
    expect(renderStatusComment({ ...failed('no room'), ...kept }, 'en', PAGES)).not.toMatch(/Workspace/);
    const worked = { ...progress('working', kept), status: 'failed' as const };
    expect(renderStatusComment(worked, 'en', PAGES)).toMatch(/Workspace kept until/);
  });

  test('ends in the next steps', () => {
    const next = shownComment(failed(''), 'en', PAGES).split('\n\n').slice(-2).join('\n');
    expect(next).toMatch(/^\*\*Next steps\*\*\n\| .+/);
    expect(next).toContain('`run:dev`');
  });

  test('has no next steps when somebody has merged the work', () => {
    const pullRequest = { number: 8, url: 'https://github.com/acme/demo/pull/8' };
    const text = shownComment(progress('succeeded', { pullRequest, mergedBy: 'olivia' }), 'en', PAGES);
    expect(text).not.toContain('Next steps');
  });

  test.each<[RunStatus, boolean]>([
    ['queued', false],
    ['preparing', false],
    ['working', true],
    ['publishing', true],
    ['succeeded', false],
    ['failed', true],
    ['canceled', false],
  ])('has a marker for the output of the agent when the run is %s: %s', (status, has) => {
    const text = withLatestOutput(shownComment(progress(status), 'en', PAGES), [{ at: new Date(0), text: 'Hm.' }]);
    expect(text.includes('Hm.')).toBe(has);
  });

  test('points to the pages of the run and of the issue', () => {
    expect(PAGES).toMatchObject({ run: PAGE, issue: 'https://codex.example/issues/acme/demo/7' });
  });

  test('shows the reason of a cancel in one line that mentions nobody', () => {
    const canceled = { actor: 'olivia', reason: 'no\n\n# Big @olivia' };
    expect(headline(shownComment(progress('canceled', { canceled }), 'en', PAGES))).toMatch(
      /: no # Big @\u200Bolivia\. \[/,
    );
  });

  test('shows the summary of finished work only', () => {
    expect(shownComment(progress('succeeded', { summary: 'Words are counted.' }), 'en', PAGES)).toContain(
      'Words are counted.',
    );
    expect(shownComment(progress('working', { summary: 'Words are counted.' }), 'en', PAGES)).not.toContain(
      'Words are',
    );
  });
});

describe('the detail of a failure', () => {
  /** What a reader of Markdown takes for the detail: from the first fence to the line that closes it. */
  function fenced(text: string): { inside: string; after: string } {
    const [, fence = '', rest = ''] = /\n(`{3,})text\n([\s\S]*)$/.exec(text) ?? [];
    const lines = rest.split(/\r\n|\r|\n/);
    const end = lines.findIndex((line) => new RegExp(`^ {0,3}\`{${fence.length},}[ \t]*$`).test(line));
    return { inside: lines.slice(0, end).join('\n'), after: lines.slice(end + 1).join('\n') };
  }

  test.each([
    'plain',
    '```\n# Big\n```',
    '````\n@everyone',
    '```text\n```\n```',
    '   ```\nout',
    '~~~\nout',
    '</details><!-- codex-k8s:run-status other -->',
    'a\r```\rb',
    `${'`'.repeat(50)}\nout`,
  ])('%j cannot break out of its fence', (detail) => {
    const { inside, after } = fenced(shownComment(failed(detail), 'en', PAGES));
    expect(inside).toBe(detail.replaceAll('\r', '\n'));
    expect(after).toMatch(/^\n\*\*Timeline\*\*/);
  });

  test('cannot break out of its fence, whatever it holds', () => {
    const piece = fc.oneof(
      fc.string(),
      fc.constantFrom('`', '```', '````', '\n', '\r', '\r\n', '~~~', '   ', '<!--', '-->'),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 20 }), (pieces) => {
        fc.pre(pieces.join('').trim() !== '');
        expect(fenced(shownComment(failed(pieces.join('')), 'en', PAGES)).after).toMatch(/^\n\*\*Timeline\*\*/);
      }),
    );
  });

  test('cannot break out of its fence where it is cut', () => {
    const detail = `${'x'.repeat(1490)}${'`'.repeat(40)}\nout`;
    expect(fenced(shownComment(failed(detail), 'en', PAGES)).after).toMatch(/^\n\*\*Timeline\*\*/);
  });

  test('is cut where it is long', () => {
    expect(shownComment(failed('x'.repeat(100_000)), 'en', PAGES).length).toBeLessThan(4000);
  });

  test('is text that GitHub can hold, wherever it is cut', () => {
    for (const before of [1498, 1499, 1500])
      expect(shownComment(failed(`${'x'.repeat(before)}😀😀`), 'en', PAGES).isWellFormed()).toBe(true);
  });

  test('is left out where there is none', () => {
    expect(shownComment(failed(' \n'), 'en', PAGES)).not.toContain('```');
  });
});

describe('the progress of a run', () => {
  test('enters a step once', () => {
    const once = withStep(progress('queued'), 'preparing', '2026-11-21T10:01:00.000Z');
    expect(withStep(once, 'preparing', '2026-11-21T10:02:00.000Z')).toEqual(once);
  });

  test('keeps its steps in their order', () => {
    const steps = (['preparing', 'working', 'publishing', 'succeeded'] as const).reduce(
      (told, step) => withStep(told, step, '2026-11-21T10:01:00.000Z'),
      progress('queued'),
    );
    expect(steps.timeline.map(({ step }) => step)).toEqual([
      'queued',
      'preparing',
      'working',
      'publishing',
      'succeeded',
    ]);
  });

  test('ends in three ways', () => {
    expect(RUN_STATUSES.filter(isTerminal)).toEqual(['succeeded', 'failed', 'canceled']);
  });
});
