/** The sweeps' workflows and their Schedules on a real Temporal server. */
import type { Client } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import type { Worker } from '@temporalio/worker';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Activities } from '../../../activities/index.ts';
import { ensureSchedules, type SweepSettings } from '../../../src/temporal/schedules.ts';
import { SCHEDULES, TASK_QUEUE } from '../../../workflows/messages.ts';
import type { ReconcileResult } from '../../../workflows/maintenance/workflows.ts';
import { createTestWorker, openTemporal } from '../../support/temporal.ts';

const SETTINGS: SweepSettings = {
  redeliverySeconds: 240,
  reconcileSeconds: 240,
  workspaceSeconds: 3600,
  graceSeconds: 1,
  retention: { bodiesDays: 30, logsDays: 90, conversationsDays: 90, statusCommentsDays: 90 },
  orphanSeconds: 3600,
};
const ORPHAN = { name: 'codex-r1-i7', owner: 'issue:1#7', runs: [], usedAt: '2026-11-22T10:00:00.000Z' };

let temporal: TestWorkflowEnvironment;
let client: Client;

beforeAll(async () => {
  temporal = await openTemporal();
  ({ client } = temporal);
});
afterAll(async () => temporal?.teardown());

describe('a sweep', () => {
  let worker: Worker;
  let working: Promise<void>;
  let asked: { name: keyof Activities; input: unknown }[];
  let repositories: number[];
  let act: Partial<Activities>;
  let count = 0;

  beforeEach(async () => {
    asked = [];
    repositories = [];
    act = {};
    worker = await createTestWorker(temporal, {
      listSweptRepositories: async () => repositories,
      redeliverFailed: async (input) => ask('redeliverFailed', input, redelivered(0)),
      reconcileRepositories: async (input) =>
        ask('reconcileRepositories', input, { made: 0, found: [], unfinished: [], leftOut: [] }),
      endLostRuns: async (input) => ask('endLostRuns', input, { looked: 0, ended: [], unsignaled: [] }),
      findAbandonedIssues: async (input) => ask('findAbandonedIssues', input, []),
      findOrphans: async (input) => ask('findOrphans', input, []),
      removeOrphans: async (input) => ask('removeOrphans', input, { removed: [], kept: [] }),
    });
    working = worker.run();
  });
  afterEach(async () => {
    worker.shutdown();
    await working;
  });

  /** What the test says, else what is said of a world where all is well. */
  async function ask<Result>(name: keyof Activities, input: unknown, otherwise: Result): Promise<Result> {
    asked.push({ name, input });
    const own = act[name] as ((input: unknown) => Promise<Result>) | undefined;
    return own ? own(input) : otherwise;
  }

  function redelivered(resent: number) {
    return { resent, waiting: 0, givenUp: 0, recovered: 0, cutShort: 0, leftOut: [] };
  }

  const inputs = (name: keyof Activities): unknown[] =>
    asked.filter((call) => call.name === name).map(({ input }) => input);

  async function run<Result>(workflowType: keyof typeof SCHEDULES, ...args: unknown[]): Promise<Result> {
    count += 1;
    return client.workflow.execute(workflowType, { workflowId: `sweep-${count}`, taskQueue: TASK_QUEUE, args });
  }

  test('reads repositories in chunks, and shares its limit among them', async () => {
    repositories = Array.from({ length: 60 }, (_, index) => index + 1);
    act.redeliverFailed = async ({ repositories: chunk }) => redelivered(chunk.length);
    expect(await run('redeliverySweep')).toMatchObject({ repositories: 60, resent: 60, endedEarly: null });
    const chunks = inputs('redeliverFailed') as { repositories: number[]; limit: number }[];
    expect(chunks.map((chunk) => [chunk.repositories.length, chunk.limit])).toEqual([
      [25, 150],
      [25, 125],
      [10, 100],
    ]);
  });

  test('that cannot go on says why, and leaves the rest to the next', async () => {
    repositories = Array.from({ length: 30 }, (_, index) => index + 1);
    act.redeliverFailed = async () => {
      throw ApplicationFailure.nonRetryable('no words', 'GitHubRateLimited');
    };
    expect(await run('redeliverySweep')).toMatchObject({ resent: 0, endedEarly: 'no words' });
    expect(inputs('redeliverFailed')).toHaveLength(1);
  });

  test('that has not finished a repository says from where the next one goes on', async () => {
    repositories = [1, 2];
    const unfinished = [{ repository: 2, since: '2026-11-22T09:00:00.000Z' }];
    act.reconcileRepositories = async () => ({ made: 3, found: [], unfinished, leftOut: [] });
    const behind = { 2: '2026-11-22T09:00:00.000Z' };
    expect(await run('reconcileSweep', { graceSeconds: 60 })).toMatchObject({ made: 3, behind });
  });

  test('of runs that fails takes nothing from what was reconciled', async () => {
    repositories = [1];
    act.endLostRuns = async () => {
      throw ApplicationFailure.nonRetryable('Temporal is tired');
    };
    expect(await run('reconcileSweep', { graceSeconds: 60 })).toMatchObject({
      repositories: 1,
      runs: null,
      behind: {},
    });
  });

  test('removes orphaned workspaces only after the grace period', async () => {
    act.findOrphans = async () => [ORPHAN];
    act.removeOrphans = async () => ({ removed: [ORPHAN.name], kept: [] });
    const input = { ageSeconds: 3600, graceSeconds: 1 };
    const since = Date.now();
    expect(await run('workspaceSweep', input)).toEqual({ removed: [ORPHAN.name], kept: [], abandoned: [] });
    expect(Date.now() - since).toBeGreaterThanOrEqual(1000);
    expect(inputs('removeOrphans')).toEqual([{ orphans: [ORPHAN], ageSeconds: 3600 }]);
  });

  test('that a Schedule starts goes on from where the last one ended, and further back where one was skipped', async () => {
    repositories = [1, 2];
    act.reconcileRepositories = async () => ({
      made: 0,
      found: [],
      unfinished: [],
      leftOut: inputs('reconcileRepositories').length === 1 ? [{ repository: 2, reason: 'GitHubNotFound' }] : [],
    });
    await ensureSchedules(client, { ...SETTINGS, redeliverySeconds: 86_400, reconcileSeconds: 1 });
    const handle = client.schedule.getHandle(SCHEDULES.reconcileSweep);
    await expect.poll(() => inputs('reconcileRepositories').length, { timeout: 60_000 }).toBeGreaterThan(2);
    await handle.pause();
    const { info } = await handle.describe();
    const results: ReconcileResult[] = [];
    for (const { action } of info.recentActions) {
      const { workflowId, firstExecutionRunId } = action.workflow;
      results.push((await client.workflow.getHandle(workflowId, firstExecutionRunId).result()) as ReconcileResult);
    }
    type Asked = { repositories: { id: number; since: string }[] };
    const [first, second, third] = inputs('reconcileRepositories') as Asked[];
    const threeDays = 3 * 24 * 3_600_000;
    const [since] = first?.repositories ?? [];
    expect(Date.parse(results[0]?.until ?? '') - Date.parse(since?.since ?? '')).toBe(threeDays);
    expect(results[0]?.behind).toEqual({ 2: since?.since });
    const soon = (result: ReconcileResult | undefined): string =>
      new Date(Date.parse(result?.until ?? '') - 15 * 60_000).toISOString();
    expect(second?.repositories).toEqual([
      { id: 1, since: soon(results[0]) },
      { id: 2, since: since?.since },
    ]);
    expect(third?.repositories.map((one) => one.since)).toEqual([soon(results[1]), soon(results[1])]);
    await Promise.all(Object.values(SCHEDULES).map(async (id) => client.schedule.getHandle(id).delete()));
  });
});

