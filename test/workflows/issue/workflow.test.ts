import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { WorkflowHandle } from '@temporalio/client';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { ApplicationFailure } from '@temporalio/common';
import { outgoing } from '../../../src/adapters/github/outgoing.ts';
import { issueKey, type ObservedFact } from '../../../src/domain/issue/facts.ts';
import type { IssueState } from '../../../src/domain/issue/state.ts';
import { cancelRun, issueStateQuery, observed, runWorkflowId, TASK_QUEUE } from '../../../workflows/messages.ts';
import {
  changesRequested,
  createFakeWorld,
  delivered,
  FINISHED,
  ISSUE,
  labeled,
  runId,
  type FakeWorld,
} from '../../support/fake-activities.ts';
import { endIssue } from '../../support/issue-stage.ts';
import { sharedWorker } from '../../support/shared-worker.ts';
import { openTemporal } from '../../support/temporal.ts';

let temporal: TestWorkflowEnvironment;
let worker: Awaited<ReturnType<typeof sharedWorker>>;
let world: FakeWorld;
let number = 100;
let ownRuns = /^$/;
let issue: typeof ISSUE | { repositoryId: number; owner: string; name: string; number: number };

beforeAll(async () => {
  temporal = await openTemporal();
});
afterAll(async () => temporal?.teardown());

beforeEach(async () => {
  number += 1;
  issue = { ...ISSUE, number };
  ownRuns = new RegExp(`${number}\\d\\d$`);
  const fake = createFakeWorld();
  ({ world } = fake);
  worker = await sharedWorker(temporal, Object.keys(fake.activities));
  worker.activities.set(number, fake.activities);
});
afterEach(async () => {
  const runs = world.calls.flatMap(({ input }) => (typeof input['runId'] === 'string' ? [input['runId']] : []));
  await endIssue(temporal, issueKey(issue), runs);
  worker.activities.delete(number);
});

async function tell(...facts: ObservedFact[]): Promise<WorkflowHandle> {
  return temporal.client.workflow.signalWithStart('issueWorkflow', {
    workflowId: issueKey(issue),
    taskQueue: TASK_QUEUE,
    args: [{ issue, title: 'Add a flag', url: 'http://github/acme/app/issues/12' }],
    signal: observed,
    signalArgs: [{ facts }],
  });
}

const state = (handle: WorkflowHandle): Promise<IssueState> => handle.query(issueStateQuery);
const until = (condition: () => unknown): Promise<void> =>
  expect.poll(condition, { timeout: 60_000, interval: 20 }).toBeTruthy();
/** Counts calls for this test's runs: a worker may be handed what an earlier test left behind. */
const called = (name: string): number =>
  world.calls.filter(
    (call) => call.name === name && (call.input['runId'] === undefined || ownRuns.test(String(call.input['runId']))),
  ).length;
/** Run ids are one per test, since they are workflow ids. */
const id = (n: number): string => runId(number * 100 + n);

async function finishedWork(): Promise<WorkflowHandle> {
  const handle = await tell(labeled(1, id(1)));
  world.endAgent(id(1), FINISHED);
  await until(async () => (await state(handle)).pullRequest);
  return handle;
}

