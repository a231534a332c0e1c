/** What ends a run or starts one is asked of GitHub: a delivery that is replayed, late or out of order changes nothing. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { changesRequested, delivered, FINISHED, labeled } from '../support/fake-activities.ts';
import { openIssueStage, type IssueStage } from '../support/issue-stage.ts';
import { openTemporal } from '../support/temporal.ts';
import { runWorkflowId } from '../../workflows/messages.ts';

const OLIVIA = { id: 7, login: 'olivia' };

let temporal: TestWorkflowEnvironment;
let number = 500;
let stage: IssueStage;

beforeAll(async () => {
  temporal = await openTemporal();
});
afterAll(async () => temporal?.teardown());
beforeEach(async () => {
  number += 1;
  stage = await openIssueStage(temporal, number);
});
afterEach(async () => stage.close());

const removed = (seq: number, label = 'run:dev') => delivered(seq, { kind: 'trigger_label_removed', label });
const closed = (seq: number, merged = false) =>
  delivered(seq, { kind: 'pull_request_closed', pullRequest: 13, merged });

/** GitHub's record: the click of this place was taken back. */
function takenOff(place: number, by: { id: number; login: string }): void {
  stage.world.events[place] = { ...stage.world.events[place]!, takenOffBy: by };
}

/** Another click, which stands. */
function clickedAgain(): void {
  stage.world.events.push({ id: 101, account: OLIVIA.id, clearedByPlatform: false });
}

async function statusOf(n: number, status: string): Promise<void> {
  await stage.until(() => stage.world.rows.get(stage.id(n))?.status === status);
}

describe('T15: a label that is taken off', () => {
  test('T15: cancels the run under it, and says by whom', async () => {
    await stage.working();
    takenOff(0, OLIVIA);
    await stage.tell(removed(2));
    await statusOf(1, 'canceled');
    expect(stage.world.rows.get(stage.id(1))?.detail).toBe('olivia: the label run:dev was removed');
  });
});

describe('an issue that is deleted while its run works', () => {
  test('ends the run, which does not say that somebody closed it, and leaves no workspace', async () => {
    await stage.working();
    stage.world.deleted = true;
    await stage.tell(delivered(2, { kind: 'issue_closed' }));
    await stage.handle.result();
    expect(stage.world.rows.get(stage.id(1))?.detail).toBe('olivia: GitHub does not show the issue any more');
    expect(stage.called('removeWorkspace')).toBe(1);
  });
});

describe('T15: a cancel while the pull request is being opened', () => {
  async function canceledWhilePublishing(): Promise<PromiseWithResolvers<void>> {
    const github = Promise.withResolvers<void>();
    stage.world.publishing = github.promise;
    await stage.working();
    stage.world.endAgent(stage.id(1), FINISHED);
    await stage.until(() => stage.called('openPullRequest') === 1);
    takenOff(0, OLIVIA);
    await stage.tell(removed(2));
    await stage.until(async () => (await stage.state()).active?.withdrawn);
    await stage.until(async () => {
      const { events } = await temporal.client.workflow.getHandle(runWorkflowId(stage.id(1))).fetchHistory();
      return events?.some(({ activityTaskCancelRequestedEventAttributes: asked }) => asked);
    });
    return github;
  }

  test('T15: leaves no pull request that nobody knows of: it comes too late', async () => {
    const github = await canceledWhilePublishing();
    github.resolve();
    await statusOf(1, 'succeeded');
    await stage.until(async () => (await stage.state()).pullRequest?.number === 13);
  });

  test('T15: ends the run as canceled when GitHub does not take it', async () => {
    const github = await canceledWhilePublishing();
    github.reject(new Error('GitHub is away'));
    await statusOf(1, 'canceled');
    expect((await stage.state()).pullRequest).toBeNull();
    expect(stage.called('openPullRequest')).toBe(1);
  });
});

describe('a run that waits', () => {
  async function oneWaits(): Promise<void> {
    await stage.working();
    clickedAgain();
    await stage.tell(labeled(2, stage.id(2)));
    await stage.until(async () => (await stage.state()).queue.length === 1);
  }

  test('starts behind one that could not be started', async () => {
    await oneWaits();
    stage.world.events.push({ id: 102, account: OLIVIA.id, clearedByPlatform: false });
    await stage.tell(labeled(3, stage.id(3)));
    await stage.until(async () => (await stage.state()).queue.length === 2);
    // A workflow of that id is there already, and will not be given up.
    await temporal.client.workflow.start('issueWorkflow', {
      workflowId: `run:${stage.id(2)}`,
      taskQueue: 'nobody-works-here',
      args: [],
    });
    stage.world.endAgent(stage.id(1), FINISHED);
    await stage.until(async () => (await stage.state()).active?.runId === stage.id(3));
    await temporal.client.workflow.getHandle(`run:${stage.id(2)}`).terminate('end of test');
    expect(stage.world.countEvents('run.failed')).toBe(1);
  });
});

describe('T18: the pull request while a run works', () => {
  async function revising(): Promise<void> {
    await stage.delivered();
    await stage.tell(changesRequested(2, 900, stage.id(2)));
    await stage.until(() => stage.called('awaitAgent') === 2);
  }

  test('T18: merged ends it as succeeded, with its agent stopped and nothing put into review', async () => {
    await revising();
    stage.world.pullRequest = { open: false, merged: true };
    await stage.tell(closed(3, true));
    await statusOf(2, 'succeeded');
    await stage.until(() => stage.called('moveLabels') === 2);
    expect(stage.called('stopAgent')).toBe(1);
    expect(stage.called('openPullRequest')).toBe(1);
    expect((await stage.state()).pullRequest).toBeNull();
    const last = stage.world.calls.findLast(({ name }) => name === 'moveLabels')?.input;
    expect(last).toMatchObject({ add: null, pullRequest: null });
    const comment = stage.world.calls.findLast(({ name }) => name === 'writeStatusComment')?.input['body'];
    expect(comment).toContain('olivia merged #13 meanwhile');
  });
});

describe('T35: a flood of facts', () => {
  test('T35: holds up no cancel of a person', async () => {
    await stage.working();
    const flood = Array.from({ length: 400 }, (_, n) => labeled(2 + n, stage.id(2)));
    for (let at = 0; at < flood.length; at += 100) await stage.tell(...flood.slice(at, at + 100), closed(1000 + at));
    await stage.handle.signal('observed', {
      facts: [{ seq: null, fact: { kind: 'cancel_requested', runId: stage.id(1), actor: 'olivia', reason: 'enough' } }],
    });
    await statusOf(1, 'canceled');
    await stage.until(async () => (await stage.state()).unread.length === 0);
    expect(stage.called('launchAgent')).toBe(1);
  });
});
