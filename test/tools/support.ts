/** What tools are performed for, in tests. */
import type { ToolContext, ToolRun } from '../../src/tools/performers.ts';

export const PROJECT = '11111111-1111-4111-8111-111111111111';
export const OTHER_PROJECT = '22222222-2222-4222-8222-222222222222';

const RUN: ToolRun = {
  runId: '33333333-3333-4333-8333-333333333333',
  attempt: 1,
  projectId: PROJECT,
  repositoryId: 1,
  repository: 'octo/demo',
  issueKey: 'issue:1#7',
  issueNumber: 7,
  pullRequest: null,
  branch: 'codex/issue-7',
  baseBranch: 'main',
  model: 'gpt-5.5',
  reasoningEffort: 'medium',
  locale: 'en',
  stage: 'ops',
  kind: 'work',
  role: 'sre',
  label: 'run:ops',
  runtime: 'full-env',
  namespace: 'demo-i7',
};

/** A call of a run of {@link PROJECT}. */
export function contextOf(run: Partial<ToolRun> = {}, key = 'a call'): ToolContext {
  return { run: { ...RUN, ...run }, key, signal: new AbortController().signal };
}
