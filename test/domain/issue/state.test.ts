import { describe, expect, test } from 'vitest';
import { isCanceledByRemoval } from '../../../src/domain/issue/handlers/label-removals.ts';
import { labelToRemove } from '../../../src/domain/issue/handlers/run-ends.ts';
import { isOver, waitsFor, type IssueState, type PlannedRun } from '../../../src/domain/issue/state.ts';
import { AT, fresh, OLIVIA, planned } from '../support/issues.ts';

describe('taking the label off', () => {
  test.each<[string, PlannedRun, string, boolean]>([
    ['ends the run that it asked for', planned(), 'run:dev', true],
    ['ends it in any spelling', planned(), ' Run:DEV', true],
    ['does not end a run of another label', planned(), 'run:dev:revise', false],
    [
      'does not end a run that a review asked for',
      planned({ label: null, target: { stage: 'dev', kind: 'revise' } }),
      'run:dev:revise',
      false,
    ],
  ])('%s', (_what, run, label, ends) => {
    expect(isCanceledByRemoval(run, label)).toBe(ends);
  });

  test.each<[string, PlannedRun, PlannedRun[], string | null]>([
    ['is done when the run ends', planned(), [], 'run:dev'],
    ['is not done while another run waits under it', planned(), [planned({ runId: 'run-2' })], null],
    [
      'is done though a run of another label waits',
      planned(),
      [planned({ runId: 'run-2', label: 'run:dev:revise' })],
      'run:dev',
    ],
    [
      'is done though a run that a review asked for waits',
      planned(),
      [planned({ runId: 'run-2', label: null })],
      'run:dev',
    ],
    [
      'is done for the stage of a review too',
      planned({ label: null, target: { stage: 'dev', kind: 'revise' } }),
      [],
      'run:dev:revise',
    ],
  ])('%s', (_what, run, queue, label) => {
    expect(labelToRemove(run, queue)).toBe(label);
  });
});

describe('an issue', () => {
  const closed: Partial<IssueState> = { closed: true };
  const workspace = { name: 'codex-demo-r42-i7', until: AT, hours: 24, leased: false };

  test('is over when it is closed, nobody works and nothing is left', () => {
    expect(isOver({ ...fresh(), ...closed })).toBe(true);
  });

  test.each<[string, Partial<IssueState>]>([
    ['while it is open', {}],
    ['while a run is active', { ...closed, active: planned() }],
    ['while a run waits', { ...closed, queue: [planned()] }],
    ['while it has a workspace', { ...closed, workspace }],
    [
      'while a fact is unread',
      { ...closed, unread: [{ seq: 1, fact: { kind: 'issue_reopened', delivery: 'd', by: OLIVIA, at: AT } }] },
    ],
  ])('is not over %s', (_while, more) => {
    expect(isOver({ ...fresh(), ...more })).toBe(false);
  });

  test.each<[string, Partial<IssueState>, string]>([
    ['an agent while a run is active', { active: planned(), closed: true }, 'agent'],
    ['its cleanup when it is closed', { closed: true, pullRequest: { number: 8, url: '' } }, 'cleanup'],
    ['a review when there is a pull request', { pullRequest: { number: 8, url: '' } }, 'review'],
    ['a label otherwise', {}, 'label'],
  ])('waits for %s', (_what, more, word) => {
    expect(waitsFor({ ...fresh(), ...more })).toBe(word);
  });

  test('is plain JSON, so that it survives continue-as-new', () => {
    expect(JSON.parse(JSON.stringify(fresh()))).toEqual(fresh());
  });
});
