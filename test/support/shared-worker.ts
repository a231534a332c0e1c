/**
 * One worker for all issues of a test file: starting one for each test costs more than most tests. Each issue has activities of
 * its own, found by the number in the id of the workflow that asks for them.
 */
import { activityInfo } from '@temporalio/activity';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import type { Activities } from '../../activities/index.ts';
import { createTestWorker } from './temporal.ts';

interface SharedWorker {
  /** By the number of the issue. */
  readonly activities: Map<number, Activities>;
}

const workers = new WeakMap<TestWorkflowEnvironment, Promise<SharedWorker>>();

/** Runs of an issue: the last digits of their ids are a hundred times its number, and a little more (test/support/issue-stage.ts). */
const RUNS = 100;

/** The worker of an environment, started when it is first asked for; it ends before the environment does. */
export function sharedWorker(environment: TestWorkflowEnvironment, names: readonly string[]): Promise<SharedWorker> {
  const worker = workers.get(environment) ?? startWorker(environment, names);
  workers.set(environment, worker);
  return worker;
}

async function startWorker(environment: TestWorkflowEnvironment, names: readonly string[]): Promise<SharedWorker> {
  const activities: SharedWorker['activities'] = new Map();
  function perform(name: string): (...args: unknown[]) => Promise<unknown> {
    return async (...args) => {
      const workflowId = activityInfo().workflowExecution?.workflowId ?? '';
      const its = activities.get(issueOf(workflowId)) as
        | Record<string, (...given: unknown[]) => Promise<unknown>>
        | undefined;
      // Its test is over: nothing of it is wanted any more, and its workflows are ended.
      if (!its) throw new Error(`nobody waits for ${name} of ${workflowId}`);
      return its[name]?.(...args);
    };
  }
  const performed = Object.fromEntries(names.map((name) => [name, perform(name)])) as unknown as Activities;
  const worker = await createTestWorker(environment, performed);
  const working = worker.run();
  const teardown = environment.teardown.bind(environment);
  environment.teardown = async () => {
    worker.shutdown();
    await working;
    await teardown();
  };
  return { activities };
}

/** `issue:1#12` and `run:00000000-0000-4000-8000-000000001201` are of issue 12. */
function issueOf(workflowId: string): number {
  const [, number] = /#(\d+)$/.exec(workflowId) ?? [];
  return number === undefined ? Math.floor(Number(workflowId.slice(-12)) / RUNS) : Number(number);
}
