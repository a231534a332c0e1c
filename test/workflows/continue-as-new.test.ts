import { Context } from '@temporalio/activity';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { issueKey, type IssueRef, type ObservedFact } from '../../src/domain/issue/facts.ts';
import type { IssueState } from '../../src/domain/issue/state.ts';
import { issueStateQuery, observed, TASK_QUEUE } from '../../workflows/messages.ts';
import { createFakeWorld, delivered, FINISHED, ISSUE, labeled, runId } from '../support/fake-activities.ts';
import { eventually } from '../support/stack.ts';
import { createTestWorker, startTemporal } from '../support/temporal.ts';

let temporal: TestWorkflowEnvironment;
beforeAll(async () => {
  temporal = await startTemporal({ 'limit.historyCount.suggestContinueAsNew': 40 });
});
afterAll(async () => temporal?.teardown());

/** An issue's workflow, and a flood of facts that makes it continue as new. */
function openIssue(number: number) {
  const issue: IssueRef = { ...ISSUE, number };
  const key = issueKey(issue);
  const handle = temporal.client.workflow.getHandle(key);
  let seq = 0;
  const tell = async (...facts: Parameters<typeof delivered>[1][]): Promise<void> => {
    const observedFacts = facts.map((fact) => {
      seq += 1;
      return delivered(seq, fact);
    });
    await temporal.client.workflow.signalWithStart('issueWorkflow', {
      workflowId: key,
      taskQueue: TASK_QUEUE,
      args: [{ issue, title: 'Add a flag', url: 'http://github/acme/app/issues/12' }],
      signal: observed,
      signalArgs: [{ facts: observedFacts }],
    });
  };
  return {
    handle,
    tell,
    state: (): Promise<IssueState> => handle.query(issueStateQuery),
    execution: async (): Promise<string> => (await handle.describe()).runId,
    asksFor: (run: string) =>
      tell({ kind: 'trigger_label_added', label: 'run:dev', target: { stage: 'dev', kind: 'work' }, runId: run }),
    /** Until it has continued as new: facts that do nothing but make its history longer. */
    async continuesAsNew(): Promise<void> {
      const first = (await handle.describe()).runId;
      await eventually('continue-as-new', async () => {
        await tell({ kind: 'status_comment_changed', runId: runId(1) });
        return (await handle.describe()).runId !== first;
      });
    },
  };
}

test('everything unread crosses continue-as-new, with a run under way', async () => {
  const { world, activities } = createFakeWorld();
  const worker = await createTestWorker(temporal, activities);
  await worker.runUntil(async () => {
    const tell = (facts: ObservedFact[]) =>
      temporal.client.workflow.signalWithStart('issueWorkflow', {
        workflowId: issueKey(ISSUE),
        taskQueue: TASK_QUEUE,
        args: [{ issue: ISSUE, title: 'Add a flag', url: 'http://github/acme/app/issues/12' }],
        signal: observed,
        signalArgs: [{ facts }],
      });
    const handle = await tell([labeled(1)]);
    const first = (await handle.describe()).runId;
    const refusals = 20;
    for (let n = 1; n < refusals; n += 1) world.events.push({ id: 100 + n, account: 7, clearedByPlatform: false });
    for (let batch = 0; batch < refusals / 10; batch += 1) {
      const facts = Array.from({ length: 10 }, (_, index) =>
        delivered(2 + batch * 10 + index, {
          kind: 'trigger_refused',
          label: 'run:qa',
          reason: 'sender_not_project_member',
          labels: [],
        }),
      );
      await tell(facts);
      await tell(facts);
    }
    await expect.poll(() => world.countEvents('run.not_started'), { timeout: 60_000 }).toBe(refusals);
    await expect
      .poll(async () => (await temporal.client.workflow.getHandle(issueKey(ISSUE)).describe()).runId, {
        timeout: 60_000,
      })
      .not.toBe(first);
    world.endAgent(runId(1), FINISHED);
    await expect
      .poll(async () => (await handle.query(issueStateQuery)).pullRequest?.number, { timeout: 60_000 })
      .toBe(13);
    expect(world.names().filter((name) => name === 'writeRefusal')).toHaveLength(refusals);
    world.open = false;
    await tell([delivered(2 + refusals, { kind: 'issue_closed' })]);
    await handle.result();
    expect(world.names().filter((name) => name === 'launchAgent')).toHaveLength(1);
  });
});

test('a run that waits goes on, when it is answered after continue-as-new', async () => {
  const { world, activities } = createFakeWorld();
  const worker = await createTestWorker(temporal, activities);
  const issue = openIssue(21);
  const run = runId(2101);
  await worker.runUntil(async () => {
    const question = { text: 'Tabs or spaces?', options: ['Tabs', 'Spaces'] };
    world.endAgent(run, {
      kind: 'reported',
      report: { outcome: 'asked', question, headSha: null, threadId: 'thread-1' },
    });
    await issue.asksFor(run);
    await eventually('the question', async () => (await issue.state()).active?.wait?.kind === 'question');
    await issue.continuesAsNew();
    expect((await issue.state()).active).toMatchObject({ runId: run, wait: { kind: 'question' } });
    world.comments.set(501, 'Spaces');
    world.endAgent(run, FINISHED);
    await issue.tell({
      kind: 'comment_added',
      comment: 501,
      sha256: '',
      createdAt: new Date().toISOString(),
      runId: runId(2102),
    });
    await eventually('the end of the run', async () => (await issue.state()).last?.runId === run);
    expect(await issue.state()).toMatchObject({ active: null, pullRequest: { number: 13 } });
    const launches = world.calls.filter(({ name }) => name === 'launchAgent').map(({ input }) => input);
    expect(launches).toMatchObject([{ attempt: 1 }, { attempt: 2, goingOn: { answer: { text: 'Spaces' } } }]);
  });
});

test('what is done in the background does not put continue-as-new off for ever, and is begun again afterwards', async () => {
  const { world, activities } = createFakeWorld();
  world.workspaceHours = 1 / 3600;
  let begun = 0;
  const worker = await createTestWorker(temporal, {
    ...activities,
    showWorkspaceEnd: async (input) => {
      begun += 1;
      if (begun === 1) await Context.current().cancelled;
      return activities.showWorkspaceEnd(input);
    },
  });
  const issue = openIssue(22);
  const run = runId(2201);
  await worker.runUntil(async () => {
    world.endAgent(run, FINISHED);
    await issue.asksFor(run);
    await eventually('background work that does not end', () => begun === 1);
    await issue.continuesAsNew();
    await eventually('the same work in the next execution', () => begun === 2);
    expect(await issue.state()).toMatchObject({ workspace: null, last: { runId: run }, pullRequest: { number: 13 } });
  });
});
