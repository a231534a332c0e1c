/**
 * An issue that GitHub does not show any more ends its runs (docs/reliability.md T17), and so does a repository in which nothing can
 * be done (T21); an issue that takes no comments does not.
 */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import type { GoneReason, ObservedFact } from '../../src/domain/issue/facts.ts';
import { changesRequested, delivered, FINISHED, labeled } from '../support/fake-activities.ts';
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

  /** What the read model was told of the issue. */
  const events = () =>
    stage.world.calls
      .filter(({ name }) => name === 'recordIssue')
      .flatMap(({ input }) => input['events'] as { type: string; payload: object; runId: string | null }[]);

  test('T17: cancels the run that works, whose agent is stopped and opens no pull request', async () => {
    await stage.working();
    await vanishes(2);
    await stage.handle.result();
    expect(stage.world.rows.get(stage.id(1))?.status).toBe('canceled');
    expect([stage.called('stopAgent'), stage.called('openPullRequest')]).toEqual([1, 0]);
  });

  test.each([
    ['deleted', 'the issue was deleted'],
    ['transferred', 'the issue was transferred to another repository'],
  ] as const)('T17: that was %s is told apart in its events', async (gone, reason) => {
    await stage.working();
    stage.world.deleted = true;
    await stage.tell(delivered(2, { kind: 'issue_closed', gone }));
    await stage.handle.result();
    expect(events()).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ type: 'issue.closed', payload: { gone: true, how: gone } }),
        expect.objectContaining({
          type: 'run.orphaned',
          runId: stage.id(1),
          payload: { reason: `issue_${gone}` },
        }),
      ]),
    );
    expect(stage.world.rows.get(stage.id(1))?.detail).toContain(reason);
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

  test.each<[GoneReason, IssueStage['world']['repository'], string]>([
    ['archived', 'archived', 'the repository was archived'],
    ['deleted', 'gone', 'the repository was deleted'],
    ['app_removed', 'gone', 'codex-k8s was taken out of the repository'],
    ['app_suspended', 'gone', 'codex-k8s was suspended in the repository'],
    ['not_shown', 'gone', 'GitHub does not show the repository any more'],
  ])('T21: %s: cancels the run that works, removes its workspace, and ends', async (reason, shown, words) => {
    await stage.working();
    stage.world.repository = shown;
    await stage.tell(gone(2, reason));
    await stage.handle.result();
    expect(stage.world.rows.get(stage.id(1))).toMatchObject({
      status: 'canceled',
      detail: expect.stringContaining(words),
    });
    expect([stage.called('stopAgent'), stage.called('removeWorkspace')]).toEqual([1, 1]);
  });

  test('T21: says so, of itself and of each run that is lost', async () => {
    await stage.delivered();
    await stage.tell(changesRequested(2, 900, stage.id(2)), changesRequested(3, 901, stage.id(3)));
    await stage.until(async () => (await stage.state()).queue.length === 1);
    stage.world.repository = 'archived';
    await stage.tell(gone(4, 'archived'));
    await stage.handle.result();
    expect([stage.world.countEvents('repository.gone'), stage.world.countEvents('run.orphaned')]).toEqual([1, 2]);
  });

  test('T21: ends an issue at which nobody works', async () => {
    await stage.delivered();
    stage.world.repository = 'archived';
    await stage.tell(gone(2, 'archived'));
    await stage.handle.result();
    expect(stage.called('removeWorkspace')).toBe(1);
  });

  test('T21: is left alone on GitHub: no label is taken off where nothing can be written', async () => {
    await stage.working();
    stage.world.repository = 'archived';
    await stage.tell(gone(2, 'archived'));
    await stage.handle.result();
    expect(stage.called('moveLabels')).toBe(0);
  });

  test.each<GoneReason>(['archived', 'deleted', 'app_suspended'])(
    'T21: %s, replayed or late, ends nothing while GitHub shows otherwise',
    async (reason) => {
      await stage.working();
      await stage.tell(gone(2, reason));
      await stage.until(() => stage.world.countEvents('repository.gone_stale') === 1);
      expect((await stage.state()).active?.runId).toBe(stage.id(1));
    },
  );

  test('T21: begins anew with a label, once it can be worked in again', async () => {
    await stage.working();
    stage.world.repository = 'archived';
    await stage.tell(gone(2, 'archived'));
    await stage.handle.result();
    stage.world.repository = 'shown';
    stage.world.events.push({ id: 200, by: 7, clearedByPlatform: false });
    stage.world.events[0] = { id: 100, by: 7, clearedByPlatform: false, takenOffBy: { id: 7, login: 'olivia' } };
    await stage.tell(labeled(3, stage.id(3)));
    await stage.until(async () => (await stage.state()).active?.runId === stage.id(3));
  });
});
