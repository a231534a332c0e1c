/** Reviews, and the pull request that they are of. */
import { beforeEach, describe, expect, test } from 'vitest';
import { createScene, DEV, work, type Scene } from '../support/scene.ts';

let scene: Scene;
beforeEach(() => {
  scene = createScene();
});

const starts = (): string[] => scene.started().map(({ runId }) => runId);

describe('a review that asks for changes', () => {
  beforeEach(() => scene.does('dev'));

  test('is a revise, which goes on with the same conversation and pull request', () => {
    scene.tell(scene.reviewed(900));
    expect(scene.all('start_run').at(-1)?.start).toMatchObject({
      plan: { runId: 'run-900', target: { stage: 'dev', kind: 'revise' } },
      resume: { runId: 'run-100', threadId: 'thread-1' },
      pullRequest: { number: 13 },
    });
    expect(scene.events('run.revise.stage_resolved')).toHaveLength(1);
  });

  test('is one revise, of however many deliveries', () => {
    scene.tell(scene.reviewed(900), scene.reviewed(900));
    expect([starts(), scene.state().queue]).toEqual([['run-100', 'run-900'], []]);
  });

  test.each([
    ['was dismissed', { state: 'dismissed' }, 'review_dismissed'],
    ['is gone', { state: null }, 'review_gone'],
    ['was followed by an approval', { approvedSince: true }, 'review_superseded'],
    ['is of a pull request that is closed', { pullRequestOpen: false }, 'pull_request_closed'],
    ['is from before the issue was reopened', { ofEarlierLife: true }, 'review_of_earlier_life'],
  ])('T19: and %s is recorded as stale, and starts nothing', (_what, review, reason) => {
    scene.github.reviews.set(900, review);
    scene.tell(scene.reviewed(900));
    expect(scene.events('review.stale').map(({ payload }) => payload['reason'])).toEqual([reason]);
    expect(starts()).toEqual(['run-100']);
  });

  test('T19: on an old commit is recorded as stale, and explained to the reviewer on the pull request', () => {
    scene.tell(scene.reviewed(900, { outdated: true }));
    expect(scene.events('review.stale')).toHaveLength(1);
    expect(scene.all('write_refusal')).toMatchObject([
      { issue: { number: 13 }, refusal: { reason: 'review_outdated', actor: 'olivia' } },
    ]);
  });

  test('on a blocked issue starts nothing, and says so', () => {
    scene.github.labels = ['state:blocked'];
    scene.tell(scene.reviewed(900));
    expect(scene.refusals()).toMatchObject([{ reason: 'state_blocked' }]);
  });

  test('T19: does not start out of the queue when it was dismissed and no webhook reported it', () => {
    scene.tell(scene.reviewed(900), scene.reviewed(901));
    scene.github.reviews.set(901, { state: 'dismissed' });
    scene.ends();
    expect(starts()).toEqual(['run-100', 'run-900']);
    expect(scene.shownEnds()).toEqual([
      'run-901 by GitHub: the review does not ask for changes any more (review_dismissed)',
    ]);
  });
});

test('T19: a review that does not count any more is explained to nobody, though it would be refused for another reason', () => {
  scene.github.reviews.set(900, { ofEarlierLife: true });
  scene.tell(scene.reviewed(900));
  expect([scene.refusals(), scene.events('review.stale').length]).toEqual([[], 1]);
});

test('a review of nobody knows which stage leaves a question, and the labels to choose from', () => {
  scene.tell(scene.reviewed(900));
  expect(scene.refusals()).toMatchObject([
    {
      reason: 'pull_request_review_stage_not_resolved',
      labels: expect.arrayContaining(['run:dev:revise', 'run:qa:revise']),
    },
  ]);
  expect(scene.github.labels).toContain('need:input');
});

test('a review goes back to the stage that did the work, when no label says otherwise', () => {
  scene.does('intake');
  scene.tell(scene.reviewed(900));
  expect(scene.state().active?.target).toEqual({ stage: 'intake', kind: 'revise' });
});

