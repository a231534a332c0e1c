import { expect, test } from 'vitest';
import { createAgentActivities, type AgentPorts } from '../../../activities/agents/agents.ts';
import { createPermitActivities } from '../../../activities/agents/permits.ts';
import { RUN_LIMITS } from '../../../src/domain/run/permits.ts';

const AGENT = {
  runId: 'r1',
  workspace: 'codex-demo-r42-i7',
  attempt: 1,
  launch: 1,
  owner: 'issue:42#7',
  permit: { project: 'demo', role: 'dev' },
  goingOn: null,
  use: {
    project: 'demo',
    repositoryId: 42,
    issueNumber: 7,
    role: 'dev',
    mode: 'code-only',
    until: '2026-11-22T10:00:00.000Z',
  },
} as const;

test('an agent is not launched before its run has a permit', async () => {
  const asked: unknown[] = [];
  const permits: AgentPorts['permits'] = {
    async acquire(request) {
      asked.push(request);
      return { granted: false, position: 3 };
    },
    async release() {},
  };
  const activities = createAgentActivities({ permits } as unknown as AgentPorts);
  expect(await activities.launchAgent(AGENT)).toEqual({
    granted: false,
    position: 3,
  });
  expect(asked).toEqual([{ runId: 'r1', project: 'demo', role: 'dev' }]);
});

test('runs have ended that are closed, or that Temporal does not know', async () => {
  const activities = createPermitActivities({
    permits: { limits: RUN_LIMITS, acquire: async () => ({ granted: true }), release: async () => {} },
    workflows: {
      async statusOf(id) {
        if (id === 'run:open') return { status: 'open' };
        return id === 'run:closed' ? { status: 'closed', closedAt: '2026-11-21T10:00:00.000Z' } : { status: 'absent' };
      },
    },
  });
  expect(await activities.findEndedRuns({ runIds: ['open', 'closed', 'absent'] })).toEqual({
    ended: ['closed', 'absent'],
    limits: RUN_LIMITS,
  });
});
