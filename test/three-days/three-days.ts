/**
 * A run that waits for three days, on Temporal's time-skipping test server: `npm run test:three-days`. It is no part of `npm test`,
 * since the server has to be downloaded (README.md beside this file).
 */
import assert from 'node:assert/strict';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import { DefaultLogger, Runtime, Worker } from '@temporalio/worker';
import { readTemporalDev } from '../../src/embedded/temporal/dev-settings.ts';
import { indexedValueType } from '../../src/embedded/temporal/namespace.ts';
import { dataConverter } from '../../src/temporal/data-converter.ts';
import { bundleWorkflows } from '../../src/temporal/workflow-code.ts';
import {
  commentAnswers,
  runProgressQuery,
  runWorkflowId,
  TASK_QUEUE,
  type RunInput,
} from '../../workflows/messages.ts';
import { createFakeWorld, FINISHED, ISSUE, runId, type FakeWorld } from '../support/fake-activities.ts';

const DAY_MS = 24 * 60 * 60 * 1000;
const WEEK_HOURS = 7 * 24;

const quiet = new DefaultLogger('ERROR');
Runtime.install({
  logger: quiet,
  telemetryOptions: { logging: { filter: { core: 'ERROR', other: 'ERROR' }, forward: {} } },
});

async function open(): Promise<TestWorkflowEnvironment> {
  const path = process.env['CODEXK8S_TEST_SERVER'];
  const environment = await TestWorkflowEnvironment.createTimeSkipping(
    path === undefined ? {} : { server: { executable: { type: 'existing-path', path } } },
  );
  const { searchAttributes } = readTemporalDev(new URL('../../temporal-dev.yaml', import.meta.url));
  await environment.connection.operatorService.addSearchAttributes({
    namespace: environment.namespace ?? 'default',
    searchAttributes: Object.fromEntries(
      Object.entries(searchAttributes).map(([name, type]) => [name, indexedValueType(type)]),
    ),
  });
  return environment;
}

function inputOf(id: string): RunInput {
  return {
    issue: ISSUE,
    issueTitle: 'Add a flag',
    plan: {
      runId: id,
      target: { stage: 'dev', kind: 'work' },
      trigger: { kind: 'label', event: 1 },
      label: 'run:dev',
      by: { id: 7, login: 'olivia' },
      delivery: 'delivery-1',
      requestedAt: new Date().toISOString(),
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
      waitHours: { question: WEEK_HOURS, paused: WEEK_HOURS },
    },
    workspace: { name: 'codex-1', until: new Date(Date.now() + DAY_MS).toISOString() },
    resume: null,
    pullRequest: null,
    branch: 'codex/issue-12',
    since: null,
    closes: true,
  };
}

async function asking(environment: TestWorkflowEnvironment, world: FakeWorld, n: number) {
  const id = runId(n);
  const question = { text: 'Tabs or spaces?', options: ['Tabs', 'Spaces'] };
  world.endAgent(id, {
    kind: 'reported',
    report: { outcome: 'asked', question, headSha: null, threadId: 'thread-1' },
  });
  const run = await environment.client.workflow.start('runWorkflow', {
    workflowId: runWorkflowId(id),
    taskQueue: TASK_QUEUE,
    args: [inputOf(id)],
  });
  const status = async () => (await run.query(runProgressQuery)).status;
  while ((await status()) !== 'waiting') await new Promise((resolve) => setTimeout(resolve, 50));
  const launches = () => world.calls.filter(({ name, input }) => name === 'launchAgent' && input['runId'] === id);
  return { id, run, status, launches };
}

async function threeDays(environment: TestWorkflowEnvironment, world: FakeWorld): Promise<void> {
  const { id, run, status, launches } = await asking(environment, world, 1);
  await environment.sleep(3 * DAY_MS);
  assert.equal(await status(), 'waiting', 'the run still waits after three days');
  assert.equal(launches().length, 1, 'no agent is launched meanwhile');
  world.comments.set(501, 'Spaces');
  world.endAgent(id, FINISHED);
  await run.signal(commentAnswers, { comment: 501, sha256: '', actor: 'olivia' });
  const outcome = (await run.result()) as { status: string };
  assert.equal(outcome.status, 'succeeded', 'the run goes on to its end after the answer');
  assert.equal(launches().length, 2, 'one more agent goes on with the answer');
}

async function deadline(environment: TestWorkflowEnvironment, world: FakeWorld): Promise<void> {
  const { run, launches } = await asking(environment, world, 2);
  const outcome = (await run.result()) as { status: string; failure?: string };
  assert.deepEqual([outcome.status, outcome.failure], ['failed', 'wait_expired'], 'the run fails after a week');
  assert.equal(launches().length, 1, 'no agent is launched after the deadline');
}

async function main(): Promise<void> {
  const environment = await open().catch((error: unknown) => {
    process.stderr.write(
      `The time-skipping test server is not available, so nothing was tested: ${String(error)}\n` +
        'It is downloaded from temporal.download; or set CODEXK8S_TEST_SERVER to the path of one (test/three-days/README.md).\n',
    );
    process.exit(2);
  });
  try {
    const { world, activities } = createFakeWorld();
    const worker = await Worker.create({
      connection: environment.nativeConnection,
      taskQueue: TASK_QUEUE,
      workflowBundle: await bundleWorkflows(quiet),
      dataConverter,
      activities,
    });
    await worker.runUntil(async () => {
      await threeDays(environment, world);
      process.stdout.write('A run waits for three days, is answered, and goes on.\n');
      await deadline(environment, world);
      process.stdout.write('A question that nobody answers within a week ends its run.\n');
    });
  } finally {
    await environment.teardown();
  }
}

await main();
