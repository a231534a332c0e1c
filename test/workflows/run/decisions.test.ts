/** A run whose agent has called a tool that needs a person, on a real Temporal. */
import { WorkflowUpdateFailedError, type WorkflowHandle } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import type { Worker } from '@temporalio/worker';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { AgentEnd } from '../../../activities/agents/agents.ts';
import type { Activities } from '../../../activities/index.ts';
import type { ParkedCall } from '../../../src/domain/approvals/parked-call.ts';
import type { Request, Verdict } from '../../../src/domain/run/requests.ts';
import {
  answerRequest,
  callParked,
  cancelRun,
  commentAnswers,
  pauseRun,
  resumeRun,
  runWorkflowId,
  TASK_QUEUE,
  type RunInput,
} from '../../../workflows/messages.ts';
import { createFakeWorld, FINISHED, runId, type FakeWorld } from '../../support/fake-activities.ts';
import { runInput } from '../../support/run-input.ts';
import { createTestWorker, startTemporal } from '../../support/temporal.ts';

const SECOND = 1 / 3600;

let temporal: TestWorkflowEnvironment;
let worker: Worker;
let working: Promise<void>;
let world: FakeWorld;
let count = 700;
let run: WorkflowHandle;
let id: string;

beforeAll(async () => {
  temporal = await startTemporal();
});
afterAll(async () => temporal?.teardown());

beforeEach(async () => {
  count += 1;
  id = runId(count);
  const fake = createFakeWorld();
  ({ world } = fake);
  worker = await createTestWorker(temporal, fake.activities);
  working = worker.run();
});
afterEach(async () => {
  await run.terminate('end of test').catch(() => undefined);
  worker.shutdown();
  await working;
});

const CALL = {
  tool: 'database.lifecycle',
  action: 'delete',
  digest: 'd'.repeat(64),
  summary: '{"action":"delete","database_name":"shop"}',
  mode: 'delegated',
  reason: 'databases are work of operations',
} as const;

const call = (more: Partial<ParkedCall> = {}): ParkedCall => ({ id: `${id}:1`, ...CALL, ...more });
const parks = (more: Partial<ParkedCall> = {}): AgentEnd => ({
  kind: 'reported',
  report: { outcome: 'parked', call: call(more) },
});

async function begin(hours: Partial<RunInput['settings']['waitHours']> = {}): Promise<void> {
  run = await temporal.client.workflow.start('runWorkflow', {
    workflowId: runWorkflowId(id),
    taskQueue: TASK_QUEUE,
    args: [
      runInput(id, hours, {
        title: 'Remove the old shop',
        target: { stage: 'ops', kind: 'work' },
        label: 'run:ops',
      }),
    ],
  });
}

const until = (condition: () => unknown): Promise<void> =>
  expect.poll(condition, { timeout: 60_000, interval: 20 }).toBeTruthy();
const inputs = (name: keyof Activities): Record<string, unknown>[] =>
  world.calls.filter((each) => each.name === name).map(({ input }) => input);
const status = (): string | undefined => world.rows.get(id)?.status;

async function asking(more: Partial<ParkedCall> = {}, hours = {}): Promise<void> {
  world.endAgent(id, parks(more));
  await begin(hours);
  await until(() => status() === 'waiting');
}

const decide = (decision: Verdict | undefined, text = '', actor = 'nadia'): Promise<Request> =>
  run.executeUpdate(answerRequest, {
    args: [{ requestId: `${id}.1`, text, actor, surface: 'command_line', ...(decision && { decision }) }],
  });

async function refusal(update: Promise<unknown>): Promise<unknown> {
  const error = await update.catch((reason: unknown) => reason);
  if (!(error instanceof WorkflowUpdateFailedError) || !(error.cause instanceof ApplicationFailure)) throw error;
  return error.cause.type;
}

