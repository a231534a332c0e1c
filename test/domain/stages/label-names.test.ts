import { describe, expect, test } from 'vitest';
import { CANONICAL_NAMES, labelNames, type LabelNames } from '../../../src/domain/stages/label-names.ts';
import { LABELS } from '../../../src/domain/stages/labels.ts';

function named(chosen: unknown): LabelNames {
  const read = labelNames(chosen);
  if ('problems' in read) throw new Error(read.problems.join('\n'));
  return read.names;
}

describe('names that an installation chose', () => {
  const names = named({ 'run:dev': 'Agent: Dev', '[ai-model-gpt-5.5]': 'big model' });

  test.each([
    ['Agent: Dev', 'run:dev'],
    [' agent: DEV ', 'run:dev'],
    ['big model', '[ai-model-gpt-5.5]'],
    ['run:qa', 'run:qa'],
    ['Bug', 'Bug'],
  ])('GitHub says %s, which means %s', (onGitHub, canonical) => {
    expect(names.canonical(onGitHub)).toBe(canonical);
  });

  test.each([
    ['run:dev', 'Agent: Dev'],
    ['run:qa', 'run:qa'],
    ['bug', 'bug'],
  ])('%s is called %s on GitHub', (canonical, onGitHub) => {
    expect(names.onGitHub(canonical)).toBe(onGitHub);
  });

  test('leave no meaning to a label that still has a name which was given up', () => {
    expect(names.canonical('run:dev')).toBe('Agent: Dev');
    expect(names.onGitHub(names.canonical('run:dev'))).toBe('run:dev');
  });

  test('come back as they were, whatever they are', () => {
    for (const { name } of LABELS) expect(names.canonical(names.onGitHub(name))).toBe(name);
  });

  test('may be the canonical ones, spelled otherwise', () => {
    const spelled = named({ 'RUN:dev': 'Run:Dev' });
    expect([spelled.onGitHub('run:dev'), spelled.canonical('Run:Dev')]).toEqual(['Run:Dev', 'run:dev']);
  });

  test('may be none', () => {
    expect(named({}).overridden).toBe(false);
    expect([CANONICAL_NAMES.canonical('Run:Dev'), CANONICAL_NAMES.onGitHub('run:dev')]).toEqual(['Run:Dev', 'run:dev']);
  });
});

describe('names that are ambiguous or that GitHub refuses are rejected', () => {
  test.each<[string, unknown, RegExp]>([
    ['a list', ['run:dev'], /is not a JSON object/],
    ['nothing', null, /is not a JSON object/],
    ['a label that does not exist', { 'run:develop': 'x' }, /“run:develop” is no label/],
    ['one label twice', { 'run:dev': 'x', 'Run:Dev': 'y' }, /“run:dev” is named twice/],
    ['two labels of one name', { 'run:dev': 'agent', 'run:qa': 'AGENT' }, /for “run:dev” and for “run:qa”/],
    ['the name of another label', { 'run:dev': 'Run:QA' }, /“Run:QA”, .* is the canonical name of another/],
    ['an empty name', { 'run:dev': '  ' }, /“run:dev” is empty/],
    ['no text', { 'run:dev': 1 }, /“run:dev” is empty or no text/],
    ['a long name', { 'run:dev': 'x'.repeat(51) }, /longer than 50 characters/],
    ['two lines', { 'run:dev': 'a\nb' }, /not one line/],
  ])('%s', (_what, chosen, problem) => {
    expect(labelNames(chosen)).toEqual({ problems: [expect.stringMatching(problem) as string] });
  });

  test('all at once', () => {
    expect(labelNames({ 'run:dev': '', 'run:none': 'x' })).toMatchObject({ problems: { length: 2 } });
  });

  test('but fifty characters are possible', () => {
    expect(named({ 'run:dev': '😀'.repeat(50) }).onGitHub('run:dev')).toHaveLength(100);
  });
});
