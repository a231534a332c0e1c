import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  normalizeLabel,
  stageRow,
  STAGES,
  triggerLabel,
  triggerLabelsIn,
  triggerOfLabel,
} from '../../../src/domain/stages/stages.ts';

/** Stages, what starts them, and which of them can be revised. */
const WORK =
  'intake vision prd arch design plan dev doc-audit qa release postdeploy ops self-improve rethink ai-repair'.split(
    ' ',
  );

describe('the trigger labels', () => {
  test.each(WORK)('run:%s asks for work', (stage) => {
    expect(triggerOfLabel(`run:${stage}`)).toEqual({ stage, kind: 'work' });
  });

  test.each(WORK.filter((stage) => stage !== 'rethink' && stage !== 'ai-repair'))(
    'run:%s:revise asks for a revise',
    (stage) => {
      expect(triggerOfLabel(`run:${stage}:revise`)).toEqual({ stage, kind: 'revise' });
    },
  );

  test.each([
    'run:debug',
    'run:rethink:revise',
    'run:',
    'run:dev:',
    'run:dev:work',
    'run:devs',
    'xrun:dev',
    'run: dev',
    'state:in-review',
    'need:reviewer',
    'mode:discussion',
    '[ai-model-gpt-5.2]',
    '[ai-reasoning-high]',
    'bug',
    '',
    'run:__proto__',
    'run:constructor',
  ])('%j is no trigger', (label) => {
    expect(triggerOfLabel(label)).toBeUndefined();
  });

  test.each(['RUN:DEV', ' run:dev ', 'Run:Dev', '\trun:dev\n'])('%j is the same label as run:dev', (label) => {
    expect(triggerOfLabel(label)).toEqual({ stage: 'dev', kind: 'work' });
  });

  test('each names its target and no other', () => {
    const targets = STAGES.flatMap(({ stage, revisable }) => [
      { stage, kind: 'work' as const },
      ...(revisable ? [{ stage, kind: 'revise' as const }] : []),
    ]);
    expect(targets.map((target) => triggerOfLabel(triggerLabel(target)))).toEqual(targets);
  });

  test('a stage that does not exist has no row', () => {
    expect(() => stageRow('nothing' as 'dev')).toThrow('unknown stage nothing');
  });
});

describe('the trigger labels among others', () => {
  test('are found in any spelling, each once', () => {
    expect(triggerLabelsIn(['bug', 'RUN:dev', 'run:dev ', 'run:qa', 'run:debug', 'state:in-review'])).toEqual([
      'run:dev',
      'run:qa',
    ]);
  });

  test('are normalized triggers and nothing else, whatever the labels are', () => {
    const some = fc.oneof(fc.string(), fc.constantFrom('run:dev', 'Run:Dev', 'run:qa:revise', 'run:debug', 'RUN:OPS '));
    fc.assert(
      fc.property(fc.array(some), (labels) => {
        const found = triggerLabelsIn(labels);
        expect(new Set(found).size).toBe(found.length);
        for (const label of found) expect(triggerOfLabel(label)).toBeDefined();
        for (const label of labels.filter((one) => triggerOfLabel(one))) expect(found).toContain(normalizeLabel(label));
      }),
    );
  });
});
