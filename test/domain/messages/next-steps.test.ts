import { describe, expect, test } from 'vitest';
import type { Locale } from '../../../src/domain/locale.ts';
import { nextSteps, renderNextSteps, stagesAfter, type StepContext } from '../../../src/domain/messages/next-steps.ts';
import { RUN_STATUSES } from '../../../src/domain/run/runs.ts';
import { STAGES, stageRow, triggerOfLabel, type RunKind, type Stage } from '../../../src/domain/stages/stages.ts';

const RUN = '0f0f0f0f-0000-4000-8000-000000000002';
const PAGES = {
  run: `https://codex.example/runs/${RUN}`,
  issue: 'https://codex.example/issues/acme/demo/7',
  issueNumber: 7,
};
const LOCALES: Locale[] = ['en', 'ru'];

function run(stage: Stage, kind: RunKind, more: Partial<StepContext> = {}): StepContext {
  const pullRequest = { number: 8, url: 'https://github.com/acme/demo/pull/8' };
  return { runId: RUN, target: { stage, kind }, status: 'succeeded', byReview: false, pullRequest, ...more };
}

/** The steps as `step label`, or `step`. */
function told(context: StepContext): string[] {
  return nextSteps(context).map((step) => ('label' in step ? `${step.step} ${step.label}` : step.step));
}

/** What is possible after a stage's work has succeeded, written down stage by stage. */
const AFTER: Record<Stage, { revise: boolean; next: string[]; rethink: boolean }> = {
  intake: { revise: true, next: ['prd: feature', 'vision: new-service'], rethink: true },
  vision: { revise: true, next: ['prd: new-service'], rethink: true },
  prd: { revise: true, next: ['design: feature', 'arch: new-service'], rethink: true },
  arch: { revise: true, next: ['design: new-service'], rethink: true },
  design: { revise: true, next: ['plan: feature, new-service'], rethink: true },
  plan: { revise: true, next: ['dev: feature, new-service'], rethink: true },
  dev: { revise: true, next: ['qa: quick-fix, feature', 'doc-audit: new-service'], rethink: true },
  'doc-audit': { revise: true, next: ['qa: new-service'], rethink: true },
  qa: { revise: true, next: ['release: quick-fix, feature, new-service'], rethink: true },
  release: { revise: true, next: ['postdeploy: quick-fix, feature, new-service'], rethink: true },
  postdeploy: { revise: true, next: ['ops: quick-fix, feature, new-service'], rethink: true },
  ops: { revise: true, next: [], rethink: true },
  'self-improve': { revise: true, next: [], rethink: false },
  rethink: { revise: false, next: [], rethink: false },
  'ai-repair': { revise: false, next: [], rethink: false },
};

const STAGE_NAMES = STAGES.map(({ stage }) => stage);

describe.each(STAGE_NAMES)('after %s', (stage) => {
  const { revise, next, rethink } = AFTER[stage];

  test('come the stages of its profiles', () => {
    expect(stagesAfter(stage).map((one) => `${one.next}: ${one.profiles.join(', ')}`)).toEqual(next);
  });

  test.each(['work', 'revise'] as const)('a %s offers its own ways on, and no others', (kind) => {
    if (kind === 'revise' && !stageRow(stage).revisable) return;
    expect(told(run(stage, kind))).toEqual([
      'review',
      'have_reviewed need:reviewer',
      ...(revise ? [`revise run:${stage}:revise`] : []),
      ...next.map((one) => `go_on run:${one.split(':')[0]}`),
      ...(rethink ? ['rethink run:rethink'] : []),
    ]);
  });

  test.each<[string, Partial<StepContext>, string[]]>([
    ['waits', { status: 'queued' }, ['see_queue', `cancel_by_label run:${stage}`]],
    ['is prepared', { status: 'preparing' }, ['follow', `cancel_by_label run:${stage}`]],
    ['works', { status: 'working' }, ['follow', `cancel_by_label run:${stage}`]],
    ['is published', { status: 'publishing' }, ['follow']],
    ['has failed', { status: 'failed' }, ['see_why', `ask_again run:${stage}`]],
    ['was canceled', { status: 'canceled' }, ['see_end', `ask_again run:${stage}`]],
  ])('what a run that %s offers names its own label', (_what, more, steps) => {
    expect(told(run(stage, 'work', more))).toEqual(steps);
  });

  test.each<[string, Partial<StepContext>, string[]]>([
    ['waits', { status: 'queued' }, ['see_queue', 'cancel_by_command']],
    ['works', { status: 'working' }, ['follow', 'cancel_by_command']],
    ['has failed', { status: 'failed' }, ['see_why', 'ask_review_again']],
    ['was canceled', { status: 'canceled' }, ['see_end', 'ask_review_again']],
  ])('a run that a review asked for and that %s names no label', (_what, more, steps) => {
    expect(told(run(stage, 'revise', { ...more, byReview: true }))).toEqual(steps);
  });
});

