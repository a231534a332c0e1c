import { describe, expect, test } from 'vitest';
import type { Fact } from '../../../src/domain/issue/facts.ts';
import { decideRevise, resolveReviseStage } from '../../../src/domain/issue/revise.ts';
import type { IssueState } from '../../../src/domain/issue/state.ts';
import type { Stage } from '../../../src/domain/stages/stages.ts';
import { AT, fresh, OLIVIA, planned } from '../support/issues.ts';

describe('the stage that a review sends back', () => {
  test.each<[string, string[], string[], Stage | undefined, ReturnType<typeof resolveReviseStage>]>([
    [
      'is that of the label on the pull request',
      ['run:dev', 'bug'],
      ['run:qa'],
      'ops',
      { stage: 'dev', source: 'pr_labels' },
    ],
    [
      'is one, of a label and its revise',
      ['run:dev', 'run:dev:revise'],
      [],
      undefined,
      { stage: 'dev', source: 'pr_labels' },
    ],
    ['is a late one too', ['run:release'], [], 'dev', { stage: 'release', source: 'pr_labels' }],
    ['is else that of the label on the issue', ['bug'], ['RUN:qa'], 'dev', { stage: 'qa', source: 'issue_labels' }],
    ['is else that of the last run', ['bug'], ['run:debug'], 'dev', { stage: 'dev', source: 'last_run_context' }],
    [
      'is unclear with two on the pull request',
      ['run:dev', 'run:qa'],
      ['run:dev'],
      'dev',
      { problem: 'ambiguous', labels: ['run:dev:revise', 'run:qa:revise'] },
    ],
    [
      'is unclear with two on the issue',
      [],
      ['run:dev', 'run:qa'],
      'dev',
      { problem: 'ambiguous', labels: ['run:dev:revise', 'run:qa:revise'] },
    ],
    [
      'is unknown without any',
      [],
      [],
      undefined,
      { problem: 'not_resolved', labels: expect.arrayContaining(['run:dev:revise']) },
    ],
  ])('%s', (_what, onPullRequest, onIssue, last, resolved) => {
    const sources = { pullRequestLabels: onPullRequest, issueLabels: onIssue, lastStage: last, done: {} };
    expect(resolveReviseStage(sources)).toEqual(resolved);
  });
});

describe('a review that requests changes', () => {
  const review = (labels: string[]): Extract<Fact, { kind: 'changes_requested' }> => ({
    kind: 'changes_requested',
    delivery: 'd1',
    by: OLIVIA,
    at: AT,
    pullRequest: 8,
    pullRequestUrl: 'https://github.com/acme/demo/pull/8',
    branch: 'codex/issue-7',
    review: 99,
    labels,
    runId: 'run-1',
  });
  const last = { runId: 'run-0', stage: 'dev' as const, threadId: 't' };

  test('is a revise, named by the review', () => {
    expect(decideRevise(fresh(), review(['run:dev']))).toEqual({
      source: 'pr_labels',
      planned: planned({
        target: { stage: 'dev', kind: 'revise' },
        trigger: { kind: 'review', review: 99 },
        label: null,
      }),
    });
  });

  test('without a label goes on with the last run', () => {
    expect(decideRevise({ ...fresh(), last }, review([]))).toMatchObject({
      source: 'last_run_context',
      planned: { target: { stage: 'dev', kind: 'revise' } },
    });
  });

  test.each<[string, Partial<IssueState>, string[], string]>([
    ['on a closed issue', { closed: true }, ['run:dev'], 'issue_closed'],
    ['that was taken up before', { takenReviews: [98, 99] }, ['run:dev'], 'trigger_already_taken'],
    ['of nothing known', {}, [], 'pull_request_review_stage_not_resolved'],
    ['with two stages', {}, ['run:dev', 'run:qa'], 'pull_request_review_stage_ambiguous'],
    ['of a stage without a revise', {}, ['run:rethink'], 'pull_request_review_stage_not_resolved'],
  ])('%s is none', (_what, more, labels, reason) => {
    expect(decideRevise({ ...fresh(), ...more }, review(labels))).toMatchObject({ reason });
  });
});
