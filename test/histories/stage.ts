/**
 * Histories of what a whole stack does not do within minutes, or only when something goes wrong: recorded from a real Temporal with
 * fake activities.
 */
import type { WorkflowHandle } from '@temporalio/client';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import type { AgentEnd } from '../../activities/agents/agents.ts';
import type { Activities } from '../../activities/index.ts';
import { issueKey, type ObservedFact } from '../../src/domain/issue/facts.ts';
import { RUN_LIMITS } from '../../src/domain/run/permits.ts';
import { isTerminal } from '../../src/domain/run/runs.ts';
import { createRunPermits } from '../../src/temporal/run-permits.ts';
import { historyToJSON } from '../../src/temporal/history-json.ts';
import {
  cancelRun,
  issueStateQuery,
  observed,
  pauseRun,
  PERMITS_WORKFLOW_ID,
  resumeRun,
  runWorkflowId,
  TASK_QUEUE,
} from '../../workflows/messages.ts';
import { createFakeWorld, delivered, FINISHED, ISSUE, labeled, runId } from '../support/fake-activities.ts';
import { eventually } from '../support/stack.ts';
import { createTestWorker, startTemporal } from '../support/temporal.ts';

/** Events after which Temporal suggests continue-as-new. */
const CONTINUES_AT = 40;
const SECOND_IN_HOURS = 1 / 3600;

const LOST: AgentEnd = { kind: 'lost', termination: 'agent_lost', detail: 'its process was killed' };
const OOM: AgentEnd = { kind: 'lost', termination: 'agent_oom', detail: 'it used more memory than it may' };
const ASKS: AgentEnd = {
  kind: 'reported',
  report: {
    outcome: 'asked',
    question: { text: 'Tabs or spaces?', options: ['Tabs', 'Spaces'] },
    headSha: null,
    threadId: 'thread-1',
  },
};

/** Keeps a history, as JSON of Temporal's tools, under the name of its scenario. */
export type Keep = (scenario: string, workflowId: string, history: string) => Promise<void>;

/** Tells all stories, and keeps their histories. */
export async function recordOnStage(keep: Keep): Promise<void> {
  const stages = [
    [tellStories, {}],
    [tellOfContinueAsNew, { 'limit.historyCount.suggestContinueAsNew': CONTINUES_AT }],
  ] as const;
  for (const [tell, config] of stages) {
    const temporal = await startTemporal(config);
    try {
      await tell(temporal, keep);
    } finally {
      await temporal.teardown();
    }
  }
}

/** Issues of a server, each with a world of its own for as long as its story goes on. */
function openStage(temporal: TestWorkflowEnvironment, keep: Keep) {
  const workflows = temporal.client.workflow;
  const record = async (scenario: string, id: string, execution?: string): Promise<void> =>
    keep(scenario, id, historyToJSON(await workflows.getHandle(id, execution).fetchHistory()));
  let number = 100;

  async function story(
    tell: (scene: ReturnType<typeof sceneOf>) => Promise<void>,
    change: (activities: Activities) => Partial<Activities> = () => ({}),
  ): Promise<void> {
    number += 1;
    const scene = sceneOf(number);
    const worker = await createTestWorker(temporal, { ...scene.activities, ...change(scene.activities) });
    await worker.runUntil(() => tell(scene));
  }

  function sceneOf(n: number) {
    const { world, activities } = createFakeWorld();
    const issue = { ...ISSUE, number: n };
    const key = issueKey(issue);
    const handle: WorkflowHandle = workflows.getHandle(key);
    const id = (of: number): string => runId(n * 100 + of);
    const state = () => handle.query(issueStateQuery);
    return {
      world,
      activities,
      key,
      handle,
      id,
      state,
      async tell(...facts: ObservedFact[]): Promise<void> {
        await workflows.signalWithStart('issueWorkflow', {
          workflowId: key,
          taskQueue: TASK_QUEUE,
          args: [{ issue, title: 'Add a flag', url: `http://github/acme/app/issues/${n}` }],
          signal: observed,
          signalArgs: [{ facts }],
        });
      },
      run: (of: number): WorkflowHandle => workflows.getHandle(runWorkflowId(id(of))),
      async ended(of: number): Promise<void> {
        await eventually(`the end of run ${id(of)}`, async () => {
          const { active } = await state();
          return isTerminal(world.rows.get(id(of))?.status ?? 'queued') && active?.runId !== id(of);
        });
        await workflows
          .getHandle(runWorkflowId(id(of)))
          .result()
          .catch(() => undefined);
      },
      waiting: () => eventually('a run that waits', async () => (await state()).active?.wait !== undefined),
      called: (name: keyof Activities, count = 1) =>
        eventually(name, () => world.names().filter((each) => each === name).length >= count),
      recordRun: (scenario: string, of: number) => record(scenario, runWorkflowId(id(of))),
    };
  }
  type Scene = ReturnType<typeof sceneOf>;

  const asksFor = async (scene: Scene, of = 1, ...ends: AgentEnd[]): Promise<void> => {
    for (const end of ends) scene.world.endAgent(scene.id(of), end);
    if (of > 1) scene.world.events.push({ id: 99 + of, account: 7, clearedByPlatform: false });
    await scene.tell(labeled(of, scene.id(of)));
  };
  const comment = (seq: number, of: number, scene: Scene): ObservedFact => {
    scene.world.comments.set(of, 'Spaces');
    const createdAt = new Date().toISOString();
    return delivered(seq, { kind: 'comment_added', comment: of, sha256: 'f'.repeat(64), createdAt, runId: runId(of) });
  };

  return { story, record, asksFor, comment, workflows };
}

