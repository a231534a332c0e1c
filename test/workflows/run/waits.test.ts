/** A run that waits for people, on a real Temporal: without an agent, a permit and a token, and in the same conversation afterwards. */
import { Context } from '@temporalio/activity';
import { WorkflowUpdateFailedError, type WorkflowHandle } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import type { Worker } from '@temporalio/worker';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { AgentEnd } from '../../../activities/agents/agents.ts';
import type { Activities } from '../../../activities/index.ts';
import type { RunOutcome } from '../../../src/domain/run/runs.ts';
import {
  answerRequest,
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
let activities: Activities;
let count = 900;
let run: WorkflowHandle;
let id: string;

beforeAll(async () => {
  temporal = await startTemporal();
});
afterAll(async () => temporal?.teardown());

beforeEach(async () => {
  count += 1;
  id = runId(count);
  ({ world, activities } = createFakeWorld());
  await startWorker();
});
afterEach(async () => {
  await run.terminate('end of test').catch(() => undefined);
  await stopWorker();
});

async function startWorker(): Promise<void> {
  worker = await createTestWorker(temporal, activities);
  working = worker.run();
}

async function stopWorker(): Promise<void> {
  worker.shutdown();
  await working;
}

async function begin(hours: Partial<RunInput['settings']['waitHours']> = {}): Promise<void> {
  run = await temporal.client.workflow.start('runWorkflow', {
    workflowId: runWorkflowId(id),
    taskQueue: TASK_QUEUE,
    args: [runInput(id, hours)],
  });
}

const asks = (...options: string[]): AgentEnd => ({
  kind: 'reported',
  report: { outcome: 'asked', question: { text: 'Tabs or spaces?', options }, headSha: null, threadId: 'thread-1' },
});

const until = (condition: () => unknown): Promise<void> =>
  expect.poll(condition, { timeout: 60_000, interval: 20 }).toBeTruthy();
const inputs = (name: keyof Activities): Record<string, unknown>[] =>
  world.calls.filter((call) => call.name === name).map(({ input }) => input);
const status = (): string | undefined => world.rows.get(id)?.status;
const outcome = (): Promise<RunOutcome> => run.result();

async function waiting(): Promise<void> {
  await until(() => status() === 'waiting');
}

async function asking(options = ['Tabs', 'Spaces'], hours = {}): Promise<void> {
  world.endAgent(id, asks(...options));
  await begin(hours);
  await waiting();
}

async function paused(hours = {}): Promise<void> {
  await begin(hours);
  await until(() => status() === 'working' && inputs('awaitAgent').length === 1);
  await run.executeUpdate(pauseRun, { args: [{ actor: 'olivia', reason: 'lunch' }] });
  await waiting();
}

const answer = (text: string, requestId: string | null = null) =>
  run.executeUpdate(answerRequest, { args: [{ requestId, text, actor: 'olivia', surface: 'command_line' }] });

/** The type of the failure with which an update is refused. */
async function refusal(update: Promise<unknown>): Promise<unknown> {
  const error = await update.catch((reason: unknown) => reason);
  if (!(error instanceof WorkflowUpdateFailedError) || !(error.cause instanceof ApplicationFailure)) throw error;
  return error.cause.type;
}

describe('a spent budget', () => {
  const budget = { scope: 'run', key: 'r', spent: 4_800_000, limit: 5_000_000, original: 5_000_000 } as const;

  beforeEach(async () => {
    world.endAgent(id, { kind: 'reported', report: { outcome: 'budget_spent', budget } });
    await begin();
    await waiting();
  });

  test('asks people whether the run may go on', () => {
    expect(inputs('recordRequest')[0]).toMatchObject({
      open: true,
      request: {
        kind: 'budget',
        options: ['more', 'stop'],
        question: expect.stringContaining('this run is spent: $4.80 of $5.00') as string,
      },
    });
    expect(inputs('revokeToken')).toEqual([{ runId: id, attempt: 1 }]);
  });

  test('is raised by its first amount when people want more, and the next agent goes on', async () => {
    await answer('more');
    await until(() => inputs('awaitAgent').length === 2);
    expect(inputs('launchAgent')[1]).toMatchObject({
      attempt: 2,
      goingOn: {
        kind: 'budget',
        raise: { scope: 'run', key: 'r', requestId: `${id}.1`, added: 5_000_000, actor: 'olivia' },
      },
    });
    world.endAgent(id, FINISHED);
    expect(await outcome()).toMatchObject({ status: 'succeeded' });
  });

  test('ends the run when people stop it', async () => {
    await answer('2');
    expect(await outcome()).toMatchObject({ status: 'failed', failure: 'budget_spent' });
  });
});

test('what belongs to more than an issue is raised by no answer to it', async () => {
  const budget = { scope: 'day', key: '2026-12-01', spent: 9, limit: 10, original: 10 } as const;
  world.endAgent(id, { kind: 'reported', report: { outcome: 'budget_spent', budget } });
  await begin();
  await waiting();
  await answer('more');
  await until(() => inputs('launchAgent').length === 2);
  expect(inputs('launchAgent')[1]).toMatchObject({ goingOn: { raise: { scope: 'day', added: 0 } } });
});

describe('a question', () => {
  test('is written down before its comment, and the run waits without a token and a permit', async () => {
    await asking();
    const names = world.names();
    expect(names.indexOf('recordRequest')).toBeLessThan(names.indexOf('writeRequestComment'));
    expect(inputs('revokeToken')).toEqual([{ runId: id, attempt: 1 }]);
    expect(inputs('releasePermit')).toEqual([{ runId: id }]);
    expect(world.rows.get(id)?.wait).toMatchObject({ kind: 'question', request: `${id}.1` });
    expect(inputs('launchAgent')).toHaveLength(1);
  });

  test('is shown by the search attributes, until it is answered', async () => {
    await asking();
    const attributes = async () => (await run.describe()).searchAttributes;
    expect(await attributes()).toMatchObject({ RunStatus: ['waiting'], WaitingFor: ['question'] });
    await answer('1');
    await until(() => inputs('awaitAgent').length === 2);
    const later = await attributes();
    expect(later).toMatchObject({ RunStatus: ['working'] });
    expect(later['WaitingFor']?.filter(Boolean) ?? []).toEqual([]);
  });

  test('and its answer go on in the next attempt, which has the message of both', async () => {
    await asking();
    expect(await answer('2')).toMatchObject({ answer: { text: 'Spaces', option: 1, actor: 'olivia' } });
    await until(() => inputs('launchAgent').length === 2);
    expect(inputs('launchAgent')[1]).toMatchObject({
      attempt: 2,
      launch: 1,
      goingOn: { kind: 'answered', question: 'Tabs or spaces?', answer: { text: 'Spaces', actor: 'olivia' } },
    });
    world.endAgent(id, FINISHED);
    expect(await outcome()).toMatchObject({ status: 'succeeded', threadId: 'thread-1' });
    expect(world.countEvents('run.agent.replaced')).toBe(0);
    for (const type of ['request.opened', 'request.answered', 'run.wait.paused', 'run.wait.resumed'])
      expect([type, world.countEvents(type)]).toEqual([type, 1]);
    expect(inputs('writeRequestComment').map(({ state }) => state)).toEqual(['open', 'closed']);
  });

  test('is answered by the first answer; a second one finds nothing open', async () => {
    await asking();
    await answer('1');
    expect(await refusal(answer('2'))).toBe('RequestNotOpen');
    await until(() => inputs('launchAgent').length === 2);
    expect(inputs('launchAgent')[1]).toMatchObject({ goingOn: { answer: { text: 'Tabs' } } });
  });

  test.each([
    ['another request', '1', 'another.1', 'RequestNotOpen'],
    ['no option', 'both', null, 'AnswerInvalid'],
  ])('is not answered by an answer to %s, and the run still waits', async (_what, text, requestId, type) => {
    await asking();
    expect(await refusal(answer(text, requestId))).toBe(type);
    expect(status()).toBe('waiting');
    await answer('1');
    await until(() => inputs('launchAgent').length === 2);
  });

  test('is answered by a comment on the issue that is an answer, and by no other', async () => {
    await asking();
    world.comments.set(8, 'Tabs');
    await run.signal(commentAnswers, { comment: 7, sha256: 'seven', actor: 'olivia' });
    await run.signal(commentAnswers, { comment: 8, sha256: 'eight', actor: 'nadia' });
    await until(() => inputs('launchAgent').length === 2);
    expect(inputs('readAnswerComment').map(({ comment, sha256 }) => [comment, sha256])).toEqual([
      [7, 'seven'],
      [8, 'eight'],
    ]);
    expect(inputs('launchAgent')[1]).toMatchObject({
      goingOn: { answer: { text: 'Tabs', actor: 'nadia', surface: 'comment' } },
    });
  });

  test('that nobody answers in time ends the run, and is closed', async () => {
    world.endAgent(id, asks());
    await begin({ question: SECOND });
    expect(await outcome()).toMatchObject({ status: 'failed', failure: 'wait_expired' });
    expect(inputs('recordRequest').map(({ open }) => open)).toEqual([true, false]);
    expect(world.countEvents('request.expired')).toBe(1);
    expect(inputs('endRun')).toHaveLength(1);
    expect(inputs('removeWorkspace')).toEqual([]);
  });

  test('whose time passes while no worker is there ends the run when one is back', async () => {
    const hours = 6 * SECOND;
    await asking(['Tabs', 'Spaces'], { question: hours });
    const { until: deadline = '' } = world.rows.get(id)?.wait ?? {};
    await stopWorker();
    await until(() => Date.now() > Date.parse(deadline));
    await startWorker();
    expect(await outcome()).toMatchObject({ status: 'failed', failure: 'wait_expired' });
    expect(inputs('launchAgent')).toHaveLength(1);
    expect(inputs('recordRequest').at(-1)).toMatchObject({ open: false, request: { answer: null } });
    expect(world.countEvents('request.expired')).toBe(1);
  });

  test('does not keep a run from being canceled at once', async () => {
    await asking();
    await run.signal(cancelRun, { actor: 'olivia', reason: 'not needed' });
    expect(await outcome()).toMatchObject({ status: 'canceled', actor: 'olivia' });
    expect(inputs('recordRequest').at(-1)).toMatchObject({ open: false, request: { answer: null } });
    expect(await refusal(answer('1')).catch(() => 'over')).toBe('over');
  });

  test('may follow another one', async () => {
    await asking();
    await answer('1');
    world.endAgent(id, asks());
    await until(() => world.rows.get(id)?.wait?.request === `${id}.2`);
    await answer('four');
    world.endAgent(id, FINISHED);
    expect(await outcome()).toMatchObject({ status: 'succeeded' });
    expect(inputs('launchAgent').map(({ attempt }) => attempt)).toEqual([1, 2, 3]);
  });
});

describe('a pause', () => {
  test('right after an answer loses nothing of it', async () => {
    await asking();
    await answer('1');
    await until(() => inputs('launchAgent').length === 2);
    await run.executeUpdate(pauseRun, { args: [{ actor: 'olivia', reason: 'wait' }] });
    await until(() => world.rows.get(id)?.wait?.kind === 'paused');
    await run.executeUpdate(resumeRun, { args: [{ actor: 'nadia' }] });
    await until(() => inputs('launchAgent').length === 3);
    expect(inputs('launchAgent')[2]).toMatchObject({ goingOn: { kind: 'resumed', before: { kind: 'answered' } } });
  });

  test('stops the agent with its token still good, then revokes it', async () => {
    await paused();
    const names = world.names();
    expect(names.indexOf('haltAgent')).toBeLessThan(names.indexOf('revokeToken'));
    expect(world.rows.get(id)?.wait).toMatchObject({
      kind: 'paused',
      request: null,
      for: 'an operator: paused by olivia',
    });
    expect(inputs('stopAgent')).toEqual([]);
  });

  test('ends when somebody resumes the run; its next agent reads the note', async () => {
    await paused();
    expect(await run.executeUpdate(resumeRun, { args: [{ actor: 'nadia', note: 'mind the tests' }] })).toBeNull();
    await until(() => inputs('launchAgent').length === 2);
    expect(inputs('launchAgent')[1]).toMatchObject({
      attempt: 2,
      goingOn: { kind: 'resumed', actor: 'nadia', note: 'mind the tests' },
    });
    world.endAgent(id, FINISHED);
    world.endAgent(id, FINISHED);
    expect(await outcome()).toMatchObject({ status: 'succeeded' });
  });

  test('that nobody ends in time fails the run', async () => {
    await begin({ paused: SECOND });
    await until(() => inputs('awaitAgent').length === 1);
    await run.executeUpdate(pauseRun, { args: [{ actor: 'olivia', reason: 'lunch' }] });
    expect(await outcome()).toMatchObject({ status: 'failed', failure: 'wait_expired' });
  });

  test('is refused where the run is paused or waits, and so is the end of one where it is not', async () => {
    await paused();
    const pause = () => run.executeUpdate(pauseRun, { args: [{ actor: 'olivia', reason: 'more' }] });
    expect(await refusal(pause())).toBe('RunNotPausable');
    expect(await refusal(answer('1'))).toBe('RequestNotOpen');
    await run.executeUpdate(resumeRun, { args: [{ actor: 'nadia' }] });
    await until(() => inputs('awaitAgent').length === 2);
    expect(await refusal(run.executeUpdate(resumeRun, { args: [{ actor: 'nadia' }] }))).toBe('RunNotPaused');
  });

  test('is no pause where the agent asks already', async () => {
    await asking();
    expect(await refusal(run.executeUpdate(pauseRun, { args: [{ actor: 'olivia', reason: '' }] }))).toBe(
      'RunNotPausable',
    );
  });

  test('gives way to a cancel', async () => {
    await paused();
    await run.signal(cancelRun, { actor: 'olivia', reason: 'not needed' });
    expect(await outcome()).toMatchObject({ status: 'canceled' });
  });
});

describe('while an agent is being launched', () => {
  /** What was done, in order: a launch goes on to its end, however long its worker takes to hear that nobody wants it any more. */
  let done: string[];

  async function launching(ends: () => Awaited<ReturnType<Activities['launchAgent']>>): Promise<void> {
    done = [];
    const others = activities;
    activities = {
      ...activities,
      async launchAgent(input) {
        await others.launchAgent(input);
        await Context.current().cancelled.catch(() => undefined);
        done.push('launched');
        return ends();
      },
      haltAgent: async (input) => (done.push('stopped'), others.haltAgent(input)),
      stopAgent: async (input) => (done.push('stopped'), others.stopAgent(input)),
      recordRun: async (input) => {
        if (input.row.status === 'waiting') done.push('shown as paused');
        return others.recordRun(input);
      },
      showRun: async (input) => {
        if (input.row.status === 'waiting') done.push('shown as paused');
        return others.showRun(input);
      },
    };
    await stopWorker();
    await startWorker();
    await begin();
    await until(() => inputs('launchAgent').length === 1);
  }
  const pause = () => run.executeUpdate(pauseRun, { args: [{ actor: 'olivia', reason: 'lunch' }] });

  test('a pause is shown when the agent that was launched meanwhile is stopped', async () => {
    await launching(() => ({ granted: true }));
    await pause();
    await waiting();
    expect(done).toEqual(['launched', 'stopped', 'shown as paused']);
    expect(inputs('awaitAgent')).toEqual([]);
    expect(world.countEvents('run.agent.started')).toBe(0);
  });

  test('a pause is one, however the launch fails then', async () => {
    await launching(() => {
      throw ApplicationFailure.nonRetryable('attempt 1 is revoked', 'AttemptRevoked');
    });
    await pause();
    await waiting();
    expect(world.rows.get(id)?.wait).toMatchObject({ kind: 'paused' });
  });

  test('a cancel stops the agent that was launched meanwhile', async () => {
    await launching(() => ({ granted: true }));
    await run.signal(cancelRun, { actor: 'olivia', reason: 'not needed' });
    expect(await outcome()).toMatchObject({ status: 'canceled', actor: 'olivia' });
    expect(done).toEqual(['launched', 'stopped']);
  });
});

test('no agent is launched after a wait before there is a permit for it', async () => {
  let free = true;
  const launches = activities;
  activities = {
    ...activities,
    launchAgent: async (input) => (free ? launches.launchAgent(input) : { granted: false, position: 1 }),
  };
  await stopWorker();
  await startWorker();
  await asking();
  free = false;
  await answer('1');
  await until(() => status() === 'queued');
  expect(inputs('launchAgent')).toHaveLength(1);
  free = true;
  await run.signal('permitGranted');
  await until(() => inputs('launchAgent').length === 2);
});

test('a worker that comes back finds the run waiting, and goes on with it', async () => {
  await asking();
  await stopWorker();
  await startWorker();
  await answer('1');
  await until(() => inputs('launchAgent').length === 2);
  world.endAgent(id, FINISHED);
  expect(await outcome()).toMatchObject({ status: 'succeeded' });
});
