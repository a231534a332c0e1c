import type { Client, WorkflowHandle } from '@temporalio/client';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import type { Worker } from '@temporalio/worker';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createPermitActivities, type RunPermits } from '../../../activities/agents/permits.ts';
import { createRunPermits } from '../../../src/temporal/run-permits.ts';
import { replayHistories } from '../../../src/cli/histories/replay.ts';
import { createWorkflowRecords } from '../../../src/temporal/workflow-records.ts';
import { RUN_LIMITS, type PermitState, type RunLimits } from '../../../src/domain/run/permits.ts';
import {
  cancelRun,
  PERMITS_WORKFLOW_ID,
  permitGranted,
  permitsQuery,
  runWorkflowId,
  TASK_QUEUE,
  type RunInput,
} from '../../../workflows/messages.ts';
import { createFakeWorld, FINISHED, ISSUE, runId, type FakeWorld } from '../../support/fake-activities.ts';
import { createTestWorker, startTemporal, workflowBundle } from '../../support/temporal.ts';

const CONTINUES_AT = 60;

let temporal: TestWorkflowEnvironment;
let client: Client;
let worker: Worker;
let working: Promise<void>;
let world: FakeWorld;
let limits: RunLimits;
/** Called after a run has asked, before the worker may report it. */
let afterAsking: (run: string) => void;
let count = 0;
let started: string[];

beforeAll(async () => {
  temporal = await startTemporal({ 'limit.historyCount.suggestContinueAsNew': CONTINUES_AT });
  ({ client } = temporal);
});
afterAll(async () => temporal?.teardown());

beforeEach(async () => {
  count += 1;
  started = [];
  limits = { ...RUN_LIMITS, roles: { ...RUN_LIMITS.roles, dev: 1 } };
  afterAsking = () => {};
  const fake = createFakeWorld();
  ({ world } = fake);
  const permits: RunPermits = {
    ...createRunPermits(client, limits),
    get limits() {
      return limits;
    },
  };
  worker = await createTestWorker(temporal, {
    ...fake.activities,
    ...createPermitActivities({ permits, workflows: createWorkflowRecords(client) }),
    async launchAgent(input) {
      const answer = await permits.acquire({ runId: input.runId, ...input.permit });
      afterAsking(input.runId);
      return answer.granted ? fake.activities.launchAgent(input) : answer;
    },
    async endRun(input) {
      await fake.activities.endRun(input);
      await permits.release(input.runId);
    },
  });
  working = worker.run();
  await startCoordinator();
});
afterEach(async () => {
  for (const run of started)
    await client.workflow
      .getHandle(runWorkflowId(run))
      .terminate('end of test')
      .catch(() => undefined);
  worker.shutdown();
  await working;
});

async function startCoordinator(): Promise<void> {
  await client.workflow.start('permitsWorkflow', {
    workflowId: PERMITS_WORKFLOW_ID,
    workflowIdConflictPolicy: 'TERMINATE_EXISTING',
    taskQueue: TASK_QUEUE,
    args: [{ reviewSeconds: 1 }],
  });
}

/** Run ids are workflow ids, so each test has its own. */
const id = (n: number): string => runId(count * 1000 + n);

/** A developer's run of a project begins. */
async function begin(n: number, project = 'trial'): Promise<WorkflowHandle> {
  const input: RunInput = {
    issue: ISSUE,
    issueTitle: 'Add a flag',
    plan: {
      runId: id(n),
      target: { stage: 'dev', kind: 'work' },
      trigger: { kind: 'label', event: n },
      label: 'run:dev',
      by: { id: 7, login: 'olivia' },
      delivery: `delivery-${n}`,
      requestedAt: '2026-11-21T10:00:00.000Z',
      revision: 0,
    },
    settings: {
      project,
      locale: 'en',
      baseBranch: 'main',
      model: 'test-model',
      reasoningEffort: 'high',
      dashboardUrl: 'http://dashboard',
      workspaceHours: 24,
      waitHours: { question: 168, paused: 168 },
    },
    workspace: { name: `codex-${n}`, until: '2026-11-22T10:00:00.000Z' },
    resume: null,
    pullRequest: null,
    branch: 'codex/issue-12',
    since: null,
    closes: true,
  };
  started.push(id(n));
  return client.workflow.start('runWorkflow', {
    workflowId: runWorkflowId(id(n)),
    taskQueue: TASK_QUEUE,
    args: [input],
  });
}

