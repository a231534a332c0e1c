/** A status comment that somebody edits or deletes is made right again, and nothing else waits for that. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { delivered, FINISHED } from '../../support/fake-activities.ts';
import { openIssueStage, type IssueStage } from '../../support/issue-stage.ts';
import { openTemporal } from '../../support/temporal.ts';

let temporal: TestWorkflowEnvironment;
let number = 900;
let stage: IssueStage;
/** What a restore waits for, where a test says so. */
let held: PromiseWithResolvers<void>;

beforeAll(async () => {
  temporal = await openTemporal();
});
afterAll(async () => temporal?.teardown());
beforeEach(async () => {
  number += 1;
  held = Promise.withResolvers<void>();
  stage = await openIssueStage(temporal, number);
});
afterEach(async () => {
  held.resolve();
  await stage.close();
});

const changed = (seq: number, n = 1) => delivered(seq, { kind: 'status_comment_changed', runId: stage.id(n) });

function restored(): unknown[] {
  return stage.world.calls.filter(({ name }) => name === 'restoreStatusComment').map(({ input }) => input['runId']);
}

describe('a status comment that somebody changed', () => {
  test('is made right while its run works', async () => {
    await stage.working();
    await stage.tell(changed(2));
    await stage.until(() => restored().length === 1);
    expect(restored()).toEqual([stage.id(1)]);
  });

  test('is made right when its run is over', async () => {
    await stage.delivered();
    await stage.tell(changed(2));
    await stage.until(() => restored().length === 1);
  });

  test('is looked at once more, and not more often, for all changes that come while it is made right', async () => {
    await stage.working();
    stage.world.restoring = held.promise;
    await stage.tell(changed(2));
    await stage.until(() => restored().length === 1);
    await stage.tell(changed(3), changed(4), changed(5), changed(6));
    await stage.until(async () => (await stage.state()).cursor === 6);
    held.resolve();
    await stage.until(() => restored().length === 2);
    await stage.tell(changed(7));
    await stage.until(() => restored().length === 3);
  });

  test('holds nothing up while it cannot be made right', async () => {
    await stage.working();
    stage.world.restoring = held.promise;
    await stage.tell(changed(2));
    await stage.until(() => restored().length === 1);
    stage.world.endAgent(stage.id(1), FINISHED);
    await stage.until(async () => {
      const { pullRequest, active } = await stage.state();
      return pullRequest && !active && !stage.world.labels.includes('run:dev');
    });
  });
});