describe('the main job', () => {
  test('a label becomes a pull request in review', async () => {
    await finishedWork();
    await until(() => called('moveLabels') === 1);
    expect(world.calls.find(({ name }) => name === 'moveLabels')?.input).toMatchObject({
      remove: 'run:dev',
      add: 'state:in-review',
      pullRequest: 13,
    });
    expect(world.rows.get(id(1))).toMatchObject({ status: 'succeeded', pullRequest: 13, threadId: 'thread-1' });
  });

  test('a run without incidents has at most 60 events', async () => {
    await finishedWork();
    const run = temporal.client.workflow.getHandle(runWorkflowId(id(1)));
    await run.result();
    expect((await run.fetchHistory()).events?.length).toBeLessThanOrEqual(60);
  });

  test('a status comment that GitHub does not take holds up nobody, and is caught up on', async () => {
    world.commentsRefused = true;
    await finishedWork();
    expect(called('writeStatusComment')).toBe(0);
    world.commentsRefused = false;
    await temporal.client.workflow.getHandle(runWorkflowId(id(1))).result();
    expect(world.calls.findLast(({ name }) => name === 'writeStatusComment')?.input['body']).toContain('Did it.');
  });

  test('a review that asks for changes goes on with the same conversation and pull request', async () => {
    const handle = await finishedWork();
    await tell(changesRequested(2, 900, id(2)));
    world.endAgent(id(2), FINISHED);
    await until(async () => (await state(handle)).last?.runId === id(2));
    const revise = world.calls.find(({ name, input }) => name === 'prepareAssignment' && input['runId'] === id(2));
    expect(revise?.input).toMatchObject({
      resume: { runId: id(1), threadId: 'thread-1' },
      pullRequest: 13,
      target: { kind: 'revise' },
    });
    expect(called('answerReview')).toBe(1);
  });

  test('the status comment of a revise is on the pull request', async () => {
    await finishedWork();
    await tell(changesRequested(2, 900, id(2)));
    await until(() => world.calls.some(({ name, input }) => name === 'writeStatusComment' && input['runId'] === id(2)));
    expect(
      world.calls.find(({ name, input }) => name === 'writeStatusComment' && input['runId'] === id(2))?.input,
    ).toMatchObject({ issue: { number: 13 } });
    world.endAgent(id(2), FINISHED);
  });

  test('a closed issue loses its workspace, and its workflow ends', async () => {
    const handle = await finishedWork();
    world.open = false;
    await tell(delivered(2, { kind: 'issue_closed' }));
    await handle.result();
    expect(called('removeWorkspace')).toBe(1);
  });

  test('a workspace is removed when its lease runs out, and the issue lives on', async () => {
    world.workspaceHours = 1 / 3600;
    const handle = await finishedWork();
    await until(() => called('removeWorkspace') === 1);
    await until(async () => (await state(handle)).workspace === null);
    expect((await handle.describe()).status.name).toBe('RUNNING');
  });
});

describe('one labeled event, one run', () => {
  test('the same facts signaled twice are learned once', async () => {
    await tell(labeled(1, id(1)));
    await until(() => called('launchAgent') === 1);
    await tell(labeled(1, id(1)), labeled(2, id(2)));
    await until(() => world.countEvents('trigger.duplicate') === 1);
    expect(called('launchAgent')).toBe(1);
  });

  test('label, unlabel, label again are two runs; the first is canceled by the removal', async () => {
    const handle = await tell(labeled(1, id(1)));
    await until(() => called('awaitAgent') === 1);
    Object.assign(world.events[0] ?? {}, { takenOffBy: { id: 7, login: 'olivia' } });
    world.events.push({ id: 101, account: 7, clearedByPlatform: false });
    await tell(delivered(2, { kind: 'trigger_label_removed', label: 'run:dev' }), labeled(3, id(3)));
    await until(() => world.rows.get(id(1))?.status === 'canceled');
    await until(async () => (await state(handle)).active?.runId === id(3));
    expect(world.rows.get(id(1))?.detail).toContain('olivia');
    expect(world.calls.find(({ name }) => name === 'moveLabels')?.input).toMatchObject({ remove: null });
  });

  test('a label that the platform itself took off at the end of a run, after it was put on again, still counts', async () => {
    world.labels = [];
    world.events = [{ id: 100, account: 7, clearedByPlatform: true }];
    await tell(labeled(1, id(1)));
    await until(() => called('launchAgent') === 1);
    world.endAgent(id(1), FINISHED);
  });
});

describe('the queue', () => {
  test('a second trigger waits, shows its queue position, keeps its label, and runs after the first', async () => {
    const handle = await tell(labeled(1, id(1)));
    await until(() => called('awaitAgent') === 1);
    world.events.push({ id: 101, account: 7, clearedByPlatform: false });
    await tell(labeled(2, id(2)));
    await until(() => world.rows.get(id(2))?.status === 'queued');
    expect(
      world.calls.find(({ name, input }) => name === 'writeStatusComment' && input['runId'] === id(2))?.input['body'],
    ).toContain('position 1');
    world.endAgent(id(1), FINISHED);
    await until(async () => (await state(handle)).active?.runId === id(2));
    expect(world.calls.find(({ name }) => name === 'moveLabels')?.input).toMatchObject({ remove: null });
    world.endAgent(id(2), FINISHED);
    await until(async () => (await state(handle)).last?.runId === id(2));
  });

  test('a run that waits can be canceled', async () => {
    const handle = await tell(labeled(1, id(1)));
    await until(() => called('awaitAgent') === 1);
    world.events.push({ id: 101, account: 7, clearedByPlatform: false });
    await tell(labeled(2, id(2)));
    await until(async () => (await state(handle)).queue.length === 1);
    await handle.signal(observed, {
      facts: [{ seq: null, fact: { kind: 'cancel_requested', runId: id(2), actor: 'olivia', reason: 'a mistake' } }],
    });
    await until(() => world.rows.get(id(2))?.status === 'canceled');
    expect((await state(handle)).active?.runId).toBe(id(1));
  });
});

