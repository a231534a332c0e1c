/** B9: a pull request that somebody closed and reopened is continued. */
import { beforeEach, expect, test } from 'vitest';
import { createScene, DEV, type Scene } from '../support/scene.ts';

const REVISE = { stage: 'dev', kind: 'revise' } as const;
const REOPENED = { number: 13, url: 'pull/13', branch: 1 };

let scene: Scene;
beforeEach(() => {
  scene = createScene();
  scene.asks(DEV);
  scene.ends();
  scene.github.labels = [];
  scene.github.pullRequest = { open: false, merged: false };
  scene.tell(scene.pullRequestClosed(false));
  scene.github.pullRequest = { open: true, merged: false };
});

test.each([REVISE, DEV])('by the label of a $kind: on its branch, and with its number', (target) => {
  scene.github.candidates = { open: true, merged: false, openOnes: [REOPENED] };
  scene.asks(target);
  expect(scene.all('start_run').at(-1)?.start).toMatchObject({
    branch: 'codex/issue-7',
    pullRequest: { number: 13, url: 'pull/13' },
  });
});

test('and not another open one of the same branch', () => {
  scene.github.candidates = {
    open: true,
    merged: false,
    openOnes: [{ number: 12, url: 'pull/12', branch: 1 }, REOPENED],
  };
  scene.asks(REVISE);
  expect(scene.all('start_run').at(-1)?.start.pullRequest).toMatchObject({ number: 13 });
});

test('by need:reviewer, before any other label has continued it', () => {
  scene.github.candidates = { open: true, merged: false, openOnes: [REOPENED] };
  scene.asks({ stage: 'dev', kind: 'review' }, 13);
  expect(scene.refusals()).toEqual([]);
  expect(scene.all('start_run').at(-1)?.start).toMatchObject({
    plan: { target: { kind: 'review' }, pullRequest: 13 },
    branch: 'codex/issue-7',
    pullRequest: { number: 13 },
  });
});

test('need:reviewer on another pull request is refused, and continues nothing that is closed', () => {
  scene.github.candidates = { open: false, merged: false, openOnes: [] };
  scene.asks({ stage: 'dev', kind: 'review' }, 14);
  expect(scene.refusals()).toMatchObject([{ reason: 'pull_request_not_current' }]);
  expect(scene.state().pullRequest).toBeNull();
});

test('one that stays closed is not: the work begins on a new branch', () => {
  scene.github.candidates = { open: false, merged: false, openOnes: [] };
  scene.asks(DEV);
  expect(scene.all('start_run').at(-1)?.start).toMatchObject({ branch: 'codex/issue-7-2', pullRequest: null });
});
