/** What a run's workflow of its own, without the issue's, is started with. */
import type { RunInput } from '../../workflows/messages.ts';
import { ISSUE } from './fake-activities.ts';

const DEV = { title: 'Add a flag', target: { stage: 'dev', kind: 'work' }, label: 'run:dev' } as const;

/** A work run that olivia's label has started; its waits last an hour unless `hours` says otherwise. */
export function runInput(
  runId: string,
  hours: Partial<RunInput['settings']['waitHours']> = {},
  {
    title,
    target,
    label,
  }: { title: string; target: RunInput['plan']['target']; label: RunInput['plan']['label'] } = DEV,
): RunInput {
  return {
    issue: ISSUE,
    issueTitle: title,
    plan: {
      runId,
      target,
      trigger: { kind: 'label', event: 1 },
      label,
      by: { id: 7, login: 'olivia' },
      delivery: 'delivery-1',
      requestedAt: '2026-11-21T10:00:00.000Z',
      revision: 0,
    },
    settings: {
      project: 'trial',
      locale: 'en',
      baseBranch: 'main',
      model: 'test-model',
      reasoningEffort: 'high',
      dashboardUrl: 'http://dashboard',
      workspaceHours: 24,
      waitHours: { question: 1, paused: 1, ...hours },
    },
    workspace: { name: 'codex-1', until: '2026-11-22T10:00:00.000Z' },
    resume: null,
    pullRequest: null,
    branch: 'codex/issue-12',
    since: null,
    closes: true,
  };
}
