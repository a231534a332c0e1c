/** `state:in-review` says that an agent's work waits for a person: it goes when the pull request is merged or closed. */
import { beforeEach, describe, expect, test } from 'vitest';
import { createScene, DEV, type Scene } from '../support/scene.ts';

const WITH_ISSUE = [{ kind: 'end_review', issue: { number: 7 }, pullRequest: 13, evenIfOpen: true }];
const ENDED = [{ kind: 'end_review', issue: { number: 7 }, pullRequest: 13 }];

let scene: Scene;
beforeEach(() => {
  scene = createScene();
  scene.asks(DEV);
  scene.ends();
});

describe('the label state:in-review is taken off', () => {
  test.each([true, false])('when somebody merges or closes the pull request (merged: %s)', (merged) => {
    scene.github.pullRequest = { open: false, merged };
    scene.tell(scene.pullRequestClosed(merged));
    expect(scene.all('end_review')).toMatchObject(ENDED);
  });

  test('when the close of the issue is reported before the merge that closed it', () => {
    scene.github.open = false;
    scene.github.pullRequest = { open: false, merged: true };
    scene.tell(scene.closed());
    expect(scene.all('end_review')).toMatchObject(ENDED);
  });

  test('when somebody closes the issue: its pull request may be closed later, when nobody is there to learn of it', () => {
    scene.github.open = false;
    scene.tell(scene.closed());
    expect(scene.all('end_review')).toMatchObject(WITH_ISSUE);
  });

  test('when a reopened issue is worked on again and its pull request was merged meanwhile', () => {
    const reopened = createScene();
    reopened.github.prior = {
      done: {},
      branch: 1,
      pullRequest: { number: 13, url: 'pull/13' },
      last: null,
      asked: null,
    };
    reopened.github.pullRequest = { open: false, merged: true };
    reopened.asks(DEV);
    expect(reopened.all('end_review')).toMatchObject(ENDED);
  });
});

test('a replayed close of a pull request that is open takes no label off', () => {
  scene.tell(scene.pullRequestClosed(false));
  expect(scene.all('end_review')).toEqual([]);
});
