import { randomUUID } from 'node:crypto';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { beforeEach, describe, expect, test } from 'vitest';
import { createAgentActivities, type AgentPorts } from '../../../activities/agents/agents.ts';
import { createRunAccess } from '../../../ingress/gateways/run-access.ts';
import { createRunTokens } from '../../../src/adapters/run-tokens.ts';
import { reserveCall, stopForBudget } from '../../../src/store/money/ledger.ts';
import { beginAttempt, revokeAttempt, storeAssignment, storeReport } from '../../../src/store/runs/assignments.ts';
import { findCall, recordCall } from '../../../src/store/runs/tool-calls.ts';
import { readLog } from '../../../src/read-model/queries/log.ts';
import { agentAssignments, agentAttempts } from '../../../src/store/connection/schema.ts';
import { assignmentOf, useTables } from '../../support/tables.ts';

const tables = useTables();
const tokens = createRunTokens('k'.repeat(32));

let released: string[];

beforeEach(async () => {
  released = [];
  await tables.db.delete(agentAssignments);
  await tables.db.delete(agentAttempts);
});

async function assign(runId: string): Promise<void> {
  await storeAssignment(tables.db, assignmentOf(runId));
}

function activitiesWith(runtime: Partial<AgentPorts['runtime']>) {
  const permits: AgentPorts['permits'] = {
    acquire: async () => ({ granted: true }),
    release: async (runId) => void released.push(runId),
  };
  return createAgentActivities({ db: tables.db, runtime, runToken: tokens.issue, permits } as unknown as AgentPorts);
}

