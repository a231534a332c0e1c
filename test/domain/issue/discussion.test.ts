/** `mode:discussion`: when a conversation begins, goes on and ends. */
import { beforeEach, expect, test } from 'vitest';
import { createScene, DEV, TALK, type Scene } from '../support/scene.ts';

let scene: Scene;
beforeEach(() => {
  scene = createScene();
});

/** Its first turn is over. */
function begun(): void {
  scene.asks(TALK);
  scene.ends({ pullRequest: null });
}

const reactions = (): string[] =>
  scene.all('react').map(({ trigger, content }) => `${trigger.kind === 'comment' ? trigger.comment : '?'} ${content}`);

test('begins with a turn that keeps its label, and puts nothing into review', () => {
  begun();
  expect(scene.state().discussion?.last).toEqual({ runId: 'run-100', threadId: 'thread-1' });
  expect(scene.all('move_labels')).toMatchObject([{ remove: null, add: null }]);
  expect(scene.github.labels).toEqual(['mode:discussion']);
});

test('goes on with a comment, in the same conversation: seen, then answered', () => {
  begun();
  scene.tell(scene.comment(501));
  expect(scene.all('start_run').at(-1)?.start.resume).toEqual({ runId: 'run-100', threadId: 'thread-1' });
  scene.ends({ pullRequest: null });
  expect(reactions()).toEqual(['501 eyes', '501 +1']);
});

test('answers what was said during a turn with the next one', () => {
  begun();
  scene.tell(scene.comment(501));
  scene.passes(1);
  scene.tell(scene.comment(502));
  expect(scene.started()).toHaveLength(2);
  scene.ends({ pullRequest: null });
  expect(scene.state().active?.trigger).toEqual({ kind: 'comment', comment: 502 });
});

test('answers a comment that arrived before the label, with its first turn', () => {
  scene.tell(scene.comment(500));
  scene.asks(TALK);
  scene.ends({ pullRequest: null });
  expect(reactions()).toEqual(['500 eyes', '500 +1']);
  expect(scene.started()).toHaveLength(1);
});

test('C10: what a run has heard is answered, whatever the clocks say, and the rest is answered next', () => {
  begun();
  scene.tell(scene.comment(501));
  scene.tell(scene.comment(502));
  scene.tell(scene.comment(503));
  scene.ends({ pullRequest: null, heard: 502 });
  expect(reactions().filter((reaction) => reaction.endsWith('+1'))).toEqual(['501 +1', '502 +1']);
  expect(scene.all('start_run').at(-1)?.start).toMatchObject({
    plan: { trigger: { kind: 'comment', comment: 503 } },
    heard: 502,
  });
});

test('C10: comments that a failed run has not read are answered next', () => {
  begun();
  scene.tell(scene.comment(501));
  scene.tell(scene.comment(502));
  scene.endsAs({ status: 'failed', failure: 'agent_failed', detail: '', heard: 501 });
  expect(scene.state().active?.trigger).toEqual({ kind: 'comment', comment: 502 });
});

test('reads in its first run everything that was written until then', () => {
  const label = scene.click(TALK);
  scene.passes(1);
  scene.tell(label);
  expect(scene.started()[0]?.frozenAt).toBe(scene.now());
});

test('is ended by any label that starts a run', () => {
  begun();
  scene.tell(scene.comment(501));
  scene.asks(DEV);
  expect(scene.state()).toMatchObject({ discussion: null, queue: [{ target: DEV }] });
  expect(scene.canceled()).toEqual(['run-501 by olivia: run:dev was asked for']);
  expect(scene.github.labels).not.toContain('mode:discussion');
});

test('does not begin while a run works', () => {
  scene.asks(DEV);
  scene.github.labels = [];
  scene.asks(TALK);
  expect(scene.refusals()).toMatchObject([{ reason: 'discussion_mode_trigger_label_conflict' }]);
});

test('ends when its label is taken off', () => {
  begun();
  scene.github.labels = [];
  scene.tell(scene.removed('mode:discussion'));
  expect([scene.events('discussion.ended').length, scene.state().discussion]).toEqual([1, null]);
});

test('does not end while its label is on, when an old removal is sent again', () => {
  begun();
  scene.tell(scene.removed('mode:discussion'));
  expect(scene.state().discussion).not.toBeNull();
});

test('ends when nobody says anything for eight hours, and not before', () => {
  begun();
  scene.passes(7.9);
  expect(scene.state().discussion).not.toBeNull();
  scene.passes(0.2);
  expect(scene.events('discussion.ended').map(({ payload }) => payload)).toEqual([
    { actor: 'codex-k8s', reason: 'nobody said anything for eight hours' },
  ]);
});