describe('ending a run', () => {
  test('a canceled run stops its agent, says by whom, and opens no pull request', async () => {
    const handle = await tell(labeled(1, id(1)));
    await until(() => called('awaitAgent') === 1);
    await handle.signal(observed, {
      facts: [
        { seq: null, fact: { kind: 'cancel_requested', runId: id(1), actor: 'olivia', reason: 'changed my mind' } },
      ],
    });
    await until(async () => (await state(handle)).active === null);
    expect(called('stopAgent')).toBe(1);
    expect(called('openPullRequest')).toBe(0);
    const body = String(world.calls.findLast(({ name }) => name === 'writeStatusComment')?.input['body']);
    expect(outgoing(body)).toContain('Canceled by olivia: changed my mind');
  });

  test('closing the issue cancels the run and removes the workspace', async () => {
    const handle = await tell(labeled(1, id(1)));
    await until(() => called('awaitAgent') === 1);
    world.open = false;
    await tell(delivered(2, { kind: 'issue_closed' }));
    await handle.result();
    expect(world.rows.get(id(1))?.status).toBe('canceled');
    expect(called('removeWorkspace')).toBe(1);
  });

  test('closing the pull request unmerged cancels the revise', async () => {
    const handle = await finishedWork();
    await tell(changesRequested(2, 900, id(2)));
    await until(() => called('awaitAgent') === 2);
    world.pullRequest = { open: false, merged: false };
    await tell(delivered(3, { kind: 'pull_request_closed', pullRequest: 13, merged: false }));
    await until(async () => (await state(handle)).active === null);
    expect(world.rows.get(id(2))?.status).toBe('canceled');
  });

  test("canceling a run's workflow in Temporal stops its agent and frees the issue", async () => {
    const handle = await tell(labeled(1, id(1)));
    await until(() => called('awaitAgent') === 1);
    await temporal.client.workflow.getHandle(runWorkflowId(id(1))).cancel();
    await until(async () => (await state(handle)).active === null);
    expect(called('stopAgent')).toBe(1);
    expect(world.rows.get(id(1))?.status).toBe('canceled');
  });

  test("a run's workflow that is terminated frees the issue", async () => {
    const handle = await tell(labeled(1, id(1)));
    await until(() => called('awaitAgent') === 1);
    await temporal.client.workflow.getHandle(runWorkflowId(id(1))).terminate('by an operator');
    await until(() => world.rows.get(id(1))?.status === 'failed');
    expect(world.rows.get(id(1))).toMatchObject({ failure: 'platform_error' });
    expect((await state(handle)).active).toBeNull();
  });

  test('a terminated run that cannot be ended or shown lets the one begin that waits', async () => {
    const activities = worker.activities.get(number);
    if (!activities) throw new Error('the issue has no activities');
    const refused = () => Promise.reject(ApplicationFailure.nonRetryable('never'));
    const handle = await tell(labeled(1, id(1)));
    await until(() => called('awaitAgent') === 1);
    world.events.push({ id: 101, account: 7, clearedByPlatform: false });
    await tell(labeled(2, id(2)));
    await until(() => world.rows.get(id(2))?.status === 'queued');
    worker.activities.set(number, { ...activities, endRun: refused, recordRun: refused });
    await temporal.client.workflow.getHandle(runWorkflowId(id(1))).terminate('by an operator');
    await until(async () => (await state(handle)).active?.runId === id(2));
    expect(called('stopAgent')).toBe(1);
  });

  test('a second cancel changes nothing of the first', async () => {
    const handle = await tell(labeled(1, id(1)));
    await until(() => called('awaitAgent') === 1);
    const run = temporal.client.workflow.getHandle(runWorkflowId(id(1)));
    await Promise.all([
      run.signal(cancelRun, { actor: 'olivia', reason: 'first' }),
      run.signal(cancelRun, { actor: 'rita', reason: 'second' }),
    ]);
    await until(async () => (await state(handle)).active === null);
    expect(called('stopAgent')).toBe(1);
  });
});