const LAUNCH = {
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

test('T15: the token of a run opens nothing any more before its agent is asked to stop', async () => {
  const runId = randomUUID();
  const access = createRunAccess(tables.db, tokens);
  const opened: boolean[] = [];
  const opens = async (): Promise<object> => {
    opened.push((await access.open(tokens.issue(runId, 1))) !== undefined);
    return {};
  };
  const activities = activitiesWith({ launch: opens, stop: async () => void (await opens()) });
  await assign(runId);
  await activities.launchAgent({ runId, workspace: 'codex-demo-r42-i7', ...LAUNCH, attempt: 1 });
  await activities.stopAgent({ runId, workspace: 'codex-demo-r42-i7' });
  expect(opened).toEqual([true, false]);
});

test('T44: the token of an earlier attempt opens nothing any more before the next agent is launched', async () => {
  const runId = randomUUID();
  const access = createRunAccess(tables.db, tokens);
  const opened: boolean[][] = [];
  const activities = activitiesWith({
    async launch({ attempt }) {
      const answers = [attempt - 1, attempt].map((each) => access.open(tokens.issue(runId, each)));
      opened.push((await Promise.all(answers)).map((run) => run !== undefined));
      return {};
    },
  });
  await assign(runId);
  await activities.launchAgent({ runId, workspace: 'codex-demo-r42-i7', ...LAUNCH, attempt: 2 });
  expect(opened).toEqual([[false, true]]);
});

test('an attempt that was revoked while its permit was acquired gets no agent, and gives the permit back', async () => {
  const runId = randomUUID();
  const launched: number[] = [];
  const activities = activitiesWith({ launch: async ({ attempt }) => (launched.push(attempt), {}) });
  await assign(runId);
  await activities.revokeToken({ runId, attempt: 1 });
  await expect(
    activities.launchAgent({ ...LAUNCH, runId, workspace: 'codex-demo-r42-i7', attempt: 1 }),
  ).rejects.toMatchObject({ type: 'AttemptRevoked', nonRetryable: true });
  expect(launched).toEqual([]);
  expect(released).toEqual([runId]);
});

describe('a launch under way when its attempt is revoked', () => {
  const runId = randomUUID();
  const launching = async (meanwhile: () => Promise<void>) => {
    const stopped: string[] = [];
    const activities = activitiesWith({
      async launch() {
        await meanwhile();
        return {};
      },
      stop: async ({ runId: of }) => void stopped.push(of),
    });
    await assign(runId);
    const launch = activities.launchAgent({ ...LAUNCH, runId, workspace: 'codex-demo-r42-i7', attempt: 1 });
    await expect(launch).rejects.toMatchObject({ type: 'AttemptRevoked', nonRetryable: true });
    return stopped;
  };

  test('stops the agent that it has started, and gives the permit back', async () => {
    const stopped = await launching(() => revokeAttempt(tables.db, runId, 1));
    expect([stopped, released]).toEqual([[runId], [runId]]);
  });

  test('leaves the next attempt alone, where that has begun', async () => {
    const stopped = await launching(async () => {
      await revokeAttempt(tables.db, runId, 1);
      await beginAttempt(tables.db, runId, 2);
    });
    expect([stopped, released]).toEqual([[], []]);
  });
});

test('an agent that is halted ends with a token that is still good, so that its conversation can be stored', async () => {
  const runId = randomUUID();
  const access = createRunAccess(tables.db, tokens);
  let isOpen = false;
  const activities = activitiesWith({
    launch: async () => ({}),
    stop: async () => void (isOpen = (await access.open(tokens.issue(runId, 1))) !== undefined),
  });
  await assign(runId);
  await activities.launchAgent({ ...LAUNCH, runId, workspace: 'codex-demo-r42-i7', attempt: 1 });
  await activities.haltAgent({ runId, workspace: 'codex-demo-r42-i7' });
  expect(isOpen).toBe(true);
});

describe('an agent with a tool call that waits for a person', () => {
  const CALL = {
    attempt: 1,
    tool: 'database.lifecycle',
    action: 'create',
    args: '{"action":"create"}',
    digest: 'd'.repeat(64),
    decision: { mode: 'owner', rule: null, reason: 'no rule of the policy names this call' },
    state: 'requested',
  } as const;

  test.each([
    ['was lost', undefined],
    ['reports that it has failed', { outcome: 'failed', failure: 'agent_failed', detail: 'it gave up' }],
    [
      'reports that it has finished',
      {
        outcome: 'finished',
        answer: { summary: 'Done', title: 'Done', checks: [], answers: [] },
        headSha: 'a'.repeat(40),
        threadId: 'thread-1',
        model: 'test-model',
        reasoningEffort: 'high',
      },
    ],
  ] as const)('waits, also if it %s', async (_how, report) => {
    const runId = randomUUID();
    const activities = activitiesWith({ ended: async () => ({ detail: 'gone' }), stop: async () => {} });
    await assign(runId);
    if (report) await storeReport(tables.db, runId, 1, report);
    const call = await recordCall(tables.db, { runId, ...CALL });
    expect(call).toMatchObject({ id: `${runId}:1` });
    const parked = { id: `${runId}:1`, digest: CALL.digest, mode: 'owner', summary: CALL.args };
    const ref = { runId, workspace: 'codex-demo-r42-i7', attempt: 1 };
    const end = await new MockActivityEnvironment().run(() => activities.awaitAgent(ref));
    expect(end).toMatchObject({ kind: 'reported', report: { outcome: 'parked', call: parked } });
    expect(await activities.haltAgent(ref)).toMatchObject({ parked });
  });

  test('that reports so without one, is one whose turn was ended', async () => {
    const runId = randomUUID();
    const activities = activitiesWith({ ended: async () => ({ detail: 'gone' }) });
    await assign(runId);
    const session = { headSha: null, threadId: 'thread-1', model: 'test-model', reasoningEffort: 'high' };
    await storeReport(tables.db, runId, 1, { outcome: 'parked', ...session });
    const ref = { runId, workspace: 'codex-demo-r42-i7', attempt: 1 };
    const end = await new MockActivityEnvironment().run(() => activities.awaitAgent(ref));
    expect(end).toEqual({ kind: 'reported', report: { outcome: 'steered' } });
  });

  test('has none any more when its run has ended', async () => {
    const runId = randomUUID();
    const activities = activitiesWith({});
    await assign(runId);
    await recordCall(tables.db, { runId, ...CALL });
    await activities.endRun({ runId });
    expect((await findCall(tables.db, `${runId}:1`))?.state).toBe('expired');
  });
});

describe('the token of a run', () => {
  test('that is revoked while the run waits opens nothing; that of the next attempt does', async () => {
    const runId = randomUUID();
    const access = createRunAccess(tables.db, tokens);
    const opens = async (attempt: number): Promise<boolean> =>
      (await access.open(tokens.issue(runId, attempt))) !== undefined;
    const activities = activitiesWith({ launch: async () => ({}) });
    const launch = (attempt: number) =>
      activities.launchAgent({ ...LAUNCH, runId, workspace: 'codex-demo-r42-i7', attempt });
    await assign(runId);
    await launch(1);
    await activities.revokeToken({ runId, attempt: 1 });
    expect(await opens(1)).toBe(false);
    await expect(launch(1)).rejects.toMatchObject({ type: 'AttemptRevoked' }); // a launch that comes late
    expect(await opens(1)).toBe(false);
    await launch(2);
    expect([await opens(1), await opens(2)]).toEqual([false, true]);
  });

  test('opens nothing after its end, whatever is launched later, and its permit is released', async () => {
    const runId = randomUUID();
    const access = createRunAccess(tables.db, tokens);
    const activities = activitiesWith({ launch: async () => ({}) });
    await assign(runId);
    await activities.endRun({ runId });
    await expect(
      activities.launchAgent({ ...LAUNCH, runId, workspace: 'codex-demo-r42-i7', attempt: 2 }),
    ).rejects.toMatchObject({ type: 'AttemptRevoked' });
    expect(await access.open(tokens.issue(runId, 2))).toBeUndefined();
    expect(new Set(released)).toEqual(new Set([runId]));
  });
});

test('each attempt has a report of its own', async () => {
  const runId = randomUUID();
  const activities = activitiesWith({ launch: async () => ({}), ended: async () => ({ detail: 'it ended' }) });
  const asked = { outcome: 'asked', question: { text: 'Which?', options: [] }, headSha: null } as const;
  const by = { threadId: 't', model: 'm', reasoningEffort: 'high' };
  await assign(runId);
  await storeReport(tables.db, runId, 1, { ...asked, ...by });
  await storeReport(tables.db, runId, 1, { outcome: 'failed', failure: 'agent_failed', detail: 'too late' });
  await storeReport(tables.db, runId, 2, { outcome: 'failed', failure: 'no_changes', detail: '' });
  const end = (attempt: number) =>
    new MockActivityEnvironment().run(() => activities.awaitAgent({ runId, workspace: 'codex-demo-r42-i7', attempt }));
  expect(await end(1)).toMatchObject({ report: { outcome: 'asked', question: asked.question } });
  expect(await end(2)).toMatchObject({ report: { outcome: 'failed', failure: 'no_changes' } });
});

describe('of a lost agent', () => {
  const LETTERS = 'a1B2c3D4e5'.repeat(4);
  const KEY = `-----BEGIN RSA PRIVATE KEY-----\n${LETTERS}\n-----END RSA PRIVATE KEY-----`;

  /** What comes of an agent that ends like this without a report. */
  async function lose(end: { detail: string; log?: string }, runId: string = randomUUID()) {
    const activities = activitiesWith({ ended: async () => ({ ...end, termination: 'agent_lost' }) });
    const workspace = new MockActivityEnvironment({}, { logger: new DefaultLogger('ERROR') });
    const told: unknown = await workspace.run(() =>
      activities.awaitAgent({ runId, workspace: 'codex-demo-r42-i7', attempt: 1 }),
    );
    const kept = await readLog(tables.db, runId, { after: -1, limit: 100 });
    return { told, kept: kept.map(({ text }) => text) };
  }

  test('the end of the output is kept, without secrets', async () => {
    const runId = randomUUID();
    const log = `token=${tokens.issue(runId, 1)}\nghp_${LETTERS}\nsk-proj-${LETTERS}\n${KEY}\nSegmentation fault\n`;
    expect((await lose({ detail: 'exit code 139', log }, runId)).kept).toEqual([
      'The end of what attempt 1 wrote:',
      'token=[redacted]',
      '[redacted]',
      '[redacted]',
      '[redacted]',
      'Segmentation fault',
    ]);
  });

  test('the detail contains no secrets', async () => {
    const runId = randomUUID();
    const detail = `Error: ${tokens.issue(runId, 1)} and github_pat_${LETTERS}, exit code 1`;
    expect((await lose({ detail }, runId)).told).toEqual({
      kind: 'lost',
      termination: 'agent_lost',
      detail: 'Error: [redacted] and [redacted], exit code 1',
    });
  });

  test('nothing is kept where there is no output', async () => {
    expect((await lose({ detail: 'its namespace is gone' })).kept).toEqual([]);
  });
});

describe('a spent budget', () => {
  const budget = (runId: string) => ({ scope: 'run', key: runId, spent: 5, limit: 6, original: 6 }) as const;

  test.each([
    ['finished', { outcome: 'failed', failure: 'agent_failed', detail: 'x' } as const],
    ['was lost', undefined],
  ])('counts more than that the agent %s', async (_how, report) => {
    const runId = randomUUID();
    const activities = activitiesWith({ ended: async () => ({ detail: 'exit code 1' }) });
    await assign(runId);
    await beginAttempt(tables.db, runId, 1, undefined);
    if (report) await storeReport(tables.db, runId, 1, report);
    await stopForBudget(tables.db, { runId, attempt: 1 }, budget(runId));
    const ended = new MockActivityEnvironment().run(async () =>
      activities.awaitAgent({ runId, workspace: 'w', attempt: 1 }),
    );
    expect(await ended).toEqual({ kind: 'reported', report: { outcome: 'budget_spent', budget: budget(runId) } });
  });

  test('is raised before the next agent is launched, once', async () => {
    const runId = randomUUID();
    const call = {
      runId,
      attempt: 2,
      issue: runId,
      project: runId,
      model: 'm',
      most: 12,
      prices: '',
      lostAfterMs: 1000,
    };
    const reserved: boolean[] = [];
    const activities = activitiesWith({
      launch: async () => {
        reserved.push((await reserveCall(tables.db, call, { run: 6 })).id !== undefined);
        return {};
      },
    });
    const raise = { scope: 'run', key: runId, requestId: `${runId}.1`, added: 6, actor: 'olivia' } as const;
    const goingOn = { kind: 'budget', raise, at: '2026-12-01T10:00:00.000Z' } as const;
    await assign(runId);
    for (const _ of [1, 2]) await activities.launchAgent({ runId, workspace: 'w', ...LAUNCH, goingOn, attempt: 2 });
    expect(reserved).toEqual([true, false]);
  });
});
