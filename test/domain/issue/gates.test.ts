import { describe, expect, test } from 'vitest';
import {
  gate,
  isWholeWork,
  rethinkable,
  supersededBy,
  type DoneStages,
  type GateContext,
} from '../../../src/domain/issue/gates.ts';
import { STAGES, type Stage, type TriggerTarget } from '../../../src/domain/stages/stages.ts';

/** Done in this order, each in a pull request of its own. */
function done(...stages: readonly Stage[]): DoneStages {
  return Object.fromEntries(
    stages.map((stage, index) => [
      stage,
      { runId: `run-${index}`, pullRequest: 10 + index, at: new Date(Date.UTC(2026, 0, 1, index)).toISOString() },
    ]),
  );
}

const OPEN = { open: true, merged: false };
const MERGED = { open: false, merged: true };

function known(more: Partial<GateContext> = {}): GateContext {
  return { labels: [], done: {}, candidates: { open: false, merged: false }, asked: false, ...more };
}

const work = (stage: Stage): TriggerTarget => ({ stage, kind: 'work' });

describe('a stage may begin', () => {
  test.each<[string, Stage, Partial<GateContext>]>([
    ['intake on a fresh issue', 'intake', {}],
    ['dev on a fresh issue: a quick fix', 'dev', {}],
    ['vision after intake', 'vision', { done: done('intake') }],
    ['prd after intake: a feature', 'prd', { done: done('intake') }],
    ['intake once more', 'intake', { done: done('intake', 'prd') }],
    ['dev after plan', 'dev', { done: done('intake', 'prd', 'design', 'plan') }],
    [
      'dev after intake, when the label says that it is a quick fix',
      'dev',
      { done: done('intake'), labels: ['profile:quick-fix'] },
    ],
    ['qa after dev, on its open pull request', 'qa', { done: done('dev'), candidates: OPEN }],
    [
      'doc-audit after dev of a new service',
      'doc-audit',
      { done: done('intake', 'vision', 'prd', 'arch', 'design', 'plan', 'dev') },
    ],
    [
      'postdeploy after release, when the work is merged',
      'postdeploy',
      { done: done('dev', 'qa', 'release'), candidates: MERGED },
    ],
    ['ops after postdeploy', 'ops', { done: done('dev', 'qa', 'release', 'postdeploy'), candidates: MERGED }],
    ['self-improve at any time', 'self-improve', {}],
    ['rethink at any time', 'rethink', { done: done('dev') }],
    ['ai-repair at any time', 'ai-repair', {}],
    ['what waits for an answer that the platform asked for', 'dev', { labels: ['need:input'], asked: true }],
    ['what waits for a role', 'dev', { labels: ['need:qa', 'state:in-review', 'run:debug'] }],
  ])('%s', (_what, stage, more) => {
    expect(gate(work(stage), known(more))).toBeUndefined();
  });
});

describe('a stage may not begin', () => {
  test.each<[string, Stage, Partial<GateContext>, string, readonly string[]]>([
    ['on a blocked issue', 'dev', { labels: ['State:Blocked'] }, 'state_blocked', ['state:blocked']],
    ['while a person is asked', 'dev', { labels: ['need:input'] }, 'needs_input', ['need:input']],
    ['vision first of all', 'vision', {}, 'stage_entry_not_met', ['run:dev', 'run:intake']],
    [
      'dev after intake: nobody skips what was begun',
      'dev',
      { done: done('intake') },
      'stage_entry_not_met',
      ['run:prd', 'run:vision'],
    ],
    ['qa before dev', 'qa', { candidates: OPEN }, 'stage_entry_not_met', ['run:dev', 'run:intake']],
    [
      'arch in a feature',
      'arch',
      { done: done('intake', 'prd'), labels: ['profile:feature'] },
      'stage_not_in_profile',
      ['run:design'],
    ],
    [
      'under two profiles',
      'dev',
      { labels: ['profile:feature', 'profile:quick-fix'] },
      'profile_label_conflict',
      ['profile:feature', 'profile:quick-fix'],
    ],
    [
      'qa without an open pull request',
      'qa',
      { done: done('dev') },
      'issue_trigger_candidate_not_found',
      ['run:dev', 'run:dev:revise'],
    ],
    [
      'release when the work is merged already',
      'release',
      { done: done('dev', 'qa'), candidates: MERGED },
      'issue_trigger_candidate_not_found',
      ['run:dev', 'run:dev:revise'],
    ],
    [
      'postdeploy before the merge',
      'postdeploy',
      { done: done('dev', 'qa', 'release'), candidates: OPEN },
      'issue_trigger_candidate_not_found',
      ['run:dev', 'run:dev:revise'],
    ],
  ])('%s', (_what, stage, more, reason, labels) => {
    const refusal = gate(work(stage), known(more));
    expect(refusal?.reason).toBe(reason);
    expect(refusal?.labels.toSorted()).toEqual(labels.toSorted());
  });

  test('a revise on a blocked issue', () => {
    expect(gate({ stage: 'dev', kind: 'revise' }, known({ labels: ['state:blocked'] }))?.reason).toBe('state_blocked');
  });
});

test('a revise asks for nothing that went before', () => {
  expect(gate({ stage: 'plan', kind: 'revise' }, known())).toBeUndefined();
});

test.each(['review', 'discussion'] as const)('a %s may always begin', (kind) => {
  expect(gate({ stage: 'dev', kind }, known({ labels: ['state:blocked', 'need:input'] }))).toBeUndefined();
});

test('every stage can be reached from a fresh issue by what is suggested', () => {
  const reached = new Set<Stage>();
  const visit = (before: readonly Stage[]): void => {
    for (const { stage } of STAGES) {
      if (
        before.includes(stage) ||
        gate(work(stage), known({ done: done(...before), candidates: { open: true, merged: true } }))
      )
        continue;
      const way = [...before, stage];
      if (reached.has(stage) && before.length > 12) continue;
      const isNew = !reached.has(stage);
      reached.add(stage);
      if (isNew) visit(way);
    }
  };
  visit([]);
  expect([...reached].toSorted()).toEqual(STAGES.map(({ stage }) => stage).toSorted());
});

describe('a rethink', () => {
  const all = done('intake', 'prd', 'design', 'plan', 'dev');

  test('gives up the stage that it goes back to, and all that came after', () => {
    expect(supersededBy('design', all).toSorted()).toEqual(['design', 'dev', 'plan']);
  });

  test('gives up nothing of what was never done', () => {
    expect(supersededBy('vision', all)).toEqual([]);
  });

  test('may go back to what is done', () => {
    expect(rethinkable(all)).toEqual(['intake', 'prd', 'design', 'plan', 'dev']);
  });
});

test.each<[string, TriggerTarget, DoneStages, boolean]>([
  ['dev on a fresh issue', work('dev'), {}, true],
  ['dev of a feature', work('dev'), done('intake', 'prd', 'design', 'plan'), false],
  ['documents', work('intake'), {}, false],
  ['a repair', work('ai-repair'), {}, true],
])('whether merging it closes the issue: %s', (_what, target, before, whole) => {
  expect(isWholeWork(target, before)).toBe(whole);
});
