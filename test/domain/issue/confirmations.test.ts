import { describe, expect, test } from 'vitest';
import { whyLabelIsGone, whyReviewIsStale, withdrawalsIn } from '../../../src/domain/issue/confirmations.ts';
import type { GitHubIssueState, GitHubReviewState, LabeledEvent } from '../../../src/domain/issue/reads.ts';

const OLIVIA = { id: 11, login: 'olivia' };
const PETER = { id: 12, login: 'peter' };
const AT = '2026-11-21T10:00:00.000Z';

function github(labeled: readonly Partial<LabeledEvent>[], more: Partial<GitHubIssueState> = {}): GitHubIssueState {
  const events = labeled.map((event, index) => ({
    id: 100 + index,
    account: OLIVIA.id,
    at: AT,
    clearedByPlatform: false,
    takenOffBy: null,
    ...event,
  }));
  return { open: true, title: '', labels: ['run:dev'], labeled: events, ...more };
}

describe('T15: what was taken back', () => {
  test.each<[string, GitHubIssueState, number[], number[], number[]]>([
    ['is the click whose label that person took off', github([{ takenOffBy: OLIVIA }]), [100], [11], [100]],
    ['is nothing while the label stands', github([{}]), [100], [11], []],
    ['is nothing by somebody else', github([{ takenOffBy: PETER }]), [100], [11], []],
    ['is not the newer click', github([{ takenOffBy: OLIVIA }, {}]), [101], [11], []],
    [
      'is every click that was asked for',
      github([{ takenOffBy: OLIVIA }, { takenOffBy: PETER }]),
      [100, 101],
      [11, 12],
      [100, 101],
    ],
  ])('%s', (_what, record, events, people, found) => {
    expect(withdrawalsIn(record, events, people).map(({ event }) => event)).toEqual(found);
  });
});

describe('a run that waited under a label', () => {
  const run = { trigger: { kind: 'label', event: 100 }, label: 'run:dev' } as const;

  test.each<[string, GitHubIssueState, { actor: string; reason: string } | undefined]>([
    ['starts while the label stands', github([{}]), undefined],
    [
      'starts though the platform took the label off at the end of an earlier run',
      github([{ takenOffBy: { id: 1, login: 'bot' }, clearedByPlatform: true }], { labels: [] }),
      undefined,
    ],
    ['starts though GitHub does not list its click any more', github([], { labels: [' Run:Dev'] }), undefined],
    [
      'does not start when somebody took the label off',
      github([{ takenOffBy: PETER }], { labels: [] }),
      { actor: 'peter', reason: 'the label run:dev was removed' },
    ],
    [
      'does not start when the label that stands is of a newer click',
      github([{ takenOffBy: PETER }, {}]),
      { actor: 'peter', reason: 'the label run:dev was removed' },
    ],
    [
      'does not start when neither click nor label are there',
      github([], { labels: [] }),
      { actor: 'GitHub', reason: 'the label run:dev was removed' },
    ],
    [
      'does not start on a closed issue',
      github([{}], { open: false }),
      { actor: 'GitHub', reason: 'the issue is closed' },
    ],
  ])('%s', (_what, record, why) => {
    expect(whyLabelIsGone(run, record)).toEqual(why);
  });
});

describe('T19: a review', () => {
  const asks: GitHubReviewState = {
    pullRequestOpen: true,
    state: 'changes_requested',
    approvedSince: false,
    ofEarlierLife: false,
  };

  test.each<[string, Partial<GitHubReviewState>, string | undefined]>([
    ['that asks for changes counts', {}, undefined],
    ['of a closed pull request is stale', { pullRequestOpen: false }, 'pull_request_closed'],
    ['that is gone is stale', { state: null }, 'review_gone'],
    ['that was dismissed is stale', { state: 'dismissed' }, 'review_dismissed'],
    ['that only comments is stale', { state: 'commented' }, 'review_asks_for_nothing'],
    ['before the reopening is stale', { ofEarlierLife: true }, 'review_of_earlier_life'],
    ['before an approval is stale', { approvedSince: true }, 'review_superseded'],
  ])('%s', (_what, more, reason) => {
    expect(whyReviewIsStale({ ...asks, ...more })).toBe(reason);
  });
});
