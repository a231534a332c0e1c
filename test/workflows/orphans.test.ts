/** An issue that GitHub does not show any more ends its runs; one that takes no comments does not (reliability.md T17). */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { changesRequested, delivered, FINISHED, labeled } from '../support/fake-activities.ts';
import { openIssueStage, type IssueStage } from '../support/issue-stage.ts';
import { startTemporal } from '../support/temporal.ts';

let temporal: TestWorkflowEnvironment;
let number = 1300;
let stage: IssueStage;

beforeAll(async () => {
  temporal = await startTemporal();
});
afterAll(async () => temporal?.teardown());
beforeEach(async () => {
  number += 1;
  stage = await openIssueStage(temporal, number);
});
afterEach(async () => stage.close());

describe('T17: an issue that is deleted or transferred', () => {
  /** GitHub does not show the issue any more, and tells so. */
  async function vanishes(seq: number): Promise<void> {
    stage.world.deleted = true;
    await stage.tell(delivered(seq, { kind: 'issue_closed' }));
  }

  test('T17: cancels the run that works, whose agent is stopped and opens no pull request', async () => {
    await stage.working();
    await vanishes(2);
    await stage.handle.result();
    expect(stage.world.rows.get(stage.id(1))?.status).toBe('canceled');
    expect([stage.called('stopAgent'), stage.called('openPullRequest')]).toEqual([1, 0]);
  });

  test('T17: cancels the run that waits as well', async () => {
    await stage.delivered();
    await stage.tell(changesRequested(2, 900, stage.id(2)), changesRequested(3, 901, stage.id(3)));
    await stage.until(async () => (await stage.state()).queue.length === 1);
    await vanishes(4);
    await stage.handle.result();
    expect([2, 3].map((n) => stage.world.rows.get(stage.id(n))?.status)).toEqual(['canceled', 'canceled']);
  });

  test('T17: starts nothing when a click is told of late', async () => {
    stage.world.deleted = true;
    await stage.tell(labeled(1, stage.id(1)));
    await stage.until(() => stage.world.countEvents('run.not_started') === 1);
    expect(stage.called('launchAgent')).toBe(0);
  });
});

describe('T17: an issue that is locked, so that GitHub takes no comment', () => {
  test('T17: has its run go on until its pull request is there', async () => {
    await stage.working();
    stage.world.commentsRefused = true;
    stage.world.endAgent(stage.id(1), FINISHED);
    await stage.until(async () => (await stage.state()).pullRequest !== null);
    expect(stage.world.rows.get(stage.id(1))?.status).toBe('succeeded');
  });

  test('T17: has the next run start as well', async () => {
    stage.world.commentsRefused = true;
    await stage.tell(labeled(1, stage.id(1)));
    await stage.until(() => stage.called('awaitAgent') === 1);
    expect(stage.world.rows.get(stage.id(1))?.statusCommentUrl).toBeNull();
  });
});
