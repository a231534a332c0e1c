/** The policy of an installation that has none of its own. */
import type { ApprovalPolicy, PolicyRule } from './policy.ts';

const AT_ONCE: readonly PolicyRule[] = [
  'github_labels_list',
  'github_issue_get',
  'github_pull_request_get',
  'github_comments_list',
  'github_review_threads_list',
  'codex_prompt_context_get',
].map((tool) => ({ tool, mode: 'none', reason: 'it only reads' }));

/** Labels that mean something to the platform: they start runs, hold them, or choose what they work with. */
const PLATFORM_LABELS: readonly PolicyRule[] = ['run:', 'state:', 'need:', 'mode:', 'profile:', '[ai-'].flatMap(
  (prefix) =>
    ['add', 'remove'].map((verb) => ({
      tool: 'github_labels_*',
      action: `${verb}:${prefix}*`,
      mode: 'owner',
      reason: prefix === 'run:' ? 'a trigger label starts another run' : 'the label steers the platform',
    })),
);

export const DEFAULT_POLICY: ApprovalPolicy = {
  version: 1,
  rules: [
    ...AT_ONCE,
    { tool: 'run_status_report', mode: 'none', reason: 'it only says how the run is getting on' },
    { tool: 'user.*', mode: 'none', reason: 'it only speaks to people' },
    ...PLATFORM_LABELS,
    { tool: 'github_labels_*', mode: 'none', reason: 'other labels only say something about the issue' },
    { tool: 'database.lifecycle', action: 'describe', mode: 'none', reason: 'it only reads' },
    { runtime: 'code-only', mode: 'owner', reason: 'the run has no environment of its own' },
    {
      tool: 'secret.sync.*',
      label: 'run:dev:revise',
      mode: 'delegated',
      reason: 'a revise is watched by its reviewer',
    },
    { tool: 'secret.sync.*', label: 'run:self-improve', mode: 'delegated', reason: 'a self-improve run is reviewed' },
    {
      tool: 'secret.sync.*',
      label: 'run:ops',
      role: 'sre',
      mode: 'delegated',
      reason: 'secrets are work of operations',
    },
    {
      tool: 'database.lifecycle',
      label: 'run:ops',
      role: 'sre',
      mode: 'delegated',
      reason: 'databases are work of operations',
    },
    {
      tool: 'database.lifecycle',
      label: 'run:ops',
      role: 'dev',
      mode: 'delegated',
      reason: 'databases are work of operations',
    },
  ],
};
