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
    cli: 'codex',
    cliSource: 'platform_default',
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

describe('the agent is', () => {
  const claude = { cli: 'claude', model: null, reasoningEffort: null } as const;
  test.each<[string, Partial<SelectionInput>, object]>([
    ['Codex, when nobody says anything', {}, { cli: 'codex', cliSource: 'platform_default', model: 'gpt-5.5' }],
    [
      'that of the installation, with its own model',
      { platform: { ...ASKED.platform, cli: 'claude', claudeModel: 'claude-x' } },
      { cli: 'claude', cliSource: 'platform_default', model: 'claude-x', modelSource: 'platform_default' },
    ],
    [
      'that of the project, with the project’s model',
      { project: { ...claude, model: 'of-the-project' } },
      { cli: 'claude', cliSource: 'project_default', model: 'of-the-project', modelSource: 'project_default' },
    ],
    [
      'that of a label, without the model that the project chose for another',
      { issueLabels: ['[ai-agent-codex]'], project: { ...claude, model: 'claude-x' } },
      { cli: 'codex', cliSource: 'issue_label', model: 'gpt-5.5', modelSource: 'platform_default' },
    ],
    [
      'that of a model’s label',
      { pullRequestLabels: ['[ai-model-claude-opus-4-8]'] },
      { cli: 'claude', cliSource: 'pull_request_label', model: 'claude-opus-4-8', modelSource: 'pull_request_label' },
    ],
    [
      'that of the last run, when a label chose it there',
      { last: { cli: 'claude', cliSource: 'issue_label', model: 'claude-opus-4-8', modelSource: 'issue_label' } },
      { cli: 'claude', cliSource: 'last_run_context', model: 'claude-opus-4-8', modelSource: 'last_run_context' },
    ],
    [
      'that of a label, without the model of the last run for another',
      { issueLabels: ['[ai-agent-claude]'], last: { model: 'gpt-5.4', modelSource: 'issue_label' } },
      { cli: 'claude', model: 'claude-sonnet-5', modelSource: 'platform_default' },
    ],
    [
      'the project’s own program with any model',
      { issueLabels: ['[ai-agent-command]', '[ai-model-claude-opus-4-8]'] },
      { cli: 'command', model: 'claude-opus-4-8' },
    ],
  ])('%s', (_what, more, expected) => {
    expect(selectModel({ ...ASKED, ...more })).toMatchObject(expected);
  });

  test.each([
    ['two agents', ['[ai-agent-claude]', '[ai-agent-codex]']],
    ['an agent and a model of another', ['[ai-agent-codex]', '[ai-model-claude-opus-4-8]']],
  ])('none when labels ask for %s, which are named', (_what, issueLabels) => {
    expect(selectModel({ ...ASKED, issueLabels })).toEqual({ conflict: issueLabels });
  });
});
