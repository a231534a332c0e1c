/** Labels that are put on and taken off: what is started, refused, asked, queued and canceled. */
import { beforeEach, describe, expect, test } from 'vitest';
import type { ObservedFact } from '../../../src/domain/issue/facts.ts';
import { createScene, DEV, work, type Scene } from '../support/scene.ts';
import { ISSUE, OLIVIA, PETER } from '../support/issues.ts';

let scene: Scene;
beforeEach(() => {
  scene = createScene();
});

/** Another click on a label that stands already. */
function clicksAgain(): void {
  scene.github.labels = [];
  scene.asks(DEV);
}

const starts = (): string[] => scene.started().map(({ runId }) => runId);

describe('a label', () => {
  test('is a run in a workspace, from the event whose label is on', () => {
    scene.asks(DEV);
    expect(scene.started()).toMatchObject([{ runId: 'run-100', trigger: { kind: 'label', event: 100 } }]);
    expect(scene.events().map(({ type }) => type)).toEqual(['run.started']);
  });

  test('comes off when its run ends, and the issue is in review', () => {
    scene.does('dev');
    expect(scene.all('move_labels')).toEqual([
      {
        kind: 'move_labels',
        issue: ISSUE,
        remove: 'run:dev',
        add: 'state:in-review',
        pullRequest: 13,
        waits: 'until_done',
      },
    ]);
  });

  test.each(['agent_failed', 'no_changes', 'deadline_exceeded'] as const)(
    'comes off after %s, and nothing is put on',
    (failure) => {
      scene.asks(DEV);
      scene.endsAs({ status: 'failed', failure, detail: '' });
      expect(scene.all('move_labels')).toMatchObject([{ remove: 'run:dev', add: null }]);
    },
  );

  test('that two deliveries report is one run', () => {
    const first = scene.click(DEV);
    scene.tell(first, { ...first, seq: 2 });
    expect([starts(), scene.events('trigger.duplicate').length]).toEqual([['run-100'], 1]);
  });

  test('of which GitHub says nothing starts nothing, and that is recorded', () => {
    scene.github.refusesToShow = true;
    scene.asks(DEV);
    expect(scene.events('run.not_started')).toMatchObject([{ payload: { reason: 'github_refused' } }]);
  });

  test('that is gone by the time of the launch starts nothing', () => {
    const fact = scene.click(DEV);
    scene.github.labels = [];
    scene.tell(fact);
    expect([starts(), scene.events('run.not_started').length]).toEqual([[], 1]);
  });

  test('B22: by an agent starts nothing: the label is taken off, and a person is asked', () => {
    scene.github.labels = ['run:dev'];
    scene.click(DEV);
    scene.tell(scene.delivered({ kind: 'trigger_refused', label: 'run:dev', reason: 'trigger_by_agent', labels: [] }));
    expect([starts(), scene.events('approval.requested').length, scene.github.labels]).toEqual([[], 1, []]);
  });
});

describe('a stage', () => {
  test('whose turn it is not is refused, and the comment says what would be possible', () => {
    scene.asks(work('vision'));
    expect(scene.refusals()).toMatchObject([
      { reason: 'stage_entry_not_met', labels: expect.arrayContaining(['run:intake']) },
    ]);
    expect(starts()).toEqual([]);
  });

  test('follows the one before it, on the same branch and pull request, which closes nothing', () => {
    scene.does('intake');
    scene.github.labels = [];
    scene.does('vision');
    expect(Object.keys(scene.state().done ?? {})).toEqual(['intake', 'vision']);
    expect(scene.all('start_run').map(({ start }) => [start.branch, start.since, start.closes])).toEqual([
      ['codex/issue-7', null, false],
      ['codex/issue-7', 'a'.repeat(40), false],
    ]);
  });

  test('after a merge begins on a branch of its own', () => {
    scene.does('intake');
    scene.github.pullRequest = { open: false, merged: true };
    scene.tell(scene.pullRequestClosed(true));
    scene.github.labels = [];
    scene.asks(work('vision'));
    expect(scene.all('start_run').map(({ start }) => start.branch)).toEqual(['codex/issue-7', 'codex/issue-7-2']);
  });

  test('that needs work to look at asks for it, with a question', () => {
    scene.does('dev');
    scene.github.labels = [];
    scene.github.candidates = { open: false, merged: false };
    scene.asks(work('qa'));
    expect(scene.state().asked).toBe('issue_trigger_candidate_not_found');
    expect(scene.github.labels).toContain('need:input');
  });

  test('asks nothing in a repository that is bound to no project any more', () => {
    scene.does('dev');
    scene.github.labels = [];
    scene.github.candidates = { open: false, merged: false };
    scene.settings = null;
    scene.asks(work('qa'));
    expect([scene.state().asked, scene.refusals()]).toEqual([null, []]);
    expect(scene.github.labels).not.toContain('need:input');
  });
});