describe('a step that the read model does not take, for good', () => {
  test('stops no other effect, and is reported in the next record', async () => {
    const activities = worker.activities.get(number);
    if (!activities) throw new Error('the issue has no activities');
    let refused = 0;
    worker.activities.set(number, {
      ...activities,
      recordIssue: async (input) => {
        if (!input.events.some(({ type }) => type === 'run.queued')) return activities.recordIssue(input);
        refused += 1;
        throw ApplicationFailure.nonRetryable('the database refused: never');
      },
    });
    const handle = await tell(labeled(1, id(1)));
    await until(() => called('awaitAgent') === 1);
    world.events.push({ id: 101, account: 7, clearedByPlatform: false });
    await tell(labeled(2, id(2)));
    await until(() => refused === 1);
    world.endAgent(id(1), FINISHED);
    await until(async () => (await state(handle)).active?.runId === id(2));
    expect(called('moveLabels')).toBeGreaterThan(0);
    const told = world.calls
      .flatMap(({ input }) => (input['events'] ?? []) as { type: string; payload: object }[])
      .filter(({ type }) => type === 'issue.not_recorded');
    expect(told).toMatchObject([{ payload: { events: ['run.queued'], reason: 'the database refused: never' } }]);
  });

  test('lets a run begin all the same, when it was its end', async () => {
    const activities = worker.activities.get(number);
    if (!activities) throw new Error('the issue has no activities');
    const handle = await tell(labeled(1, id(1)));
    await until(() => called('awaitAgent') === 1);
    world.events.push({ id: 101, account: 7, clearedByPlatform: false });
    await tell(labeled(2, id(2)));
    await until(() => world.rows.get(id(2))?.status === 'queued');
    worker.activities.set(number, {
      ...activities,
      recordIssue: () => Promise.reject(ApplicationFailure.nonRetryable('never')),
    });
    world.endAgent(id(1), FINISHED);
    await until(async () => (await state(handle)).active?.runId === id(2));
    expect(called('moveLabels')).toBeGreaterThan(0);
  });
});

describe('an agent that does not do its job', () => {
  test.each([
    'agent_failed',
    'no_changes',
    'answer_invalid',
    'agent_stalled',
    'push_rejected',
    'clone_failed',
    'deadline_exceeded',
  ] as const)('%s is told apart, and the trigger label comes off', async (failure) => {
    await tell(labeled(1, id(1)));
    world.endAgent(id(1), { kind: 'reported', report: { outcome: 'failed', failure, detail: 'what it said' } });
    await until(() => called('moveLabels') === 1);
    expect(world.rows.get(id(1))).toMatchObject({ status: 'failed', failure, detail: 'what it said' });
    expect(world.calls.find(({ name }) => name === 'moveLabels')?.input).toMatchObject({
      remove: 'run:dev',
      add: null,
    });
    expect(called('openPullRequest')).toBe(0);
  });

  test('one that is lost is launched again', async () => {
    const handle = await tell(labeled(1, id(1)));
    world.endAgent(id(1), { kind: 'lost', detail: 'killed' });
    world.endAgent(id(1), FINISHED);
    await until(async () => (await state(handle)).pullRequest);
    expect(world.calls.filter(({ name }) => name === 'launchAgent').map(({ input }) => input['attempt'])).toEqual([
      1, 2,
    ]);
  });

  test('one that is lost three times has failed', async () => {
    await tell(labeled(1, id(1)));
    for (let attempt = 1; attempt <= 3; attempt += 1) world.endAgent(id(1), { kind: 'lost', detail: 'killed' });
    await until(() => world.rows.get(id(1))?.status === 'failed');
    expect(world.rows.get(id(1))?.failure).toBe('agent_lost');
  });

  test('a revise without a pull request has failed with its own reason', async () => {
    world.labels = ['run:dev:revise'];
    await tell(
      delivered(1, {
        kind: 'trigger_label_added',
        label: 'run:dev:revise',
        target: { stage: 'dev', kind: 'revise' },
        runId: id(1),
      }),
    );
    await until(() => world.rows.get(id(1))?.status === 'failed');
    expect(world.rows.get(id(1))?.failure).toBe('pull_request_not_found');
  });
});

