import { describe, expect, test } from 'vitest';
import { selectModel, type SelectionInput } from '../../../src/domain/stages/model-selection.ts';

const ASKED: SelectionInput = {
  issueLabels: [],
  pullRequestLabels: [],
  last: null,
  project: { model: null, reasoningEffort: null },
  platform: { model: 'gpt-5.5', reasoningEffort: 'high' },
};

describe('the model comes from', () => {
  test.each<[string, Partial<SelectionInput>, string, string]>([
    ['the platform, when nobody says anything', {}, 'gpt-5.5', 'platform_default'],
    ['the project before the platform', { project: { model: 'm', reasoningEffort: null } }, 'm', 'project_default'],
    [
      'the last run before the project, when a label chose it there',
      { last: { model: 'l', modelSource: 'issue_label' }, project: { model: 'm', reasoningEffort: null } },
      'l',
      'last_run_context',
    ],
    [
      'the last run still, two revises later',
      { last: { model: 'l', modelSource: 'last_run_context' } },
      'l',
      'last_run_context',
    ],
    [
      'the project, when the last run had it from there too',
      { last: { model: 'old', modelSource: 'project_default' }, project: { model: 'm', reasoningEffort: null } },
      'm',
      'project_default',
    ],
    [
      'the pull request before the last run',
      { pullRequestLabels: ['[ai-model-gpt-5.4]'], last: { model: 'l', modelSource: 'issue_label' } },
      'gpt-5.4',
      'pull_request_label',
    ],
    [
      'the issue before all',
      { issueLabels: ['[ai-model-gpt-5.2]'], pullRequestLabels: ['[ai-model-gpt-5.4]'] },
      'gpt-5.2',
      'issue_label',
    ],
    [
      'the platform, when a label names one that is not in the catalogue',
      { issueLabels: ['[ai-model-x]'] },
      'gpt-5.5',
      'platform_default',
    ],
  ])('%s', (_what, more, model, modelSource) => {
    expect(selectModel({ ...ASKED, ...more })).toMatchObject({ model, modelSource });
  });
});

test('the reasoning effort is chosen by itself', () => {
  expect(selectModel({ ...ASKED, pullRequestLabels: ['[ai-reasoning-low]'] })).toEqual({
    model: 'gpt-5.5',
    modelSource: 'platform_default',
    reasoningEffort: 'low',
    reasoningSource: 'pull_request_label',
  });
});

test.each([
  ['two models on the issue', { issueLabels: ['[ai-model-gpt-5.4]', '[ai-model-gpt-5.5]'] }],
  ['two efforts on the pull request', { pullRequestLabels: ['[ai-reasoning-low]', '[ai-reasoning-high]'] }],
])('%s are a conflict that names both', (_what, more) => {
  const resolved = selectModel({ ...ASKED, ...more });
  expect('conflict' in resolved && resolved.conflict).toHaveLength(2);
});