describe('runs that leave no work', () => {
  test.each<[string, StepContext, string[]]>([
    ['a review', run('dev', 'review'), ['read_review', 'have_worked_in']],
    ['a review that works', run('dev', 'review', { status: 'working' }), ['follow', 'cancel_by_label need:reviewer']],
    [
      'a review that failed',
      run('dev', 'review', { status: 'failed' }),
      ['see_why', 'ask_again_on_pull_request need:reviewer'],
    ],
    ['a turn of a conversation', run('intake', 'discussion'), ['say_more', 'end_discussion mode:discussion']],
    [
      'a turn that works',
      run('intake', 'discussion', { status: 'working' }),
      ['follow', 'end_discussion mode:discussion'],
    ],
    ['a turn that failed', run('intake', 'discussion', { status: 'failed' }), ['see_why', 'say_more']],
  ])('%s', (_what, context, steps) => {
    expect(told(context)).toEqual(steps);
  });

  test('a rethink says with which label to go on', () => {
    expect(told(run('rethink', 'work', { backTo: 'design' }))).toContain('go_back run:design');
  });
});

const EVERY = LOCALES.flatMap((locale) =>
  STAGE_NAMES.flatMap((stage) =>
    RUN_STATUSES.flatMap((status) =>
      [false, true].map(
        (byReview) => ({ locale, stage, status, byReview, kind: byReview ? 'revise' : 'work' }) as const,
      ),
    ),
  ),
);

describe('the matrix', () => {
  test.each(EVERY)('$locale: $stage, $status, by review: $byReview', ({ locale, stage, kind, status, byReview }) => {
    const context = run(stage, kind, { status, byReview });
    const [title, , head, line, ...rows] = renderNextSteps(context, locale, PAGES).split('\n');
    expect(title).toMatch(/^\*\*\p{Lu}[\p{L} ]+\*\*$/u);
    expect(line).toBe('|---|---|');
    const steps = nextSteps(context);
    expect(rows).toHaveLength(steps.length);
    expect(new Set([head, ...rows]).size).toBe(rows.length + 1);
    for (const [index, row] of rows.entries()) {
      expect(row).toMatch(/^\| \p{Lu}[^|]+ \| [^|]+ \|$/u);
      expect(row).not.toMatch(/undefined|null|NaN|\[object/);
      if (locale === 'en') expect(row).not.toMatch(/\p{Script=Cyrillic}/u);
      else expect(row).toMatch(/\p{Script=Cyrillic}/u);
      const step = steps[index];
      const labels = [...row.matchAll(/`([\w-]+:[\w:-]+)`/g)].map(([, label]) => label);
      expect(labels).toEqual(step && 'label' in step ? [step.label] : []);
      // Trigger labels on a pull request start nothing.
      if (step && 'label' in step && triggerOfLabel(step.label)) expect(row).not.toContain('/pull/');
      // A5: labels are put on on GitHub.
      if (step && 'label' in step) expect(row).not.toContain(PAGES.issue);
      for (const [, url = ''] of row.matchAll(/\]\(([^)]+)\)/g))
        expect([PAGES.run, PAGES.issue, context.pullRequest?.url]).toContain(url);
    }
  });

  test.each(LOCALES)('in %s names the pull request, and speaks of it where its number is not known', (locale) => {
    expect(renderNextSteps(run('dev', 'work'), locale, PAGES)).toContain('[#8](https://github.com/acme/demo/pull/8)');
    expect(renderNextSteps(run('dev', 'work', { pullRequest: null }), locale, PAGES)).toContain('pull request');
  });

  test.each(LOCALES)('in %s says for which profiles a stage is next', (locale) => {
    expect(renderNextSteps(run('dev', 'work'), locale, PAGES)).toMatch(/\(quick-fix, feature\) \| .*`run:qa`/);
  });
});

describe('for a person whose own token the platform uses', () => {
  const own = { byOwnAccount: true } as const;

  test('“Request changes”, which GitHub does not let them, is not advised', () => {
    expect(told(run('dev', 'work', own)).slice(0, 2)).toEqual([
      'review_by_label run:dev:revise',
      'have_reviewed need:reviewer',
    ]);
    expect(told(run('dev', 'review', own))).toEqual(['read_review', 'have_worked_in_by_label']);
    expect(told(run('rethink', 'work', own))[0]).toBe('review');
  });

  test.each(LOCALES)('the advice in %s names what works', (locale) => {
    const text = renderNextSteps(run('dev', 'work', own), locale, PAGES);
    expect(text).toContain('`run:dev:revise`');
    expect(text).not.toContain('“Request changes” has the agent');
    expect(renderNextSteps(run('dev', 'review', own), locale, PAGES)).toContain('`:revise`');
  });
});
