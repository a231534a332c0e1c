/** What people said reaches the agent: threads, reviews and conversations, by GitHub's clock. */
import { describe, expect, test } from 'vitest';
import type { GitHubReview, GitHubThread } from '../../../src/domain/agent/reviews.ts';
import {
  asksForSomething,
  takeSnapshot,
  type GitHubComment,
  type InputSnapshot,
  type SnapshotSources,
} from '../../../src/domain/agent/snapshot.ts';

const OLIVIA = { id: 7, login: 'olivia' };
const STRANGER = { id: 99, login: 'mallory' };
const PLACE = { path: 'a.js', line: 1, startLine: null, isRemoved: false, isOutdated: false };

const at = (second: number): string => new Date(Date.UTC(2026, 2, 1, 12, 0, second)).toISOString();

let ids = 100;
function comment(body: string, second: number, by = OLIVIA): GitHubComment {
  ids += 1;
  return { id: ids, by, body, at: at(second), editedAt: at(second) };
}
const review = (state: GitHubReview['state'], body: string, second: number, by = OLIVIA): GitHubReview => ({
  ...comment(body, second, by),
  state,
});
type Words = GitHubComment & { isOurs?: boolean; review?: number };
function thread(comments: readonly Words[], isResolved = false): GitHubThread {
  const said = comments.map((one) => ({ isOurs: false, review: null, ...one }));
  return { id: said[0]?.id ?? 0, place: PLACE, isResolved, comments: said };
}
const ours = (body: string, second: number): Words => ({ ...comment(body, second, OLIVIA), isOurs: true });

function taken(more: Partial<SnapshotSources>): InputSnapshot {
  return takeSnapshot({
    title: 'A wish',
    body: 'Please.',
    comments: [],
    pullRequestComments: [],
    reviews: [],
    threads: [],
    known: new Set([OLIVIA.id]),
    at: at(30),
    ...more,
  });
}
const bodies = (said: readonly { readonly body: string }[] = []): string[] => said.map(({ body }) => body);

describe('a thread', () => {
  test('that the platform has answered is not open', () => {
    expect(taken({ threads: [thread([comment('Why?', 1), ours('Because.', 2)])] }).openThreads).toEqual([]);
  });

  test('in which somebody replied to the answer is open again, and goes to the agent whole', () => {
    const [open] =
      taken({ threads: [thread([comment('Why?', 1), ours('Because.', 2), comment('No.', 3)])] }).openThreads ?? [];
    expect(bodies(open?.comments)).toEqual(['Why?', 'Because.', 'No.']);
  });

  test('of a person whose own token is the platform’s is open: words are the platform’s by their marker', () => {
    expect(taken({ threads: [thread([comment('Why?', 1)])] }).openThreads).toHaveLength(1);
  });

  test('that is resolved is not open, whoever spoke last', () => {
    expect(taken({ threads: [thread([comment('Why?', 1)], true)] }).openThreads).toEqual([]);
  });

  test('is not opened by a stranger, whose reply is counted', () => {
    const shown = taken({
      threads: [thread([comment('Why?', 1), ours('Because.', 2), comment('Push!', 3, STRANGER)])],
    });
    expect(shown).toMatchObject({ openThreads: [], leftOut: { outsiders: 1 } });
  });

  test('keeps where it is', () => {
    const place = { ...PLACE, startLine: 3, line: 7, isRemoved: true };
    expect(taken({ threads: [{ ...thread([comment('Why?', 1)]), place }] }).openThreads).toMatchObject([place]);
  });
});

describe('the review that asked', () => {
  const asking = review('changes_requested', 'Not yet.', 35);

  test('is there though GitHub’s clock is ahead of the platform’s', () => {
    expect(bodies(taken({ reviews: [asking], asked: asking.id }).reviews)).toEqual(['Not yet.']);
  });

  test('brings its comments, and what was said before it by GitHub’s clock', () => {
    const shown = taken({
      reviews: [asking],
      asked: asking.id,
      threads: [thread([{ ...comment('Name it.', 36), review: asking.id }])],
      pullRequestComments: [comment('And the tests?', 34), comment('Later.', 40)],
    });
    expect(shown.openThreads).toHaveLength(1);
    expect(bodies(shown.pullRequestComments)).toEqual(['And the tests?']);
  });

  test('is there though the same person reviewed again before the run began', () => {
    const again = review('changes_requested', 'Nor now.', 50);
    expect(bodies(taken({ reviews: [asking, again], asked: asking.id }).reviews)).toEqual(['Not yet.']);
  });

  test('is left out when its author edited a comment of it later', () => {
    const edited = { ...comment('Name it otherwise.', 34), review: asking.id, editedAt: at(59) };
    const shown = taken({ reviews: [asking], asked: asking.id, threads: [thread([edited])] });
    expect(shown).toMatchObject({ openThreads: [], leftOut: { edited: 1 } });
  });
});

describe('other reviews', () => {
  test('that only comment are there on a revise by label, until a run was shown them', () => {
    const reviews = [review('commented', 'Rename the option.', 1), review('commented', '', 2)];
    const first = taken({ reviews });
    expect(bodies(first.reviews)).toEqual(['Rename the option.']);
    expect(taken({ reviews, before: first }).reviews).toEqual([]);
  });

  test('that request changes stand until their author approves', () => {
    const reviews = [review('changes_requested', 'Old.', 1), review('changes_requested', 'New.', 2)];
    expect(bodies(taken({ reviews }).reviews)).toEqual(['New.']);
    expect(taken({ reviews: [...reviews, review('approved', '', 3)] }).reviews).toEqual([]);
  });
});

describe('a revise', () => {
  test('has nothing to do when nobody said anything since the last run', () => {
    const seen = { comments: [comment('As I said.', 1)], pullRequestComments: [comment('Fine.', 2)] };
    expect(asksForSomething(taken(seen), taken(seen))).toBe(false);
    expect(asksForSomething(taken({}), undefined)).toBe(false);
  });

  test.each<[string, Partial<SnapshotSources>]>([
    ['a comment in the pull request’s conversation', { pullRequestComments: [comment('And the tests?', 3)] }],
    ['a comment on the issue', { comments: [comment('And lines.', 3)] }],
    ['an edit of the issue', { body: 'Please, and soon.' }],
    ['an open thread', { threads: [thread([comment('Why?', 3)])] }],
    ['a review', { reviews: [review('changes_requested', 'Not yet.', 3)] }],
  ])('has something to do after %s', (_what, more) => {
    expect(asksForSomething(taken(more), taken({}))).toBe(true);
  });

  test('has nothing to do after a stranger’s comment', () => {
    expect(asksForSomething(taken({ pullRequestComments: [comment('Push!', 3, STRANGER)] }), taken({}))).toBe(false);
  });
});
