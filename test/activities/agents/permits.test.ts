import { MockActivityEnvironment } from '@temporalio/testing';
import { expect, test } from 'vitest';
import { createAgentActivities, type AgentPorts } from '../../../activities/agents/agents.ts';
import { createCapacityActivities } from '../../../activities/agents/permits.ts';
import { createRunActivities } from '../../../activities/records/runs.ts';
import { RUN_LIMITS } from '../../../src/domain/run/permits.ts';
import type { RunRow } from '../../../src/read-model/projections/projections.ts';

const AGENT = { runId: 'r1', workspace: 'codex-demo-r42-i7', attempt: 1, owner: 'issue:42#7' };

test('an agent is not launched before its turn', async () => {
  const asked: unknown[] = [];
  const capacity: AgentPorts['capacity'] = {
    async ask(request) {
      asked.push(request);
      return { granted: false, place: 3 };
    },
  };
  const activities = createAgentActivities({ capacity } as unknown as AgentPorts);
  expect(await activities.launchAgent({ ...AGENT, asks: { project: 'demo', role: 'dev' } })).toEqual({
    granted: false,
    place: 3,
  });
  expect(asked).toEqual([{ runId: 'r1', project: 'demo', role: 'dev' }]);
});

test.each([
  ['working', []],
  ['queued', []],
  ['succeeded', ['r1']],
  ['failed', ['r1']],
  ['canceled', ['r1']],
] as const)('a run that is shown as %s has given up its turn: %s', async (status, expected) => {
  const left: string[] = [];
  await show(
    runActivities(async (runId) => void left.push(runId)),
    status,
  );
  expect(left).toEqual(expected);
});

test('a run is shown though its turn cannot be given up now', async () => {
  const activities = runActivities(() => Promise.reject(new Error('Temporal is away')));
  expect(await show(activities, 'failed')).toMatchObject({ links: [] });
});

test('runs have ended that are closed, or that Temporal does not know', async () => {
  const activities = createCapacityActivities({
    capacity: { limits: RUN_LIMITS, ask: async () => ({ granted: true }), leave: async () => {} },
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

type RunActivities = ReturnType<typeof createRunActivities>;

function runActivities(leave: (runId: string) => Promise<void>): RunActivities {
  const parts = { recordRun: async () => [], capacity: { leave } };
  return createRunActivities(parts as unknown as Parameters<typeof createRunActivities>[0]);
}

async function show(activities: RunActivities, status: RunRow['status']): Promise<unknown> {
  const row = { id: 'r1', status } as RunRow;
  const input = { row, events: [], comment: null, acknowledge: null };
  return new MockActivityEnvironment().run(() => activities.showRun(input));
}