async function tellStories(temporal: TestWorkflowEnvironment, keep: Keep): Promise<void> {
  const { story, record, asksFor, workflows } = openStage(temporal, keep);
  await story(async (scene) => {
    await asksFor(scene, 1, LOST, FINISHED);
    await scene.ended(1);
    await scene.recordRun('run-lost-and-launched-again', 1);
  });
  await story(async (scene) => {
    await asksFor(scene, 1, LOST, LOST, LOST);
    await scene.ended(1);
    await scene.recordRun('run-lost', 1);
  });
  await story(async (scene) => {
    await asksFor(scene, 1, OOM);
    await scene.ended(1);
    await scene.recordRun('run-out-of-memory', 1);
  });
  await story(async (scene) => {
    await asksFor(scene, 1);
    await scene.called('awaitAgent');
    await scene.run(1).terminate('by an operator');
    await scene.ended(1);
    await scene.recordRun('run-terminated', 1);
    await record('issue-run-terminated', scene.key);
  });
  await story(async (scene) => {
    await asksFor(scene, 1);
    await scene.called('awaitAgent');
    const merged = { number: 13, url: 'http://github/acme/app/pull/13' };
    await scene.run(1).signal(cancelRun, { actor: 'olivia', reason: 'merged', merged });
    await scene.ended(1);
    await scene.recordRun('run-merged-meanwhile', 1);
  });
  await story(async (scene) => {
    scene.world.waitHours = { question: 2 * SECOND_IN_HOURS, paused: 2 * SECOND_IN_HOURS };
    await asksFor(scene, 1, ASKS);
    await scene.ended(1);
    await scene.recordRun('run-question-expired', 1);
  });
  await story(async (scene) => {
    await asksFor(scene, 1);
    await scene.called('awaitAgent');
    await scene.run(1).executeUpdate(pauseRun, { args: [{ actor: 'olivia', reason: 'the release' }] });
    await scene.waiting();
    await scene.run(1).executeUpdate(resumeRun, { args: [{ actor: 'olivia', note: 'Go on.' }] });
    await scene.called('awaitAgent', 2);
    for (const _ of [1, 2]) scene.world.endAgent(scene.id(1), FINISHED);
    await scene.ended(1);
    await scene.recordRun('run-paused-and-resumed', 1);
  });
  await story(
    async (scene) => {
      await asksFor(scene, 1);
      await scene.called('launchAgent');
      await scene.run(1).executeUpdate(pauseRun, { args: [{ actor: 'olivia', reason: 'at once' }] });
      held.resolve();
      await scene.waiting();
      await scene.run(1).signal(cancelRun, { actor: 'olivia', reason: 'not needed' });
      await scene.ended(1);
      await scene.recordRun('run-paused-in-launch-and-canceled', 1);
    },
    (activities) => ({
      launchAgent: async (input) => {
        const answer = await activities.launchAgent(input);
        await held.promise;
        return answer;
      },
    }),
  );
  await story(
    async (scene) => {
      await asksFor(scene, 1, FINISHED);
      await scene.called('launchAgent');
      await eventually('a run in the queue', () => scene.world.rows.get(scene.id(1))?.status === 'queued');
      free = true;
      await scene.run(1).signal('permitGranted');
      await scene.ended(1);
      await scene.recordRun('run-queued', 1);
    },
    (activities) => ({
      launchAgent: async (input) => {
        const answer = await activities.launchAgent(input);
        return free ? answer : { granted: false, position: 1 };
      },
    }),
  );
  await story(async (scene) => {
    await asksFor(scene, 1);
    await scene.called('awaitAgent');
    await asksFor(scene, 2);
    await asksFor(scene, 3);
    await eventually('two runs in the queue', async () => (await scene.state()).queue.length === 2);
    const cancel = { kind: 'cancel_requested', runId: scene.id(3), actor: 'olivia', reason: 'a mistake' } as const;
    await scene.handle.signal(observed, { facts: [{ seq: null, fact: cancel }] });
    scene.world.endAgent(scene.id(1), FINISHED);
    scene.world.endAgent(scene.id(2), FINISHED);
    await scene.ended(2);
    await record('issue-queue', scene.key);
  });
  await story(
    async () => {
      const sweeps = {
        'sweep-redelivery': ['redeliverySweep', []],
        'sweep-reconcile': ['reconcileSweep', [{ graceSeconds: 1 }]],
        'sweep-workspaces': ['workspaceSweep', [{ ageSeconds: 1, graceSeconds: 1 }]],
      } as const;
      for (const [scenario, [type, args]] of Object.entries(sweeps)) {
        await workflows.execute(type, { workflowId: scenario, taskQueue: TASK_QUEUE, args: [...args] });
        await record(scenario, scenario);
      }
    },
    () => ({
      listSweptRepositories: async () => [1, 2],
      findOrphans: async () => [{ name: 'codex-1', owner: 'issue:1#1', usedAt: new Date(0).toISOString() }] as never,
    }),
  );
}

