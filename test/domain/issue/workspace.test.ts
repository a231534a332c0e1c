/** An issue's workspace is a lease: when it is taken, kept and given back. */
import { beforeEach, describe, expect, test } from 'vitest';
import { wakesAt } from '../../../src/domain/issue/decide.ts';
import { createScene, DEV, work, type Scene } from '../support/scene.ts';

let scene: Scene;
beforeEach(() => {
  scene = createScene();
});

function delivered(): void {
  scene.asks(DEV);
  scene.ends();
}

function closes(): void {
  scene.github.open = false;
  scene.tell(scene.closed());
}

const removals = () => scene.all('remove_workspace').map(({ workspace, reason }) => [workspace.name, reason]);

test('is removed when its lease runs out, and the issue lives on', () => {
  delivered();
  expect(wakesAt(scene.state())?.at).toBe(Date.parse(scene.now()) + 24 * 3_600_000);
  scene.passes(24);
  expect(removals()).toEqual([[expect.any(String), 'ttl_expired']]);
  expect(scene.state()).toMatchObject({ workspace: null, closed: false });
});

test('is kept while a run works, whatever its lease says', () => {
  scene.asks(DEV);
  scene.passes(48);
  expect(removals()).toEqual([]);
});

test('is removed with its issue', () => {
  delivered();
  closes();
  expect(removals()).toEqual([[expect.any(String), 'issue_closed']]);
  expect(scene.events('run.namespace.cleaned')).toHaveLength(1);
});

test('is reported when something holds it, and the issue goes on without it', () => {
  delivered();
  scene.removal = { held: 'a finalizer' };
  closes();
  expect(scene.events('run.namespace.cleanup_blocked').map(({ payload }) => payload['held'])).toEqual(['a finalizer']);
  expect(scene.state().workspace).toBeNull();
});

test('is reported when it cannot be removed, and the issue ends all the same', () => {
  delivered();
  scene.removal = { failed: 'not ours' };
  closes();
  expect(scene.events('run.namespace.cleanup_failed').map(({ payload }) => payload['error'])).toEqual(['not ours']);
  expect(scene.state().workspace).toBeNull();
});

test('is that of the work for a revise too, and its lease starts again', () => {
  delivered();
  const before = scene.state().workspace;
  scene.passes(1);
  scene.tell(scene.reviewed(900));
  const after = scene.state().workspace;
  expect(after?.name).toBe(before?.name);
  expect(Date.parse(after?.until ?? '')).toBe(Date.parse(before?.until ?? '') + 3_600_000);
});

describe('its end', () => {
  test('is said in the status comments of its runs', () => {
    delivered();
    closes();
    expect(scene.all('show_workspace_end')).toEqual([{ kind: 'show_workspace_end', runs: 10 }]);
  });

  test('is said nowhere when the repository is gone, where nobody can write', () => {
    delivered();
    scene.github.repository = 'archived';
    scene.tell(scene.repositoryGone('archived'));
    expect(removals()).toEqual([[expect.any(String), 'repository_gone']]);
    expect(scene.all('show_workspace_end')).toEqual([]);
  });
});

describe('of a project that names its namespaces', () => {
  beforeEach(() => {
    scene.settings = { ...scene.settings!, namespaceTemplate: '{{ .Project }}-dev-{{ .Slot }}' };
  });

  test('has a slot while it is there', () => {
    delivered();
    expect(scene.state().workspace).toMatchObject({ name: 'trial-dev-1', leased: true });
    closes();
    expect([scene.all('lease_slot').length, scene.all('release_slot').length]).toEqual([1, 1]);
  });

  test('keeps its slot when it could not be removed, so that nobody else gets a name that is taken', () => {
    delivered();
    scene.removal = { failed: 'not ours' };
    closes();
    expect(scene.all('release_slot')).toEqual([]);
  });

  test('gives its slot back when it is on its way out', () => {
    delivered();
    scene.removal = { held: 'a finalizer' };
    closes();
    expect(scene.all('release_slot')).toHaveLength(1);
  });

  test('has none as a checkout, and gives way when a whole workspace is needed', () => {
    scene.does('intake');
    const checkout = scene.state().workspace?.name;
    expect(scene.all('lease_slot')).toEqual([]);
    scene.github.labels = [];
    scene.does('rethink');
    expect(scene.state().workspace?.name).toBe('trial-dev-1');
    expect(removals()).toEqual([[checkout, 'slot_needed']]);
  });
});

describe('with `run:debug`', () => {
  beforeEach(() => {
    delivered();
    scene.github.labels = ['run:debug'];
  });

  test('is kept when its lease runs out, and its lease starts again', () => {
    scene.passes(24);
    scene.passes(24);
    expect(scene.events('run.namespace.cleanup_skipped')).toHaveLength(2);
    expect(scene.all('show_workspace_end').map(({ runs }) => runs)).toEqual([1, 1]);
    expect(removals()).toEqual([]);
  });

  test('S17: goes when the label was put on by somebody who may not start runs', () => {
    scene.github.clicks.push({
      id: 200,
      account: 666,
      at: scene.now(),
      clearedByPlatform: false,
      takenOffBy: null,
    });
    scene.github.refused = { 666: 'sender_not_allowed' };
    scene.passes(24);
    expect(removals()).toHaveLength(1);
  });

  test('goes when its issue is closed', () => {
    scene.passes(24);
    closes();
    expect(removals()).toHaveLength(1);
  });

  test('goes when the label was taken off', () => {
    scene.passes(24);
    scene.github.labels = [];
    scene.passes(24);
    expect(removals()).toHaveLength(1);
  });
});

describe('an issue that cannot be served', () => {
  test('is free again when its repository is not bound any more', () => {
    scene.settings = null;
    scene.asks(work('dev'));
    expect(scene.events('run.failed')).toHaveLength(1);
    expect(scene.state().active).toBeNull();
  });

  test('is free again when a run cannot be started', () => {
    scene.startProblem = 'a workflow of this id is there already';
    scene.asks(DEV);
    expect(scene.events().map(({ type }) => type)).toEqual(['run.failed']);
    expect(scene.state().active).toBeNull();
  });
});
