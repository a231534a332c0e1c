import { describe, expect, test } from 'vitest';
import {
  whyLabelIsGone,
  whyReviewIsStale,
  withdrawalsIn,
  type ReviewTruth,
} from '../../../src/domain/issue/confirmations.ts';
import type { LabeledEvent, LabelTruth } from '../../../src/domain/issue/issue-life.ts';

const OLIVIA = { id: 11, login: 'olivia' };
const PETER = { id: 12, login: 'peter' };
const AT = '2026-11-21T10:00:00.000Z';

function truth(labeled: readonly Partial<LabeledEvent>[], more: Partial<LabelTruth> = {}): LabelTruth {
  const events = labeled.map((event, index) => ({
    id: 100 + index,
    by: OLIVIA.id,
    at: AT,
    clearedByPlatform: false,
    takenOffBy: null,
    ...event,
  }));
  return { open: true, title: '', labels: ['run:dev'], labeled: events, ...more };
}

describe('T15: what was taken back', () => {
  test.each<[string, LabelTruth, string[], number[], string[]]>([
    [
      'is the click whose label that person took off',
      truth([{ takenOffBy: OLIVIA }]),
      ['label:100'],
      [11],
      ['label:100'],
    ],
    ['is nothing while the label stands', truth([{}]), ['label:100'], [11], []],
    ['is nothing by somebody else', truth([{ takenOffBy: PETER }]), ['label:100'], [11], []],
    ['is not the newer click', truth([{ takenOffBy: OLIVIA }, {}]), ['label:101'], [11], []],
    [
      'is every click that was asked for',
      truth([{ takenOffBy: OLIVIA }, { takenOffBy: PETER }]),
      ['label:100', 'label:101'],
      [11, 12],
      ['label:100', 'label:101'],
    ],
    ['is never a review', truth([{ takenOffBy: OLIVIA }]), ['review:100'], [11], []],
  ])('%s', (_what, record, triggers, people, found) => {
    expect(withdrawalsIn(record, triggers, people).map(({ trigger }) => trigger)).toEqual(found);
  });
});

describe('a run that waited under a label', () => {
  const run = { trigger: 'label:100', label: 'run:dev' };

  test.each<[string, LabelTruth, { by: string; reason: string } | undefined]>([
    ['starts while the label stands', truth([{}]), undefined],
    [
      'starts though the platform took the label off at the end of an earlier run',
      truth([{ takenOffBy: { id: 1, login: 'bot' }, clearedByPlatform: true }], { labels: [] }),
      undefined,
    ],
    ['starts though GitHub does not list its click any more', truth([], { labels: [' Run:Dev'] }), undefined],
    [
      'does not start when somebody took the label off',
      truth([{ takenOffBy: PETER }], { labels: [] }),
      { by: 'peter', reason: 'the label run:dev was removed' },
    ],
    [
      'does not start when the label that stands is of a newer click',
      truth([{ takenOffBy: PETER }, {}]),
      { by: 'peter', reason: 'the label run:dev was removed' },
    ],
    [
      'does not start when neither click nor label are there',
      truth([], { labels: [] }),
      { by: 'GitHub', reason: 'the label run:dev was removed' },
    ],
    ['does not start on a closed issue', truth([{}], { open: false }), { by: 'GitHub', reason: 'the issue is closed' }],
  ])('%s', (_what, record, why) => {
    expect(whyLabelIsGone(run, record)).toEqual(why);
  });
});

describe('T19: a review', () => {
  const asks: ReviewTruth = {
    pullRequestOpen: true,
    state: 'changes_requested',
    approvedSince: false,
    ofEarlierLife: false,
  };

  test.each<[string, Partial<ReviewTruth>, string | undefined]>([
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
