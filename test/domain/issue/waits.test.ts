/** A run that waits for people: what the issue does meanwhile, for as long as it takes. */
import { beforeEach, describe, expect, test } from 'vitest';
import { waitsFor, wakesAt } from '../../../src/domain/issue/decide.ts';
import type { RunWait } from '../../../src/domain/run/waits.ts';
import { createScene, DEV, TALK, work, type Scene } from '../support/scene.ts';

const RUN = 'run-100';
const WEEK = 168;
let scene: Scene;
beforeEach(() => {
  scene = createScene();
  scene.asks(DEV);
});

function wait(more: Partial<RunWait> = {}): RunWait {
  const until = new Date(Date.parse(scene.now()) + WEEK * 3_600_000).toISOString();
  return { kind: 'question', request: `${RUN}.1`, for: '@olivia', since: scene.now(), until, ...more };
}

function asks(more: Partial<RunWait> = {}): RunWait {
  const asked = wait(more);
  scene.learn({ kind: 'run_waiting', runId: RUN, wait: asked });
  return asked;
}

test('three days pass, and the run still waits, in the workspace that it had', () => {
  const before = scene.state().workspace;
  const asked = asks();
  for (let day = 0; day < 3; day += 1) scene.passes(24);
  expect(scene.state()).toMatchObject({ active: { runId: RUN, wait: asked }, workspace: { name: before?.name } });
  expect([scene.all('remove_workspace'), scene.all('cancel_run'), scene.all('stop_agent')]).toEqual([[], [], []]);
  expect(wakesAt(scene.state())).toBeUndefined();
});

test('three days pass, a person answers, and the work goes on to its end', () => {
  asks();
  scene.passes(72);
  scene.tell(scene.comment(501));
  expect(scene.all('comment_answers')).toEqual([
    { kind: 'comment_answers', runId: RUN, comment: 501, sha256: 'sha256 of 501', actor: 'olivia' },
  ]);
  scene.learn({ kind: 'run_resumed', runId: RUN });
  expect(waitsFor(scene.state())).toBe('agent');
  scene.ends();
  expect(scene.state()).toMatchObject({ active: null, pullRequest: { number: 13 }, last: { runId: RUN } });
});

test('the lease of the workspace lasts longer than the wait', () => {
  const { until } = asks();
  const { workspace } = scene.state();
  expect(Date.parse(workspace?.until ?? '')).toBe(Date.parse(until) + 24 * 3_600_000);
});

test('a short wait takes nothing from the lease', () => {
  const before = scene.state().workspace?.until;
  asks({ until: new Date(Date.parse(scene.now()) - 48 * 3_600_000).toISOString() });
  expect(scene.state().workspace?.until).toBe(before);
});

test.each(['question', 'paused'] as const)('who is waited for is shown: %s', (kind) => {
  asks({ kind });
  expect(scene.all('record_issue').at(-1)?.row).toMatchObject({ state: 'working', waitingFor: kind });
});

test('a comment during a pause is no answer', () => {
  asks({ kind: 'paused', request: null });
  scene.tell(scene.comment(501));
  expect(scene.all('comment_answers')).toEqual([]);
});

test('a comment while an agent works is no answer', () => {
  scene.tell(scene.comment(501));
  expect(scene.all('comment_answers')).toEqual([]);
});

test('an answer that arrives before the fact about the question is not lost', () => {
  const asked = wait();
  scene.tell(scene.comment(501));
  scene.learn({ kind: 'run_waiting', runId: RUN, wait: asked });
  expect(scene.all('comment_answers').map(({ comment }) => comment)).toEqual([501]);
});

test('what another run says is of no account', () => {
  scene.learn({ kind: 'run_waiting', runId: 'run-999', wait: wait() });
  scene.learn({ kind: 'run_resumed', runId: 'run-999' });
  expect(scene.state().active).not.toHaveProperty('wait');
});

test('a trigger waits behind it, however long', () => {
  asks();
  scene.github.labels = [];
  scene.asks(work('self-improve'));
  scene.passes(72);
  expect(scene.state().queue.map(({ target }) => target.stage)).toEqual(['self-improve']);
});

test('closing the issue cancels it', () => {
  asks();
  scene.github.open = false;
  scene.tell(scene.closed());
  expect(scene.canceled()).toEqual([`${RUN} by olivia: the issue was closed`]);
});

test('the lease of the workspace starts again when it continues', () => {
  asks();
  scene.passes(1);
  scene.learn({ kind: 'run_resumed', runId: RUN });
  expect(Date.parse(scene.state().workspace?.until ?? '')).toBe(Date.parse(scene.now()) + 24 * 3_600_000);
});

test('an answer that a second webhook reports, when the work continues, is no part of a later discussion', () => {
  asks();
  const answer = scene.comment(501);
  scene.tell(answer);
  scene.learn({ kind: 'run_resumed', runId: RUN });
  scene.tell({ ...answer, seq: 1_000 });
  expect([scene.state().early, scene.all('comment_answers').length]).toEqual([[], 1]);
});

test('an answer that arrived before the fact about the question, and is delivered again, is passed on once', () => {
  const answer = scene.comment(501);
  const asked = wait();
  scene.tell(answer);
  scene.learn({ kind: 'run_waiting', runId: RUN, wait: asked });
  scene.tell({ ...answer, seq: 1_000 });
  expect([scene.state().early, scene.all('comment_answers').length]).toEqual([[], 1]);
});

describe('in a discussion', () => {
  test('a comment goes on with it, and answers no question', () => {
    scene = createScene();
    scene.asks(TALK);
    asks();
    scene.tell(scene.comment(501));
    expect(scene.all('comment_answers')).toEqual([]);
    expect(scene.state().discussion?.unanswered.map(({ comment }) => comment)).toEqual([501]);
  });
});