const run = (n: number): WorkflowHandle => client.workflow.getHandle(runWorkflowId(id(n)));
const coordinator = (): WorkflowHandle => client.workflow.getHandle(PERMITS_WORKFLOW_ID);
const permitsNow = (): Promise<PermitState> => coordinator().query(permitsQuery);
const until = (condition: () => unknown): Promise<void> =>
  expect.poll(condition, { timeout: 50_000, interval: 50 }).toBeTruthy();
const works = (n: number): Promise<void> => until(() => world.rows.get(id(n))?.status === 'working');
const waits = (n: number): Promise<void> => until(() => world.rows.get(id(n))?.status === 'queued');
const end = (n: number): void => world.endAgent(id(n), FINISHED);
const launched = (): string[] =>
  world.calls.filter(({ name }) => name === 'launchAgent').map(({ input }) => String(input['runId']));
const comment = (n: number): unknown =>
  world.calls.findLast(({ name, input }) => name === 'writeStatusComment' && input['runId'] === id(n))?.input['body'];

/** The first run works, the others wait in their order. */
async function line(...waiting: number[]): Promise<void> {
  await begin(1);
  await works(1);
  for (const n of waiting) {
    await begin(n);
    await waits(n);
  }
}

describe('a run beyond a limit', () => {
  test('waits, shows its queue position, and works when another is done', async () => {
    await line(2);
    expect(comment(2)).toContain('position 1 in the queue of the project');
    expect(comment(2)).toContain('- ⏳ Queued in the project');
    expect(world.countEvents('run.queued')).toBe(1);
    end(1);
    await works(2);
    expect(launched()).toEqual([id(1), id(2)]);
    end(2);
    await expect(run(2).result()).resolves.toMatchObject({ status: 'succeeded' });
    await until(async () => (await permitsNow()).holders.length === 0);
  });

  test('shows its new queue position when those before it are gone', async () => {
    await line(2, 3);
    expect(comment(3)).toContain('position 2');
    end(1);
    await works(2);
    await until(() => String(comment(3)).includes('position 1'));
    expect(world.countEvents('run.queued')).toBe(2);
  });

  test('holds up no other project', async () => {
    await line(2);
    await begin(3, 'other');
    await works(3);
    expect(world.rows.get(id(2))?.status).toBe('queued');
  });

  test('that is canceled while it waits leaves the queue and launches nothing', async () => {
    await line(2, 3);
    await run(2).signal(cancelRun, { actor: 'olivia', reason: 'a mistake' });
    await expect(run(2).result()).resolves.toMatchObject({ status: 'canceled', actor: 'olivia' });
    await until(async () => (await permitsNow()).waiting.length === 1);
    end(1);
    await works(3);
    expect(launched()).toEqual([id(1), id(3)]);
  });

  test('that is terminated while it waits holds up nobody', async () => {
    await line(2, 3);
    await run(2).terminate('by an operator');
    end(1);
    await works(3);
  });

  test('works when the limit is raised', async () => {
    await line(2);
    limits = RUN_LIMITS;
    await works(2);
  });
});

