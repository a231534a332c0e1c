/** Who comes next is decided when the last one's end is shown: GitHub's word on the next run may be long in coming. */
import { beforeEach, describe, expect, test } from 'vitest';
import { decide, type Decision, type ResultFact } from '../../../src/domain/issue/decide.ts';
import type { Fact } from '../../../src/domain/issue/facts.ts';
import { ISSUE } from '../support/issues.ts';
import { createScene, DEV, TALK, work, type Scene } from '../support/scene.ts';

const FAILED = { status: 'failed', failure: 'agent_failed', detail: '' } as const;
const FINISHED: Fact = { kind: 'run_finished', runId: 'run-100', outcome: FAILED };
const NOT_STARTED: ResultFact = { kind: 'run_not_started', runId: 'run-100', reason: 'no room' };

let scene: Scene;
beforeEach(() => {
  scene = createScene();
  scene.asks(DEV);
});

/** One more run waits. */
function queued(): void {
  const { length } = scene.state().queue;
  scene.github.labels = [];
  scene.asks(work('self-improve'));
  expect(scene.state().queue).toHaveLength(length + 1);
}

/** What is decided before GitHub has answered anything. */
const decided = (fact: Fact | ResultFact): Decision => {
  const settings = { kind: 'settings', repositoryId: ISSUE.repositoryId } as const;
  return decide(scene.state(), [fact], [{ read: settings, answer: { value: scene.settings } }], scene.now());
};
const kinds = (decision: Decision): string[] =>
  'effects' in decision ? decision.effects.map(({ kind }) => kind) : ['needs'];

test.each<[string, Fact | ResultFact, string[]]>([
  ['that ends', FINISHED, ['at_once']],
  ['that could not be started', NOT_STARTED, ['record_issue', 'show_run']],
])('a run %s is shown before GitHub is asked about the next one', (_, fact, shown) => {
  queued();
  expect(kinds(decided(fact))).toEqual([...shown, 'go_on']);
});

describe('a run that was shown in the queue and cannot be started', () => {
  const shown = () => scene.all('show_run').map(({ plan, shown: how }) => [plan.runId, how]);
  const failed = (reason: string) => ({ outcome: { status: 'failed', failure: 'launch_failed', detail: reason } });

  test('is shown as failed, and not as one that waits', () => {
    queued();
    scene.startProblem = 'no slot of the project is free';
    scene.ends();
    expect(shown().at(-1)).toMatchObject(['run-101', failed('no slot of the project is free')]);
    expect(scene.state()).toMatchObject({ active: null, queue: [] });
  });

  test('is shown as failed in the read model when its repository is bound to no project any more', () => {
    queued();
    scene.settings = null;
    scene.ends();
    expect(scene.all('show_run').at(-1)).toMatchObject({ settings: null, plan: { runId: 'run-101' } });
    expect(shown().at(-1)?.[1]).toMatchObject({ outcome: { failure: 'launch_failed' } });
  });

  test('is left as its own workflow shows it, where it has one', () => {
    const fact: ResultFact = { ...NOT_STARTED, exists: true };
    expect(kinds(decided(fact))).toEqual(['record_issue']);
  });
});

test('a run of a discussion that ends is shown before the next one is prepared', () => {
  scene = createScene();
  scene.asks(TALK);
  scene.passes(1);
  scene.tell(scene.comment(501));
  expect(kinds(decided(FINISHED))).toEqual(['at_once', 'go_on']);
});

test.each([FINISHED, NOT_STARTED])('nothing is decided after $kind where nothing waits', (fact) => {
  expect(kinds(decided(fact))).not.toContain('go_on');
});

test('a run that GitHub no longer wants is shown as canceled before it is asked about the one after', () => {
  queued();
  queued();
  const state = { ...scene.state(), active: null };
  const asked = decide(state, [{ kind: 'start_next' }], [], scene.now());
  const shown = { open: true, title: '', labels: [], labeled: [] };
  const answers = 'needs' in asked ? asked.needs : [];
  const github = answers.map((read) => ({ read, answer: { value: { issue: shown, settings: scene.settings } } }));
  const decision = decide(state, [{ kind: 'start_next' }], github, scene.now());
  expect(kinds(decision)).toEqual(['show_run', 'show_run', 'record_issue', 'go_on']);
});

test('a reopened issue is shown as open before GitHub is asked about what waits', () => {
  queued();
  const { fact } = scene.delivered({ kind: 'issue_reopened' });
  const decision = decide({ ...scene.state(), active: null }, [fact], [], scene.now());
  expect(kinds(decision)).toEqual(['record_issue', 'go_on']);
});