describe('a parked call', () => {
  test('is asked of people, and the run waits without a token and a permit', async () => {
    await asking();
    expect(inputs('revokeToken')).toEqual([{ runId: id, attempt: 1 }]);
    expect(inputs('releasePermit')).toEqual([{ runId: id }]);
    expect(world.rows.get(id)?.wait).toMatchObject({ kind: 'approval', request: `${id}.1` });
    expect(inputs('recordRequest')[0]).toMatchObject({
      open: true,
      request: {
        kind: 'approval',
        mayAnswer: 'delegated',
        call: { id: `${id}:1`, digest: CALL.digest, requester: { id: 7, login: 'olivia' } },
      },
    });
    expect(inputs('performCall')).toEqual([]);
    expect((await run.describe()).searchAttributes).toMatchObject({ WaitingFor: ['approval'] });
  });

  test('is performed by the platform when it is approved, and its result is what the next attempt reads', async () => {
    world.performing = '{"tool":"database.lifecycle","status":"ok"}';
    await asking();
    expect(await decide('approved')).toMatchObject({ answer: { decision: 'approved', actor: 'nadia' } });
    await until(() => inputs('launchAgent').length === 2);
    expect(inputs('performCall')).toEqual([{ call: `${id}:1`, digest: CALL.digest }]);
    expect(inputs('launchAgent')[1]).toMatchObject({
      attempt: 2,
      goingOn: { kind: 'decided', tool: 'database.lifecycle', result: '{"tool":"database.lifecycle","status":"ok"}' },
    });
    world.endAgent(id, FINISHED);
    expect(await run.result()).toMatchObject({ status: 'succeeded' });
    for (const type of ['approval.requested', 'approval.approved', 'approval.applied', 'run.wait.resumed'])
      expect([type, world.countEvents(type)]).toEqual([type, 1]);
    expect(world.countEvents('run.agent.replaced')).toBe(0);
  });

  test('is not performed when it is denied, and the agent reads by whom and why', async () => {
    await asking();
    await decide('denied', 'not on a Friday');
    await until(() => inputs('launchAgent').length === 2);
    expect(inputs('performCall')).toEqual([]);
    expect(inputs('endCall')).toEqual([
      { call: `${id}:1`, end: { status: 'denied', by: 'nadia', reason: 'not on a Friday' } },
    ]);
    expect(world.countEvents('approval.denied')).toBe(1);
  });

  test('that cannot be performed does not fail the run: its agent reads why', async () => {
    world.performing = ApplicationFailure.nonRetryable('the database is in use', 'Refused');
    await asking();
    await decide('approved');
    await until(() => inputs('launchAgent').length === 2);
    expect(inputs('endCall')).toEqual([
      { call: `${id}:1`, end: { status: 'failed', reason: 'the database is in use' } },
    ]);
  });

  test('that nobody decides on in time fails the run, and is not performed', async () => {
    await asking({}, { approval: SECOND });
    expect(await run.result()).toMatchObject({ status: 'failed', failure: 'wait_expired' });
    expect(inputs('performCall')).toEqual([]);
    expect(world.countEvents('approval.expired')).toBe(1);
    expect(inputs('recordRequest').at(-1)).toMatchObject({ open: false });
  });

  test('is decided by the first decision; a second one finds nothing open', async () => {
    await asking();
    await decide('denied');
    expect(await refusal(decide('approved'))).toBe('RequestNotOpen');
    await until(() => inputs('launchAgent').length === 2);
    expect(inputs('performCall')).toEqual([]);
  });

  test('is decided by no plain answer', async () => {
    await asking();
    expect(await refusal(decide(undefined, 'yes'))).toBe('AnswerInvalid');
    expect(status()).toBe('waiting');
  });

  test('is decided by a comment that the platform reads as a verdict', async () => {
    world.comments.set(8, '');
    world.verdicts.set(8, 'approved');
    await asking();
    await run.signal(commentAnswers, { comment: 8, sha256: 'eight', actor: 'nadia', actorId: 8 });
    await until(() => inputs('performCall').length === 1);
  });

  test('is performed no more when its run is canceled', async () => {
    await asking();
    await run.signal(cancelRun, { actor: 'olivia', reason: 'no' });
    expect(await run.result()).toMatchObject({ status: 'canceled' });
    expect(inputs('performCall')).toEqual([]);
    expect(inputs('endRun')).toHaveLength(1);
  });

  test('is found when its agent is paused, and is asked after the resume', async () => {
    await begin();
    await until(() => status() === 'working' && inputs('awaitAgent').length === 1);
    world.parked = call();
    await run.executeUpdate(pauseRun, { args: [{ actor: 'olivia', reason: 'lunch' }] });
    await until(() => status() === 'waiting');
    await run.executeUpdate(resumeRun, { args: [{ actor: 'olivia' }] });
    await until(() => world.rows.get(id)?.wait?.kind === 'approval');
    await decide('approved');
    await until(() => inputs('launchAgent').length === 2);
    expect(inputs('performCall')).toHaveLength(1);
  });
});

test('a question of a tool takes an option or, where it may, a free text; the agent reads the option by its own name', async () => {
  const asks = {
    text: 'Which region?',
    options: ['Europe', 'Asia'],
    optionIds: ['eu', 'as'],
    freeText: true,
    owner: false,
  };
  await asking({ tool: 'user.decision.request', asks });
  expect(world.rows.get(id)?.wait).toMatchObject({ kind: 'question' });
  await decide(undefined, '2');
  await until(() => inputs('launchAgent').length === 2);
  expect(inputs('endCall')).toEqual([
    { call: `${id}:1`, end: { status: 'answered', option: 'as', text: 'Asia', by: 'nadia' } },
  ]);
  expect(world.countEvents('request.answered')).toBe(1);
});

test('the news of a parked call of an attempt that has ended halts nobody', async () => {
  await asking();
  await run.signal(callParked, { attempt: 1 });
  await decide('approved');
  await until(() => inputs('launchAgent').length === 2);
  expect(inputs('haltAgent')).toEqual([]);
});
