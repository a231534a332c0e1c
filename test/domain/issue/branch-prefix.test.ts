/** A2: a project's own prefix of branches. */
import { beforeEach, expect, test } from 'vitest';
import { createScene, work, type Scene } from '../support/scene.ts';

let scene: Scene;
beforeEach(() => {
  scene = createScene();
});

const branches = (): string[] => scene.all('start_run').map(({ start }) => start.branch);

function choose(branchPrefix: string): void {
  if (scene.settings) scene.settings = { ...scene.settings, branchPrefix };
}

test("a run's branch has the project's prefix", () => {
  choose('bots/codex');
  scene.does('dev');
  expect(branches()).toEqual(['bots/codex/issue-7']);
});

test('an open pull request goes on where it is, whatever prefix is chosen meanwhile', () => {
  scene.does('dev');
  choose('bots/codex');
  scene.tell(scene.reviewed(900));
  expect(branches()).toEqual(['codex/issue-7', 'codex/issue-7']);
});

test('after a merge the next branch has the new prefix', () => {
  scene.does('intake');
  choose('bots/codex');
  scene.github.pullRequest = { open: false, merged: true };
  scene.tell(scene.pullRequestClosed(true));
  scene.github.labels = [];
  scene.asks(work('vision'));
  expect(branches()).toEqual(['codex/issue-7', 'bots/codex/issue-7-2']);
});
