import { expect, test } from 'vitest';
import { DEFAULT_POLICY } from '../../../src/domain/approvals/default-policy.ts';
import { evaluatePolicy, type PolicySubject } from '../../../src/domain/approvals/policy.ts';

const OPS: PolicySubject = {
  role: 'sre',
  stage: 'ops',
  label: 'run:ops',
  runtime: 'full-env',
  tool: 'secret.sync.github_k8s',
  action: 'call',
};

// The rows of the source's approval table, and what an agent could do beside it.
test.each<[string, Partial<PolicySubject>, string]>([
  ['a secret by ops', {}, 'delegated'],
  ['a secret by ops without an environment', { runtime: 'code-only' }, 'owner'],
  ['a secret by a revise', { label: 'run:dev:revise', role: 'dev', stage: 'dev' }, 'delegated'],
  ['a database by ops', { tool: 'database.lifecycle', action: 'delete' }, 'delegated'],
  ['a look at a database', { tool: 'database.lifecycle', action: 'describe', runtime: 'code-only' }, 'none'],
  ['a question to the owner', { tool: 'owner.feedback.request' }, 'owner'],
  ['a label that says how the work stands', { tool: 'github_labels_add', action: 'add' }, 'none'],
  ['a label that starts a run', { tool: 'github_labels_add', action: 'add:run:release' }, 'owner'],
  ['a tool that nobody has named', { tool: 'somebody.elses' }, 'owner'],
])('%s needs the right person', (_title, part, mode) => {
  expect(evaluatePolicy(DEFAULT_POLICY, { ...OPS, ...part }).mode).toBe(mode);
});

test('the first rule that matches decides, and is named', () => {
  const rules = [
    { tool: 'a', action: 'delete', mode: 'owner', reason: 'x' },
    { tool: 'a', mode: 'none', reason: 'y' },
  ] as const;
  expect(evaluatePolicy({ version: 1, rules }, { ...OPS, tool: 'a', action: 'delete' })).toEqual({
    mode: 'owner',
    rule: 0,
    reason: 'x',
  });
});

test.each([
  ['secret.sync.github_k8s', 'call', 'delegated'],
  ['database.lifecycle', 'delete', 'delegated'],
  ['database.lifecycle', 'describe', 'none'],
])('a policy that lets everything pass lets %s (%s) pass to a person at least', (tool, action, mode) => {
  const policy = { version: 1, rules: [{ mode: 'none', reason: 'all is fine' }] } as const;
  expect(evaluatePolicy(policy, { ...OPS, tool, action }).mode).toBe(mode);
});