async function tellOfContinueAsNew(temporal: TestWorkflowEnvironment, keep: Keep): Promise<void> {
  const { story, record, asksFor, comment, workflows } = openStage(temporal, keep);
  await story(async (scene) => {
    await asksFor(scene, 1, ASKS, FINISHED);
    await scene.waiting();
    const first = (await scene.handle.describe()).runId;
    let seq = 1;
    await eventually('continue-as-new', async () => {
      seq += 1;
      await scene.tell(delivered(seq, { kind: 'status_comment_changed', runId: scene.id(1) }));
      return (await scene.handle.describe()).runId !== first;
    });
    await scene.tell(comment(seq + 1, 501, scene));
    await scene.ended(1);
    scene.world.open = false;
    await scene.tell(delivered(seq + 2, { kind: 'issue_closed' }));
    await scene.handle.result();
    await record('issue-before-continue-as-new', scene.key, first);
    await record('issue-after-continue-as-new', scene.key);
    await scene.recordRun('run-answered-after-continue-as-new', 1);
  });

  const limits = { ...RUN_LIMITS, installation: 1, project: 1 };
  const permits = createRunPermits(temporal.client, limits);
  await story(async () => {
    const permit = { project: 'trial', role: 'dev' } as const;
    await permits.acquire({ runId: runId(1), ...permit });
    const handle = workflows.getHandle(PERMITS_WORKFLOW_ID);
    const first = (await handle.describe()).runId;
    await eventually('continue-as-new', async () => {
      await permits.acquire({ runId: runId(2), ...permit });
      await permits.release(runId(2));
      return (await handle.describe()).runId !== first;
    });
    await permits.acquire({ runId: runId(2), ...permit });
    await permits.release(runId(1));
    await record('permits-before-continue-as-new', PERMITS_WORKFLOW_ID, first);
    await record('permits-after-continue-as-new', PERMITS_WORKFLOW_ID);
  });
}

/** Lets a launch end that a story holds up. */
const held = Promise.withResolvers<void>();
/** Whether the run in the queue may have its permit. */
let free = false;
