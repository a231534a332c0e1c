/**
 * An issue that GitHub does not show any more ends its runs (docs/reliability.md T17), and so does a repository in which nothing can
 * be done (T21); an issue that takes no comments does not.
 */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import type { GoneReason, ObservedFact } from '../../src/domain/issue/facts.ts';
import { delivered, FINISHED, labeled } from '../support/fake-activities.ts';
import { openIssueStage, type IssueStage } from '../support/issue-stage.ts';
import { openTemporal } from '../support/temporal.ts';

let temporal: TestWorkflowEnvironment;
let number = 1300;
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
});

describe('T17: an issue that is locked, so that GitHub takes no comment', () => {
  test('T17: has its run go on until its pull request is there', async () => {
    await stage.working();
    stage.world.commentsRefused = true;
    stage.world.endAgent(stage.id(1), FINISHED);
    await stage.until(async () => (await stage.state()).pullRequest !== null);
    expect(stage.world.rows.get(stage.id(1))?.status).toBe('succeeded');
  });

  test('T17: says once why there is no comment, and its run goes on', async () => {
    stage.world.locked = true;
    await stage.working();
    stage.world.endAgent(stage.id(1), FINISHED);
    await stage.until(async () => (await stage.state()).pullRequest !== null);
    expect(stage.world.rows.get(stage.id(1))?.status).toBe('succeeded');
    expect(stage.world.countEvents('github.comment_refused')).toBe(1);
  });

  test('T17: has the next run start as well', async () => {
    stage.world.commentsRefused = true;
    await stage.tell(labeled(1, stage.id(1)));
    await stage.until(() => stage.called('awaitAgent') === 1);
    await stage.until(() => stage.world.rows.get(stage.id(1))?.status === 'working');
    expect(stage.world.rows.get(stage.id(1))?.statusCommentUrl).toBeNull();
  });
});

describe('T21: a repository in which nothing can be done any more', () => {
  const gone = (seq: number, reason: GoneReason): ObservedFact => delivered(seq, { kind: 'repository_gone', reason });

  test('T21: starts again with a label, once it can be written to again', async () => {
    await stage.working();
    stage.world.repository = 'archived';
    await stage.tell(gone(2, 'archived'));
    await stage.handle.result();
    stage.world.repository = 'shown';
    stage.world.events.push({ id: 200, account: 7, clearedByPlatform: false });
    stage.world.events[0] = { id: 100, account: 7, clearedByPlatform: false, takenOffBy: { id: 7, login: 'olivia' } };
    await stage.tell(labeled(3, stage.id(3)));
    await stage.until(async () => (await stage.state()).active?.runId === stage.id(3));
  });
});
