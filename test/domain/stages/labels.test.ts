import { describe, expect, test } from 'vitest';
import { LABELS, modelChoice, profileChoice, reasoningChoice } from '../../../src/domain/stages/labels.ts';
import { triggerOfLabel } from '../../../src/domain/stages/stages.ts';

describe('the vocabulary', () => {
  test('names each label once, whatever its case', () => {
    const names = LABELS.map(({ name }) => name.toLowerCase());
    expect(new Set(names).size).toBe(names.length);
  });

  test.each(LABELS.map(({ name, description, color }) => [name, description, color]))(
    '%s is one that GitHub takes',
    (name, description, color) => {
      expect(name.length).toBeLessThanOrEqual(50);
      expect(description).toMatch(/^.{1,100}$/);
      expect(color).toMatch(/^[\da-f]{6}$/);
    },
  );

  test('holds every trigger, and nothing else of it is one', () => {
    for (const { name, group } of LABELS)
      expect([name, triggerOfLabel(name) !== undefined]).toEqual([name, group === 'trigger' || group === 'revise']);
  });
});

describe('what labels choose', () => {
  test('is nothing where there is none of the group', () => {
    expect(modelChoice(['run:dev', 'bug'])).toEqual({ chosen: undefined });
  });

  test('is the one that is there, in any spelling', () => {
    expect(modelChoice(['[AI-Model-GPT-5.4] '])).toEqual({ chosen: 'gpt-5.4' });
  });

  test('is no model that is not in the catalogue', () => {
    expect(modelChoice(['[ai-model-gpt-2]'])).toEqual({ chosen: undefined });
  });

  test('is ambiguous with two of a group', () => {
    expect(modelChoice(['[ai-model-gpt-5.4]', '[ai-model-gpt-5.5]'])).toEqual({
      conflict: ['[ai-model-gpt-5.4]', '[ai-model-gpt-5.5]'],
    });
  });

  test('is the same label twice only once', () => {
    expect(modelChoice(['[ai-model-gpt-5.4]', '[AI-MODEL-GPT-5.4]'])).toEqual({ chosen: 'gpt-5.4' });
  });

  test('extra-high is xhigh', () => {
    expect(reasoningChoice(['[ai-reasoning-extra-high]'])).toEqual({ chosen: 'xhigh' });
  });

  test('a profile by its name', () => {
    expect(profileChoice(['profile:feature'])).toEqual({ chosen: 'feature' });
  });
});