describe('T14: two trigger labels at once', () => {
  test('start nothing, are explained once, and leave a question that the next good one answers', () => {
    scene.github.labels = ['run:qa'];
    scene.asks(DEV);
    expect(scene.refusals()).toMatchObject([{ reason: 'issue_trigger_label_conflict', labels: ['run:qa', 'run:dev'] }]);
    expect([starts(), scene.github.labels.includes('need:input')]).toEqual([[], true]);

    scene.github.labels = ['need:input'];
    scene.asks(DEV);
    expect([starts(), scene.state().asked]).toEqual([['run-101'], null]);
    expect(scene.github.labels).not.toContain('need:input');
  });

  /** The webhook refuses each of the two, since its payload shows both. */
  function refused(label: string, id: number): ObservedFact {
    scene.github.clicks.push({
      id,
      account: OLIVIA.id,
      at: scene.now(),
      clearedByPlatform: false,
      takenOffBy: null,
    });
    const reason = 'issue_trigger_label_conflict';
    return scene.delivered({ kind: 'trigger_refused', label, reason, labels: ['run:dev', 'run:qa'], event: id });
  }

  test('A6: that are put on in one call have one explanation', () => {
    scene.github.labels = ['run:dev', 'run:qa'];
    scene.tell(refused('run:dev', 100), refused('run:qa', 101));
    expect(scene.refusals().map(({ subject }) => subject)).toEqual(['event-100', 'event-100']);
  });

  test('A6: are explained again when one is put on again later', () => {
    scene.github.labels = ['run:dev', 'run:qa'];
    scene.tell(refused('run:dev', 100));
    scene.passes(1);
    scene.tell(refused('run:qa', 101));
    expect(scene.refusals().map(({ subject }) => subject)).toEqual(['event-100', 'event-101']);
  });

  test('a question of a person is not answered by a label', () => {
    scene.github.labels = ['need:input'];
    scene.asks(DEV);
    expect(scene.refusals()).toMatchObject([{ reason: 'needs_input' }]);
  });
});

describe('T26: who may not any more', () => {
  test('T26: starts nothing, though it was allowed when the webhook came', () => {
    scene.github.refused = { [OLIVIA.id]: 'sender_role_read_not_permitted' };
    scene.asks(DEV);
    expect(scene.refusals()).toMatchObject([{ reason: 'sender_role_read_not_permitted' }]);
    expect(starts()).toEqual([]);
  });

  test('T26: starts nothing that waits in the queue either', () => {
    scene.asks(DEV);
    scene.github.labels = [];
    scene.asks(work('self-improve'));
    scene.github.refused = { [OLIVIA.id]: 'sender_not_project_member' };
    scene.ends();
    expect(starts()).toEqual(['run-100']);
    expect(scene.shownEnds()).toEqual([
      'run-101 by codex-k8s: @olivia may not start runs any more (sender_not_project_member)',
    ]);
  });
});

describe('T15: a label that is taken off', () => {
  beforeEach(() => scene.asks(DEV));

  test('T15: cancels the run under it, and says by whom', () => {
    scene.takenOff(100, OLIVIA);
    scene.tell(scene.removed('run:dev'));
    expect(scene.canceled()).toEqual(['run-100 by olivia: the label run:dev was removed']);
    expect(scene.state().active?.withdrawn).toBe(true);
  });

  test.each([
    ['of which an old delivery is replayed', undefined],
    ['by somebody else than the delivery names', PETER],
  ])('T15: %s, cancels nothing', (_what, by) => {
    if (by) scene.takenOff(100, by);
    scene.tell(scene.removed('run:dev'));
    expect([scene.canceled(), scene.events('trigger.removal_stale').length]).toEqual([[], 1]);
  });

  test('T15: and put on again before GitHub is asked, ends the run of the first event only', () => {
    scene.takenOff(100, OLIVIA);
    scene.tell(scene.click(DEV), scene.removed('run:dev'));
    scene.endsAs({ status: 'canceled', actor: 'olivia', reason: '' });
    expect(scene.canceled()).toHaveLength(1);
    expect(scene.state().active?.runId).toBe('run-101');
    expect(scene.all('move_labels')).toMatchObject([{ remove: null }]);
  });

  test('T15: cancels the run although GitHub does not say any more what it records', () => {
    scene.github.refusesToShow = true;
    scene.tell(scene.removed('run:dev'));
    expect(scene.canceled()).toEqual(['run-100 by olivia: the label run:dev was removed']);
  });

  test('T15: and is delivered many times cancels once', () => {
    scene.takenOff(100, OLIVIA);
    scene.tell(scene.removed('run:dev'), scene.removed('run:dev'), scene.removed('run:dev'));
    expect(scene.canceled()).toHaveLength(1);
  });
});