describe('a turn', () => {
  test('of a run that was terminated is given to who waits', async () => {
    await line(2);
    await run(1).terminate('by an operator');
    await works(2);
    expect((await permitsNow()).holders.map(({ runId: holder }) => holder)).toEqual([id(2)]);
  });

  test('is given up also by a run that failed and by one that was canceled', async () => {
    await line(2, 3);
    world.endAgent(id(1), { kind: 'reported', report: { outcome: 'failed', failure: 'no_changes', detail: '' } });
    await works(2);
    await run(2).signal(cancelRun, { actor: 'olivia', reason: 'a mistake' });
    await works(3);
  });

  test('stays with a run whose agent is launched again', async () => {
    await line(2);
    world.endAgent(id(1), { kind: 'lost', detail: 'killed' });
    await until(() => launched().length === 2);
    expect(launched()).toEqual([id(1), id(1)]);
    expect(world.rows.get(id(2))?.status).toBe('queued');
  });

  test('is one, though a worker that asked for it was killed before it could say so', async () => {
    let asked = 0;
    afterAsking = () => {
      asked += 1;
      if (asked === 1) throw new Error('killed');
    };
    await line();
    expect(asked).toBe(2);
    expect((await permitsNow()).holders).toHaveLength(1);
  });

  test('is one in the queue as well', async () => {
    const asked: string[] = [];
    afterAsking = (of) => {
      asked.push(of);
      if (asked.filter((one) => one === of).length === 1) throw new Error('killed');
    };
    await line(2);
    expect((await permitsNow()).waiting).toHaveLength(1);
    end(1);
    await works(2);
  });

  test('that comes after the coordinator was ended by mistake is asked for again', async () => {
    await line(2);
    await coordinator().terminate('by mistake');
    // What a quarter of an hour does in earnest.
    await run(2).signal(permitGranted);
    await works(2);
    expect(launched()).toEqual([id(1), id(2)]);
  });
});

describe('the coordinator', () => {
  test('takes its queue along when it continues as new', async () => {
    await line(2, 3, 4);
    const first = (await coordinator().describe()).runId;
    const before = await permitsNow();
    await until(async () => (await coordinator().describe()).runId !== first);
    expect(await permitsNow()).toEqual(before);
    for (const n of [1, 2, 3]) {
      end(n);
      await works(n + 1);
    }
    expect(launched()).toEqual([1, 2, 3, 4].map(id));
  });

  test('has no timer and asks nothing while nobody waits', async () => {
    await line();
    await begin(2, 'other');
    await works(2);
    end(1);
    await run(1).result();
    await until(async () => (await permitsNow()).holders.length === 1);
    const { events } = await coordinator().fetchHistory();
    const types = (events ?? []).map((event) => Object.keys(event).find((key) => key.endsWith('EventAttributes')));
    expect(types).not.toContain('timerStartedEventAttributes');
    expect(types).not.toContain('activityTaskScheduledEventAttributes');
  });

  test('gives each of many that ask at once one turn, and never too many', async () => {
    const runs = Array.from({ length: 15 }, (_, index) => index + 1);
    await Promise.all(runs.map((n) => begin(n, `project-${n % 3}`)));
    await until(async () => {
      const { holders, waiting } = await permitsNow();
      return holders.length === 3 && waiting.length === runs.length - 3;
    });
    for (const n of runs) end(n);
    let most = 0;
    await until(async () => {
      most = Math.max(most, (await permitsNow()).holders.length);
      return [...world.rows.values()].filter(({ status }) => status === 'succeeded').length === runs.length;
    });
    expect(most).toBe(3);
    expect(launched().toSorted()).toEqual(runs.map(id).toSorted());
  });

  test('and a run that waited do the same when they are replayed', async () => {
    await line(2, 3);
    await run(3).signal(cancelRun, { actor: 'olivia', reason: 'a mistake' });
    end(1);
    await works(2);
    end(2);
    await Promise.all([1, 2, 3].map((n) => run(n).result()));
    async function* histories() {
      for (const handle of [coordinator(), run(2), run(3)])
        yield { workflowId: handle.workflowId, source: '', history: await handle.fetchHistory() };
    }
    for await (const { failure } of replayHistories(await workflowBundle(), histories())) expect(failure).toBeNull();
  });
});
