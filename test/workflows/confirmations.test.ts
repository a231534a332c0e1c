/** What ends a run or starts one is asked of GitHub: a delivery that is replayed, late or out of order changes nothing. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { changesRequested, delivered, FINISHED, labeled } from '../support/fake-activities.ts';
import { openIssueStage, type IssueStage } from '../support/issue-stage.ts';
import { openTemporal } from '../support/temporal.ts';
import { runWorkflowId } from '../../workflows/messages.ts';

const OLIVIA = { id: 7, login: 'olivia' };
const PETER = { id: 8, login: 'peter' };

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
  stage.world.events.push({ id: 101, by: OLIVIA.id, clearedByPlatform: false });
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

  test('T15: and of which an old delivery is replayed, cancels nothing while the label stands', async () => {
    await stage.working();
    await stage.tell(removed(2));
    await stage.until(() => stage.world.countEvents('trigger.removal_stale') === 1);
    expect((await stage.state()).active?.runId).toBe(stage.id(1));
    expect(stage.called('stopAgent')).toBe(0);
  });

  test('T15: by somebody else than the delivery names, cancels nothing', async () => {
    await stage.working();
    takenOff(0, PETER);
    await stage.tell(removed(2));
    await stage.until(() => stage.world.countEvents('trigger.removal_stale') === 1);
    expect((await stage.state()).active?.runId).toBe(stage.id(1));
  });

  test('T15: and put on again before GitHub is asked, ends the run of the first click only', async () => {
    await stage.working();
    takenOff(0, OLIVIA);
    clickedAgain();
    await stage.tell(labeled(2, stage.id(2)), removed(3));
    await statusOf(1, 'canceled');
    await stage.until(async () => (await stage.state()).active?.runId === stage.id(2));
  });

  test('T15: cancels the run although GitHub does not say any more what it records', async () => {
    await stage.working();
    stage.world.refusesToShow = true;
    await stage.tell(removed(2));
    await statusOf(1, 'canceled');
  });

  test('T15: and is told of many times is asked about once', async () => {
    await stage.working();
    takenOff(0, OLIVIA);
    await stage.tell(removed(2), removed(3), removed(4));
    await statusOf(1, 'canceled');
    expect(stage.called('readWithdrawals')).toBe(1);
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

describe('T12: unlabeled before labeled', () => {
  test('T12: starts no run, since the click was taken back', async () => {
    takenOff(0, OLIVIA);
    stage.world.labels = [];
    await stage.tell(removed(1), labeled(2, stage.id(1)));
    await stage.until(() => stage.world.countEvents('run.not_started') === 1);
    expect(stage.called('launchAgent')).toBe(0);
  });

  test('T12: starts only the click that stands, when the label was put on again', async () => {
    takenOff(0, OLIVIA);
    clickedAgain();
    await stage.tell(removed(1), labeled(2, stage.id(1)), labeled(3, stage.id(2)));
    await stage.until(() => stage.called('awaitAgent') === 1);
    const { active, queue } = await stage.state();
    expect(active?.trigger).toBe('label:101');
    expect(queue).toEqual([]);
  });
});

describe('a run that waits', () => {
  async function oneWaits(): Promise<void> {
    await stage.working();
    clickedAgain();
    await stage.tell(labeled(2, stage.id(2)));
    await stage.until(async () => (await stage.state()).queue.length === 1);
  }

  test('T15: does not start when its label was taken off and nobody told', async () => {
    await oneWaits();
    takenOff(1, PETER);
    stage.world.endAgent(stage.id(1), FINISHED);
    await statusOf(2, 'canceled');
    expect(stage.world.rows.get(stage.id(2))?.detail).toBe('peter: the label run:dev was removed');
    expect(stage.called('launchAgent')).toBe(1);
  });

  test('does not start when its issue was closed and nobody told', async () => {
    await oneWaits();
    stage.world.open = false;
    stage.world.endAgent(stage.id(1), FINISHED);
    await statusOf(2, 'canceled');
    expect(stage.called('launchAgent')).toBe(1);
  });

  test('is passed over for the next one that is still wanted', async () => {
    await oneWaits();
    stage.world.events.push({ id: 102, by: OLIVIA.id, clearedByPlatform: false });
    await stage.tell(labeled(3, stage.id(3)));
    await stage.until(async () => (await stage.state()).queue.length === 2);
    takenOff(1, OLIVIA);
    stage.world.endAgent(stage.id(1), FINISHED);
    await stage.until(async () => (await stage.state()).active?.runId === stage.id(3));
    await statusOf(2, 'canceled');
  });

  test('T19: does not start when the review that asked for it was dismissed and nobody told', async () => {
    await stage.delivered();
    await stage.tell(changesRequested(2, 900, stage.id(2)));
    await stage.until(() => stage.called('awaitAgent') === 2);
    await stage.tell(changesRequested(3, 901, stage.id(3)));
    await stage.until(async () => (await stage.state()).queue.length === 1);
    stage.world.reviews.set(901, { state: 'dismissed' });
    stage.world.endAgent(stage.id(2), FINISHED);
    await statusOf(3, 'canceled');
    expect(stage.called('launchAgent')).toBe(2);
  });

  test('T25: is refused and explained when ten wait already', async () => {
    await stage.working();
    for (let n = 2; n <= 12; n += 1) {
      stage.world.events.push({ id: 99 + n, by: OLIVIA.id, clearedByPlatform: false });
      await stage.tell(labeled(n, stage.id(n)));
      await stage.until(async () => (await stage.state()).unread.length === 0);
    }
    await stage.until(() => stage.called('writeRefusal') === 1);
    expect((await stage.state()).queue).toHaveLength(10);
    const refusal = stage.world.calls.find(({ name }) => name === 'writeRefusal')?.input;
    expect(refusal).toMatchObject({ issue: { number }, refusal: { reason: 'queue_full', subject: 'event-111' } });
  }, 300_000);

  test('starts behind one that could not be started', async () => {
    await oneWaits();
    stage.world.events.push({ id: 102, by: OLIVIA.id, clearedByPlatform: false });
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

  test('T18: closed without a merge cancels it, and says why', async () => {
    await revising();
    stage.world.pullRequest = { open: false, merged: false };
    await stage.tell(closed(3));
    await statusOf(2, 'canceled');
    expect(stage.world.rows.get(stage.id(2))?.detail).toBe('olivia: pull request #13 was closed');
    expect(stage.called('openPullRequest')).toBe(1);
  });

  test('T18: cancels nothing when an old close is replayed and it is open', async () => {
    await revising();
    await stage.tell(closed(3));
    await stage.until(() => stage.world.countEvents('pull_request.close_stale') === 1);
    const { active, pullRequest } = await stage.state();
    expect([active?.runId, pullRequest?.number]).toEqual([stage.id(2), 13]);
  });

  test('T18: closed without a merge takes those along that wait to revise it', async () => {
    await revising();
    await stage.tell(changesRequested(3, 901, stage.id(3)));
    await stage.until(async () => (await stage.state()).queue.length === 1);
    stage.world.pullRequest = { open: false, merged: false };
    await stage.tell(closed(4));
    await statusOf(3, 'canceled');
    await statusOf(2, 'canceled');
    expect(stage.called('launchAgent')).toBe(2);
  });

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

  test('T18: merged ends it as succeeded also when the close of the issue is told first', async () => {
    await revising();
    stage.world.pullRequest = { open: false, merged: true };
    stage.world.open = false;
    await stage.tell(delivered(3, { kind: 'issue_closed' }), closed(4, true));
    await statusOf(2, 'succeeded');
    await stage.handle.result();
    expect(stage.called('removeWorkspace')).toBe(1);
  });
});

describe('T19: a review that asks for changes', () => {
  test.each([
    ['was dismissed', { state: 'dismissed' }, 'review_dismissed'],
    ['is gone', { state: null }, 'review_gone'],
    ['was followed by an approval', { approvedSince: true }, 'review_superseded'],
    ['is of a pull request that is closed', { pullRequestOpen: false }, 'pull_request_closed'],
    ['is from before the issue was reopened', { ofEarlierLife: true }, 'review_of_earlier_life'],
  ])('T19: and %s is recorded as stale, and starts nothing', async (_what, truth, reason) => {
    await stage.delivered();
    stage.world.reviews.set(900, truth);
    await stage.tell(changesRequested(2, 900, stage.id(2)));
    await stage.until(() => stage.world.countEvents('review.stale') === 1);
    expect(stage.called('launchAgent')).toBe(1);
    const shown = stage.world.calls.findLast(({ name }) => name === 'recordIssue')?.input;
    expect(JSON.stringify(shown)).toContain(reason);
  });

  test('T19: that does not count any more is explained to nobody, though it would be refused for another reason', async () => {
    stage.world.reviews.set(900, { ofEarlierLife: true });
    await stage.tell(changesRequested(1, 900, stage.id(1)));
    await stage.until(() => stage.world.countEvents('review.stale') === 1);
    expect(stage.called('writeRefusal')).toBe(0);
  });

  test('T19: on an old commit is recorded as stale, and the reviewer is told so on the pull request', async () => {
    await stage.delivered();
    const { seq, fact } = changesRequested(2, 900, stage.id(2));
    await stage.tell({ seq, fact: { ...fact, outdated: true } as typeof fact });
    await stage.until(() => stage.world.countEvents('review.stale') === 1);
    expect(stage.called('launchAgent')).toBe(1);
    expect(stage.world.calls.find(({ name }) => name === 'writeRefusal')?.input).toMatchObject({
      issue: { number: 13 },
      refusal: { reason: 'review_outdated', by: 'olivia' },
    });
  });
});

describe('a reopening', () => {
  test('that is replayed while the issue is being closed keeps it from nothing', async () => {
    await stage.delivered();
    stage.world.open = false;
    await stage.tell(delivered(2, { kind: 'issue_closed' }), delivered(3, { kind: 'issue_reopened' }));
    await stage.handle.result();
    expect(stage.called('removeWorkspace')).toBe(1);
  });
});

describe('T35: a flood of facts', () => {
  test('T35: holds up no cancel of a person', async () => {
    await stage.working();
    const flood = Array.from({ length: 400 }, (_, n) => labeled(2 + n, stage.id(2)));
    for (let at = 0; at < flood.length; at += 100) await stage.tell(...flood.slice(at, at + 100), closed(1000 + at));
    await stage.handle.signal('observed', {
      facts: [{ seq: null, fact: { kind: 'cancel_requested', runId: stage.id(1), by: 'olivia', reason: 'enough' } }],
    });
    await statusOf(1, 'canceled');
    await stage.until(async () => (await stage.state()).unread.length === 0);
    expect(stage.called('launchAgent')).toBe(1);
  });

  test('T35: that say nothing new is told of in a few lines', async () => {
    await stage.working();
    await stage.tell(...Array.from({ length: 100 }, (_, n) => labeled(2 + n, stage.id(2))));
    await stage.until(() => stage.world.countEvents('issue.throttled') === 1);
    expect(stage.world.countEvents('trigger.duplicate')).toBe(20);
    const told = stage.world.calls.findLast(({ name }) => name === 'recordIssue')?.input;
    expect(JSON.stringify(told)).toContain('"facts":80');
  });
});