describe('the Schedules', () => {
  afterEach(async () => {
    await Promise.all(Object.values(SCHEDULES).map(async (id) => client.schedule.getHandle(id).delete()));
  });

  const describeAll = async () =>
    Promise.all(Object.values(SCHEDULES).map(async (id) => client.schedule.getHandle(id).describe()));
  const intervals = async () => (await describeAll()).map(({ spec }) => spec.intervals?.[0]?.every);

  test('are made by several workers at once', async () => {
    await Promise.all([1, 2, 3].map(async () => ensureSchedules(client, SETTINGS)));
    expect(await intervals()).toEqual([240_000, 240_000, 3_600_000, 3_600_000]);
    for (const { policies, state, memo } of await describeAll()) {
      expect(policies).toMatchObject({ overlap: 'SKIP', catchupWindow: 60_000, pauseOnFailure: false });
      expect([state.note, memo?.['summary']]).toEqual([expect.any(String), expect.any(String)]);
    }
  });

  test('are left as they are by the same build', async () => {
    await ensureSchedules(client, SETTINGS);
    await ensureSchedules(client, SETTINGS);
    expect((await describeAll()).map(({ info }) => info.lastUpdatedAt)).toEqual([
      undefined,
      undefined,
      undefined,
      undefined,
    ]);
  });

  test('are brought up to date by a build that wants something else', async () => {
    await ensureSchedules(client, SETTINGS);
    const changed = { ...SETTINGS, redeliverySeconds: 60, graceSeconds: 30 };
    await Promise.all([1, 2].map(async () => ensureSchedules(client, changed)));
    expect(await intervals()).toEqual([60_000, 240_000, 3_600_000, 3_600_000]);
    const [, reconcile] = await describeAll();
    expect(reconcile?.action.args).toEqual([{ graceSeconds: 30 }]);
  });

  test('S15: remove what is old after the days that the installation wants', async () => {
    await ensureSchedules(client, SETTINGS);
    const [, , , retention] = await describeAll();
    expect(retention?.action).toMatchObject({ workflowType: 'retentionSweep', args: [SETTINGS.retention] });
  });

  test('stay paused when somebody has paused them', async () => {
    await ensureSchedules(client, SETTINGS);
    await client.schedule.getHandle(SCHEDULES.redeliverySweep).pause('not now');
    await ensureSchedules(client, { ...SETTINGS, redeliverySeconds: 60 });
    const [redelivery] = await describeAll();
    expect(redelivery?.state).toMatchObject({ paused: true, note: 'not now' });
  });
});