describe('T12: unlabeled before labeled', () => {
  test('T12: starts no run, since the label was taken off again', () => {
    const click = scene.click(DEV);
    scene.takenOff(100, OLIVIA);
    scene.github.labels = [];
    scene.tell({ ...scene.removed('run:dev'), seq: 1 }, { ...click, seq: 2 });
    expect([starts(), scene.events('run.not_started').length]).toEqual([[], 1]);
  });

  test('T12: starts only the newest event, when the label was put on again', () => {
    const [first, second] = [scene.click(DEV), scene.click(DEV)];
    scene.takenOff(100, OLIVIA);
    scene.tell({ ...scene.removed('run:dev'), seq: 1 }, { ...first, seq: 2 }, { ...second, seq: 3 });
    expect(scene.started().map(({ trigger }) => trigger)).toEqual([{ kind: 'label', event: 101 }]);
    expect(scene.state().queue).toEqual([]);
  });
});

describe('a run that waits in the queue', () => {
  beforeEach(() => {
    scene.asks(DEV);
    clicksAgain();
  });

  test('is shown with its position, keeps its label, and runs after the first', () => {
    expect(scene.all('show_run')).toMatchObject([{ plan: { runId: 'run-101' }, shown: { queuePosition: 1 } }]);
    scene.ends();
    expect(scene.all('move_labels')).toMatchObject([{ remove: null }]);
    expect(starts()).toEqual(['run-100', 'run-101']);
  });

  test('can be canceled', () => {
    scene.learn({ kind: 'cancel_requested', runId: 'run-101', actor: 'olivia', reason: 'a mistake' });
    expect(scene.shownEnds()).toEqual(['run-101 by olivia: a mistake']);
    expect(scene.state()).toMatchObject({ active: { runId: 'run-100' }, queue: [] });
  });

  test('T15: does not start when its label was taken off and no webhook reported it', () => {
    scene.takenOff(101, PETER);
    scene.ends();
    expect([scene.shownEnds(), starts()]).toEqual([['run-101 by peter: the label run:dev was removed'], ['run-100']]);
  });

  test('does not start when its issue was closed and no webhook reported it', () => {
    scene.github.open = false;
    scene.ends();
    expect([scene.shownEnds(), starts()]).toEqual([['run-101 by GitHub: the issue is closed'], ['run-100']]);
  });

  test('is passed over for the next one that is still wanted', () => {
    clicksAgain();
    scene.takenOff(101, OLIVIA);
    scene.ends();
    expect([scene.shownEnds().length, starts()]).toEqual([1, ['run-100', 'run-102']]);
  });

  test('that cannot be started holds up none of those behind it', () => {
    clicksAgain();
    scene.startProblem = 'a workflow of this id is there already';
    scene.ends();
    expect(scene.events('run.failed').map(({ runId }) => runId)).toEqual(['run-101', 'run-102']);
    expect(scene.state()).toMatchObject({ active: null, queue: [] });
  });

  test('T25: is refused and explained when ten wait already', () => {
    for (let more = 0; more < 10; more += 1) clicksAgain();
    expect(scene.state().queue).toHaveLength(10);
    expect(scene.refusals()).toMatchObject([{ reason: 'queue_full', subject: 'event-111' }]);
  });
});

describe('T35: a flood of facts', () => {
  test('T35: of repetitions is recorded in a few events', () => {
    const first = scene.click(DEV);
    scene.tell(...Array.from({ length: 101 }, (_, n) => ({ ...first, seq: n + 1 })));
    expect(scene.events('trigger.duplicate')).toHaveLength(20);
    expect(scene.events('issue.throttled').map(({ payload }) => payload['facts'])).toEqual([1, 79]);
  });
});
