/** An issue that is closed, reopened, deleted, or in whose repository nothing can be done any more; and runs that are lost. */
import { beforeEach, describe, expect, test } from 'vitest';
import { decide, isOver } from '../../../src/domain/issue/decide.ts';
import type { GoneReason } from '../../../src/domain/issue/facts.ts';
import { createScene, DEV, type Scene } from '../support/scene.ts';

let scene: Scene;
beforeEach(() => {
  scene = createScene();
  scene.asks(DEV);
});

/** The run that was canceled says so. */
function canceledRunEnds(): void {
  scene.endsAs({ status: 'canceled', actor: 'olivia', reason: '' });
}

describe('a close', () => {
  test('cancels the run, and the workspace goes with it', () => {
    scene.github.open = false;
    scene.tell(scene.closed());
    expect(scene.canceled()).toEqual(['run-100 by olivia: the issue was closed']);
    expect(scene.all('remove_workspace')).toEqual([]);
    canceledRunEnds();
    expect(scene.all('remove_workspace')).toHaveLength(1);
    expect(isOver(scene.state())).toBe(true);
  });

  test('that GitHub does not confirm, replayed or late, ends nothing', () => {
    scene.tell(scene.closed());
    expect([scene.canceled(), scene.events('issue.close_stale').length]).toEqual([[], 1]);
  });

  test('whose reopening is replayed meanwhile is a close all the same', () => {
    scene.ends();
    scene.github.open = false;
    scene.tell(scene.closed(), scene.delivered({ kind: 'issue_reopened' }));
    expect(isOver(scene.state())).toBe(true);
  });
});

describe('T17: an issue that is deleted or transferred', () => {
  beforeEach(() => {
    scene.github.deleted = true;
  });

  test.each([
    ['deleted', 'the issue was deleted'],
    ['transferred', 'the issue was transferred to another repository'],
  ] as const)('T17: that was %s is told apart', (gone, reason) => {
    scene.tell(scene.closed(gone));
    expect(scene.events('issue.closed')).toMatchObject([{ payload: { gone: true, how: gone } }]);
    expect(scene.events('run.orphaned')).toMatchObject([{ runId: 'run-100', payload: { reason: `issue_${gone}` } }]);
    expect(scene.canceled()).toEqual([`run-100 by olivia: ${reason}`]);
  });

  test('T17: of which nobody says how it went is said to be shown no more', () => {
    scene.tell(scene.closed());
    expect(scene.canceled()).toEqual(['run-100 by olivia: GitHub does not show the issue any more']);
  });

  test('T17: cancels the run that waits as well', () => {
    scene.github.deleted = false;
    scene.ends();
    scene.tell(scene.reviewed(900), scene.reviewed(901));
    scene.github.deleted = true;
    scene.tell(scene.closed());
    expect([scene.canceled().length, scene.shownEnds().length]).toEqual([1, 1]);
  });

  test('T17: starts nothing when a labeled event is delivered late', () => {
    scene.endsAs({ status: 'failed', failure: 'agent_failed', detail: '' });
    scene.asks(DEV);
    expect([scene.started().length, scene.events('run.not_started').length]).toEqual([1, 1]);
  });
});

describe('T21: a repository in which nothing can be done any more', () => {
  test.each<[GoneReason, 'archived' | 'gone', string]>([
    ['archived', 'archived', 'the repository was archived'],
    ['deleted', 'gone', 'the repository was deleted'],
    ['app_removed', 'gone', 'codex-k8s was taken out of the repository'],
    ['app_suspended', 'gone', 'codex-k8s was suspended in the repository'],
    ['not_shown', 'gone', 'GitHub does not show the repository any more'],
  ])('T21: %s: cancels the run that works, removes its workspace, and ends', (reason, shown, words) => {
    scene.github.repository = shown;
    scene.tell(scene.repositoryGone(reason));
    expect(scene.canceled()).toEqual([`run-100 by olivia: ${words}`]);
    canceledRunEnds();
    expect(scene.all('remove_workspace')).toHaveLength(1);
    expect(isOver(scene.state())).toBe(true);
  });

  test('T21: says so, of itself and of each run that is lost', () => {
    scene.ends();
    scene.tell(scene.reviewed(900), scene.reviewed(901));
    scene.github.repository = 'archived';
    scene.tell(scene.repositoryGone('archived'));
    expect([scene.events('repository.gone').length, scene.events('run.orphaned').length]).toEqual([1, 2]);
  });

  test('T21: is left alone on GitHub: no label is taken off where nothing can be written', () => {
    scene.github.repository = 'archived';
    scene.tell(scene.repositoryGone('archived'));
    canceledRunEnds();
    expect(scene.all('move_labels')).toEqual([]);
  });

  test.each<GoneReason>(['archived', 'deleted', 'app_suspended'])(
    'T21: %s, replayed or late, ends nothing while GitHub shows otherwise',
    (reason) => {
      scene.tell(scene.repositoryGone(reason));
      expect([scene.canceled(), scene.events('repository.gone_stale').length]).toEqual([[], 1]);
    },
  );
});

describe('a run', () => {
  test('is canceled by a person', () => {
    scene.learn({ kind: 'cancel_requested', runId: 'run-100', actor: 'olivia', reason: 'changed my mind' });
    expect(scene.canceled()).toEqual(['run-100 by olivia: changed my mind']);
  });

  test('whose workflow was ended from outside has its agent stopped, and frees the issue', () => {
    const outcome = { status: 'failed', failure: 'platform_error', detail: 'terminated' } as const;
    scene.learn({ kind: 'run_lost', runId: 'run-100', outcome });
    expect(scene.all('stop_agent')).toMatchObject([{ runId: 'run-100' }]);
    expect(scene.all('end_run')).toEqual([{ kind: 'end_run', runId: 'run-100' }]);
    expect(scene.all('show_run')).toMatchObject([{ plan: { runId: 'run-100' }, shown: { outcome } }]);
    expect(scene.state().active).toBeNull();
  });

  test('that is lost is stopped before anything is read', () => {
    const outcome = { status: 'failed', failure: 'platform_error', detail: 'terminated' } as const;
    const decision = decide(scene.state(), [{ kind: 'run_lost', runId: 'run-100', outcome }], [], scene.now());
    expect(decision).toMatchObject({ effects: [{ kind: 'stop_agent' }, { kind: 'end_run' }, { kind: 'go_on' }] });
  });
});