describe('an issue that cannot be served', () => {
  test('is free again when its repository is not bound any more', async () => {
    world.unbound = true;
    const handle = await tell(labeled(1, id(1)));
    await until(() => world.countEvents('run.failed') === 1);
    expect((await state(handle)).active).toBeNull();
  });

  test('ends though its workspace cannot be removed', async () => {
    const handle = await finishedWork();
    world.foreignWorkspace = true;
    world.open = false;
    await tell(delivered(2, { kind: 'issue_closed' }));
    await handle.result();
    expect(world.countEvents('run.namespace.cleanup_failed')).toBe(1);
  });
});

describe('an agent that Kubernetes says was lost', () => {
  const launches = (): unknown[] =>
    world.calls.filter(({ name }) => name === 'launchAgent').map(({ input }) => [input['attempt'], input['launch']]);

  test('before it began, for a reason that may pass, is launched once more under the same attempt', async () => {
    await tell(labeled(1, id(1)));
    world.endAgent(id(1), { kind: 'lost', termination: 'image_pull', detail: 'ErrImagePull' });
    await until(() => world.rows.get(id(1))?.status === 'failed');
    expect(launches()).toEqual([
      [1, 1],
      [1, 2],
    ]);
  });

  test('before it was launched has failed for the reason that was found', async () => {
    const stuck = { type: 'AgentCannotBegin', message: 'ErrImagePull', nonRetryable: true, details: ['image_pull'] };
    world.launchFailure = ApplicationFailure.create(stuck);
    await tell(labeled(1, id(1)));
    await until(() => world.rows.get(id(1))?.status === 'failed');
    expect(world.rows.get(id(1))).toMatchObject({ failure: 'image_pull', detail: 'ErrImagePull' });
  });

  test('with its node is started again as the next attempt', async () => {
    await tell(labeled(1, id(1)));
    world.endAgent(id(1), { kind: 'lost', termination: 'node_lost', detail: 'its node is not heard of' });
    await until(() => called('launchAgent') === 2);
    expect(launches()).toEqual([
      [1, 1],
      [2, 1],
    ]);
  });

  test('T44: to disruptions goes on, however often they come', async () => {
    const handle = await tell(labeled(1, id(1)));
    for (let lost = 1; lost <= 6; lost += 1)
      world.endAgent(id(1), { kind: 'lost', termination: lost % 2 ? 'evicted' : 'node_lost', detail: 'it had to go' });
    world.endAgent(id(1), FINISHED);
    await until(async () => (await state(handle)).pullRequest);
    expect(launches()).toHaveLength(7);
  });

  test('T44: to disruptions without an end has failed', async () => {
    await tell(labeled(1, id(1)));
    for (let lost = 1; lost <= 10; lost += 1)
      world.endAgent(id(1), { kind: 'lost', termination: 'evicted', detail: 'it had to go' });
    await until(() => world.rows.get(id(1))?.status === 'failed');
    expect(world.rows.get(id(1))?.failure).toBe('evicted');
  });

  test('T44: is named by its pod when another takes its place', async () => {
    await tell(labeled(1, id(1)));
    world.endAgent(id(1), { kind: 'lost', termination: 'node_lost', detail: 'gone', pod: 'trial-1/agent-x' });
    await until(() => world.countEvents('run.agent.replaced') === 1);
    const replaced = world.calls
      .flatMap(({ input }) => (input['events'] as { type: string; payload: unknown }[] | undefined) ?? [])
      .find(({ type }) => type === 'run.agent.replaced');
    expect(replaced?.payload).toEqual({ termination: 'node_lost', detail: 'gone', pod: 'trial-1/agent-x' });
  });

  test('to its own hunger for memory is not started again', async () => {
    await tell(labeled(1, id(1)));
    world.endAgent(id(1), { kind: 'lost', termination: 'agent_oom', detail: 'it used more memory than it may' });
    await until(() => world.rows.get(id(1))?.status === 'failed');
    expect(launches()).toEqual([[1, 1]]);
    expect(world.rows.get(id(1))).toMatchObject({ status: 'failed', failure: 'agent_oom' });
  });

  test('is stopped for good when it is given up', async () => {
    await tell(labeled(1, id(1)));
    world.endAgent(id(1), { kind: 'lost', termination: 'sandbox_rejected', detail: 'violates PodSecurity' });
    await until(() => world.rows.get(id(1))?.status === 'failed');
    expect(called('stopAgent')).toBe(1);
  });
});