describe('a review by somebody known who may not start runs', () => {
  const refused = (review: number) =>
    scene.delivered({
      kind: 'review_refused',
      pullRequest: 13,
      review,
      reason: 'sender_role_read_not_permitted',
    });

  test('starts nothing, and is explained where it was given', () => {
    scene.tell(refused(900));
    expect(scene.all('write_refusal')).toMatchObject([
      { issue: { number: 13 }, refusal: { reason: 'sender_role_read_not_permitted', subject: 'review-900' } },
    ]);
    expect(scene.events('run.not_started')).toHaveLength(1);
  });

  test('is explained once, however often GitHub delivers it', () => {
    scene.tell(refused(900), refused(900), refused(901));
    expect(scene.refusals().map(({ subject }) => subject)).toEqual(['review-900', 'review-901']);
  });
});

describe('T18: the pull request while a revise works', () => {
  beforeEach(() => {
    scene.does('dev');
    scene.tell(scene.reviewed(900));
  });

  test('T18: closed without a merge cancels it, and says why', () => {
    scene.github.pullRequest = { open: false, merged: false };
    scene.tell(scene.pullRequestClosed(false));
    expect(scene.canceled()).toEqual(['run-900 by olivia: pull request #13 was closed']);
  });

  test('T18: cancels nothing when an old close is replayed and it is open', () => {
    scene.tell(scene.pullRequestClosed(false));
    expect([scene.canceled(), scene.events('pull_request.close_stale').length]).toEqual([[], 1]);
    expect(scene.state().pullRequest?.number).toBe(13);
  });

  test('T18: closed without a merge takes those along that wait to revise it', () => {
    scene.tell(scene.reviewed(901));
    scene.github.pullRequest = { open: false, merged: false };
    scene.tell(scene.pullRequestClosed(false));
    expect([scene.shownEnds(), scene.canceled()]).toEqual([
      ['run-901 by olivia: pull request #13 was closed'],
      ['run-900 by olivia: pull request #13 was closed'],
    ]);
  });

  test('T18: merged gives the run what it was for, and nothing is put into review', () => {
    scene.github.pullRequest = { open: false, merged: true };
    scene.tell(scene.pullRequestClosed(true));
    expect(scene.all('cancel_run')).toMatchObject([{ runId: 'run-900', merged: { number: 13 } }]);
    scene.ends({ mergedBy: 'olivia' });
    expect(scene.all('move_labels').at(-1)).toMatchObject({ add: null, pullRequest: null });
    expect(scene.state().pullRequest).toBeNull();
  });

  test('T18: merged gives it that also when the close of the issue is delivered first', () => {
    scene.github.pullRequest = { open: false, merged: true };
    scene.github.open = false;
    scene.tell(scene.closed(), scene.pullRequestClosed(true));
    expect(scene.all('cancel_run')).toMatchObject([{ runId: 'run-900', merged: { number: 13 } }]);
  });
});

describe('need:reviewer', () => {
  test('has the pull request reviewed: nothing is put into review, and the label comes off there', () => {
    scene.does('dev');
    scene.asks({ stage: 'dev', kind: 'review' }, 13);
    scene.ends();
    expect(scene.all('move_labels').at(-1)).toMatchObject({
      issue: { number: 13 },
      remove: 'need:reviewer',
      add: null,
    });
    expect(scene.state().last?.runId).toBe('run-100');
  });
});

describe('a rethink', () => {
  test('gives up what it goes back to and what came after, and the issue goes on from there', () => {
    for (const stage of ['intake', 'vision', 'prd'] as const) {
      scene.does(stage);
      scene.github.labels = [];
    }
    scene.does('rethink', { backTo: 'vision' });
    expect(scene.events('stage.superseded')).toHaveLength(1);
    expect(Object.keys(scene.state().done ?? {})).toEqual(['intake', 'rethink']);
    scene.github.labels = [];
    scene.does('vision');
    expect(Object.keys(scene.state().done ?? {}).toSorted()).toEqual(['intake', 'rethink', 'vision']);
  });

  test('marks a pull request that holds nothing else', () => {
    scene.does('intake');
    scene.github.pullRequest = { open: false, merged: true };
    scene.tell(scene.pullRequestClosed(true));
    scene.github.labels = [];
    scene.asks(work('rethink'));
    scene.ends({ pullRequest: { number: 14, url: 'pull/14' }, backTo: 'intake' });
    expect(scene.all('move_labels').find(({ add }) => add === 'state:superseded')).toMatchObject({
      issue: { number: 13 },
    });
  });
});

test('the state remembers where the work ended', () => {
  scene.asks(DEV);
  scene.ends();
  expect(scene.state().last).toMatchObject({ headSha: 'a'.repeat(40), stage: 'dev' });
});
