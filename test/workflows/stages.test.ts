/** The stateful half of the trigger policy, on a real Temporal: gates, questions, rethink, reviewers and conversations. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import type { AgentEnd } from '../../activities/agents/agents.ts';
import type { ObservedFact } from '../../src/domain/issue/facts.ts';
import { triggerLabel, type Stage, type TriggerTarget } from '../../src/domain/stages/stages.ts';
import { changesRequested, delivered, FINISHED } from '../support/fake-activities.ts';
import { openIssueStage, type IssueStage } from '../support/issue-stage.ts';
import { openTemporal } from '../support/temporal.ts';

let temporal: TestWorkflowEnvironment;
let number = 900;
let stage: IssueStage;
let seq: number;

beforeAll(async () => {
  temporal = await openTemporal();
});
afterAll(async () => temporal?.teardown());
beforeEach(async () => {
  number += 1;
  seq = 0;
  stage = await openIssueStage(temporal, number);
  stage.world.events = [];
});
afterEach(async () => stage.close());

const work = (name: Stage): TriggerTarget => ({ stage: name, kind: 'work' });

/** Somebody clicks on a label; the run that it asks for has the number of the click. */
function click(target: TriggerTarget, onPullRequest?: number): ObservedFact {
  seq += 1;
  stage.world.events.push({ id: 100 + seq, by: 7, clearedByPlatform: false });
  stage.world.labels.push(triggerLabel(target));
  return delivered(seq, {
    kind: 'trigger_label_added',
    label: triggerLabel(target),
    target,
    runId: stage.id(seq),
    ...(onPullRequest === undefined ? {} : { pullRequest: onPullRequest }),
  });
}

/** A stage is asked for and done. */
async function does(name: Stage, end: AgentEnd = FINISHED): Promise<void> {
  const fact = click(work(name));
  stage.world.endAgent(stage.id(seq), end);
  await stage.tell(fact);
  const id = stage.id(seq);
  await stage.until(async () => (await stage.state()).last?.runId === id && !(await stage.state()).active);
}

const refusals = () =>
  stage.world.calls.filter(({ name }) => name === 'writeRefusal').map(({ input }) => input['refusal']);
const settled = () => stage.world.calls.filter(({ name }) => name === 'moveLabels').map(({ input }) => input);
const startOnly = (label: string): void => {
  stage.world.labels = [label];
};

describe('a stage', () => {
  beforeEach(() => startOnly('bug'));

  test('whose turn it is not is refused, and the comment says what would be possible', async () => {
    await stage.tell(click(work('vision')));
    await stage.until(() => stage.called('writeRefusal') === 1);
    expect(refusals()).toEqual([
      expect.objectContaining({ reason: 'stage_entry_not_met', labels: expect.arrayContaining(['run:intake']) }),
    ]);
    expect((await stage.state()).active).toBeNull();
    expect(stage.called('launchAgent')).toBe(0);
  });

  test('follows the one before it, on the same branch and pull request, which closes nothing', async () => {
    await does('intake');
    await does('vision');
    const { done, branch } = await stage.state();
    expect([Object.keys(done ?? {}), branch]).toEqual([['intake', 'vision'], 1]);
    const opened = stage.world.calls.filter(({ name }) => name === 'openPullRequest').map(({ input }) => input);
    expect(opened.map(({ closes }) => closes)).toEqual([false, false]);
    const assigned = stage.world.calls.filter(({ name }) => name === 'prepareAssignment');
    expect(assigned.map(({ input }) => input['since'])).toEqual([null, 'a'.repeat(40)]);
  });

  test('after a merge begins on a branch of its own', async () => {
    await does('intake');
    stage.world.pullRequest = { open: false, merged: true };
    await stage.tell(delivered((seq += 1), { kind: 'pull_request_closed', pullRequest: 13, merged: true }));
    await stage.until(async () => (await stage.state()).pullRequest === null);
    await does('vision');
    const branches = stage.world.calls
      .filter(({ name }) => name === 'openPullRequest')
      .map(({ input }) => input['branch']);
    expect(branches).toEqual([`codex/issue-${number}`, `codex/issue-${number}-2`]);
  });

  test('that needs work to look at asks for it, with a question', async () => {
    await does('dev');
    stage.world.candidates = { open: false, merged: false };
    await stage.tell(click(work('qa')));
    await stage.until(async () => (await stage.state()).asked === 'issue_trigger_candidate_not_found');
    await stage.until(() => stage.world.labels.includes('need:input'));
  });

  test('remembers where its work ended, and with what it was made', async () => {
    await does('dev');
    expect((await stage.state()).last).toMatchObject({ headSha: 'a'.repeat(40), profile: stage.world.profile });
  });
});

describe('T14: two trigger labels at once', () => {
  test('start nothing, are explained once, and leave a question that the next good one answers', async () => {
    stage.world.labels = ['run:qa'];
    await stage.tell(click(work('dev')));
    await stage.until(async () => (await stage.state()).asked === 'issue_trigger_label_conflict');
    expect(stage.called('launchAgent')).toBe(0);
    expect(refusals()).toEqual([expect.objectContaining({ labels: ['run:qa', 'run:dev'] })]);
    await stage.until(() => settled().some(({ add }) => add === 'need:input'));

    stage.world.labels = ['need:input'];
    await stage.tell(click(work('dev')));
    await stage.until(() => stage.called('launchAgent') === 1);
    expect((await stage.state()).asked).toBeNull();
    await stage.until(() => settled().filter(({ remove }) => remove === 'need:input').length === 1);
  });

  test('a question of a person is not answered by a click', async () => {
    stage.world.labels = ['need:input'];
    await stage.tell(click(work('dev')));
    await stage.until(() => stage.called('writeRefusal') === 1);
    expect(refusals()).toEqual([expect.objectContaining({ reason: 'needs_input' })]);
  });
});

describe('T26: who may not any more', () => {
  test('T26: starts nothing, though it was allowed when the webhook came', async () => {
    stage.world.labels = ['bug'];
    stage.world.refused = { 7: 'sender_role_read_not_permitted' };
    await stage.tell(click(work('dev')));
    await stage.until(() => refusals().length === 1);
    expect(refusals()).toEqual([expect.objectContaining({ reason: 'sender_role_read_not_permitted' })]);
    expect(stage.called('launchAgent')).toBe(0);
  });

  test('T26: starts nothing that waits in the queue either', async () => {
    stage.world.labels = ['bug'];
    await stage.tell(click(work('dev')));
    await stage.until(() => stage.called('awaitAgent') === 1);
    stage.world.labels = ['bug'];
    await stage.tell(click(work('self-improve')));
    await stage.until(async () => (await stage.state()).queue.length === 1);
    stage.world.refused = { 7: 'sender_not_project_member' };
    stage.world.endAgent(stage.id(1), FINISHED);
    await stage.until(() => stage.world.rows.get(stage.id(2))?.status === 'canceled');
    expect(stage.called('launchAgent')).toBe(1);
  });
});

describe('a review', () => {
  test('of nobody knows which stage leaves a question, and the labels to choose from', async () => {
    stage.world.labels = ['bug'];
    await stage.tell(changesRequested((seq += 1), 900, stage.id(1)));
    await stage.until(() => refusals().length === 1);
    expect(refusals()).toEqual([
      expect.objectContaining({
        reason: 'pull_request_review_stage_not_resolved',
        labels: expect.arrayContaining(['run:dev:revise', 'run:qa:revise']),
      }),
    ]);
  });

  test('goes back to the stage that did the work, when no label says otherwise', async () => {
    stage.world.labels = ['bug'];
    await does('intake');
    await stage.tell(changesRequested((seq += 1), 900, stage.id(seq)));
    await stage.until(async () => (await stage.state()).active?.target.kind === 'revise');
    expect((await stage.state()).active?.target.stage).toBe('intake');
  });

  test('on a blocked issue starts nothing, and says so', async () => {
    stage.world.labels = ['bug'];
    await does('dev');
    stage.world.labels = ['state:blocked'];
    await stage.tell(changesRequested((seq += 1), 900, stage.id(seq)));
    await stage.until(() => refusals().length === 1);
    expect(refusals()).toEqual([expect.objectContaining({ reason: 'state_blocked' })]);
  });
});

describe('a rethink', () => {
  const back = (backTo: Stage): AgentEnd => ({
    kind: 'reported',
    report: { outcome: 'finished', headSha: 'b'.repeat(40), threadId: 't', summary: 'Back.', backTo },
  });

  test('gives up what it goes back to and what came after, and the issue goes on from there', async () => {
    stage.world.labels = ['bug'];
    for (const name of ['intake', 'vision', 'prd'] as const) await does(name);
    await does('rethink', back('vision'));
    await stage.until(() => stage.world.countEvents('stage.superseded') === 1);
    expect(Object.keys((await stage.state()).done ?? {})).toEqual(['intake', 'rethink']);
    await does('vision');
    expect(Object.keys((await stage.state()).done ?? {}).toSorted()).toEqual(['intake', 'rethink', 'vision']);
  });

  test('marks a pull request that holds nothing else', async () => {
    stage.world.labels = ['bug'];
    await does('intake');
    stage.world.pullRequest = { open: false, merged: true };
    await stage.tell(delivered((seq += 1), { kind: 'pull_request_closed', pullRequest: 13, merged: true }));
    await stage.until(async () => (await stage.state()).pullRequest === null);
    stage.world.pullRequest = { open: true, merged: false };
    stage.world.pullRequestNumber = 14;
    await does('rethink', back('intake'));
    await stage.until(() => settled().some(({ add }) => add === 'state:superseded'));
    expect(settled().find(({ add }) => add === 'state:superseded')).toMatchObject({ issue: { number: 13 } });
  });
});

describe('need:reviewer', () => {
  test('has the pull request reviewed: nothing is pushed, opened or put into review', async () => {
    stage.world.labels = ['bug'];
    await does('dev');
    const before = settled().length;
    const fact = click({ stage: 'dev', kind: 'review' }, 13);
    stage.world.endAgent(stage.id(seq), FINISHED);
    await stage.tell(fact);
    await stage.until(() => stage.world.rows.get(stage.id(seq))?.status === 'succeeded');
    await stage.until(() => settled().length > before && settled().at(-1)?.['remove'] === 'need:reviewer');
    expect(stage.called('openPullRequest')).toBe(1);
    expect(settled().at(-1)).toMatchObject({ remove: 'need:reviewer', add: null, issue: { number: 13 } });
    const comment = stage.world.calls.findLast(({ name }) => name === 'writeStatusComment')?.input;
    expect(comment).toMatchObject({ issue: { number: 13 } });
    expect((await stage.state()).last?.runId).toBe(stage.id(1));
  });
});

describe('mode:discussion', () => {
  const discussion: TriggerTarget = { stage: 'intake', kind: 'discussion' };

  async function begun(): Promise<void> {
    stage.world.labels = [];
    const fact = click(discussion);
    stage.world.endAgent(stage.id(seq), FINISHED);
    await stage.tell(fact);
    await stage.until(async () => (await stage.state()).discussion?.last?.runId === stage.id(1));
  }

  function says(comment: number): ObservedFact {
    seq += 1;
    return delivered(seq, { kind: 'comment_added', comment, saidAt: new Date().toISOString(), runId: stage.id(seq) });
  }

  const reactions = () =>
    stage.world.calls
      .filter(({ name, input }) => name === 'acknowledge' && input['content'] !== undefined)
      .map(({ input }) => `${String(input['trigger'])} ${String(input['content'])}`);

  test('is a turn that leaves no pull request, and keeps its label', async () => {
    await begun();
    expect(stage.called('openPullRequest')).toBe(0);
    expect(stage.world.labels).toContain('mode:discussion');
  });

  test('goes on with a comment, in the same conversation: seen, then answered', async () => {
    await begun();
    const fact = says(501);
    stage.world.endAgent(stage.id(seq), FINISHED);
    await stage.tell(fact);
    await stage.until(() => reactions().length === 2);
    expect(reactions()).toEqual(['comment:501 eyes', 'comment:501 +1']);
    const assigned = stage.world.calls.findLast(({ name }) => name === 'prepareAssignment')?.input;
    expect(assigned).toMatchObject({ resume: { runId: stage.id(1), threadId: 'thread-1' } });
  });

  test('answers what was said during a turn with the next one', async () => {
    await begun();
    await stage.tell(says(501));
    await stage.until(() => stage.called('awaitAgent') === 2);
    await stage.tell(says(502));
    await stage.until(() => reactions().includes('comment:502 eyes'));
    stage.world.endAgent(stage.id(2), FINISHED);
    await stage.until(() => stage.called('awaitAgent') === 3);
    expect((await stage.state()).active?.trigger).toBe('comment:502');
  });

  test('answers a comment that arrived before the label, with its first turn', async () => {
    stage.world.labels = [];
    const label = click(discussion);
    const first = stage.id(seq);
    stage.world.endAgent(first, FINISHED);
    const early = says(500);
    await stage.tell({ ...early, seq: label.seq }, { ...label, seq: early.seq });
    await stage.until(() => reactions().length === 2);
    expect(reactions()).toEqual(['comment:500 eyes', 'comment:500 +1']);
    expect(stage.called('launchAgent')).toBe(1);
  });

  test('reads in its first turn all that was said until then, whoever heard it', async () => {
    const before = Date.now();
    await begun();
    const { requestedAt } = stage.world.calls.find(({ name }) => name === 'prepareAssignment')?.input ?? {};
    expect(Date.parse(requestedAt as string)).toBeGreaterThanOrEqual(before);
  });

  test('is ended by any label that starts a run', async () => {
    await begun();
    await stage.tell(says(501));
    await stage.until(() => stage.called('awaitAgent') === 2);
    await stage.tell(click(work('dev')));
    await stage.until(async () => (await stage.state()).active?.target.stage === 'dev');
    expect((await stage.state()).discussion).toBeNull();
    await stage.until(() => !stage.world.labels.includes('mode:discussion'));
    await stage.until(() => stage.world.rows.get(stage.id(2))?.status === 'canceled');
  });

  test('does not begin while a run works', async () => {
    stage.world.labels = [];
    await stage.tell(click(work('dev')));
    await stage.until(() => stage.called('awaitAgent') === 1);
    stage.world.labels = [];
    await stage.tell(click(discussion));
    await stage.until(() => refusals().length === 1);
    expect(refusals()).toEqual([expect.objectContaining({ reason: 'discussion_mode_trigger_label_conflict' })]);
  });

  test('ends when its label is taken off', async () => {
    await begun();
    stage.world.labels = [];
    await stage.tell(delivered((seq += 1), { kind: 'trigger_label_removed', label: 'mode:discussion' }));
    await stage.until(() => stage.world.countEvents('discussion.ended') === 1);
    expect((await stage.state()).discussion).toBeNull();
  });
});

describe('a review by somebody known who may not start runs', () => {
  const refused = (review: number): ObservedFact =>
    delivered((seq += 1), {
      kind: 'review_refused',
      pullRequest: 13,
      review,
      reason: 'sender_role_read_not_permitted',
    });

  test('starts nothing, and is explained where it was given', async () => {
    startOnly('bug');
    await does('dev');
    await stage.tell(refused(900));
    await stage.until(() => stage.world.countEvents('run.not_started') === 1);
    const written = stage.world.calls.filter(({ name }) => name === 'writeRefusal').map(({ input }) => input);
    expect(written).toEqual([
      expect.objectContaining({
        issue: expect.objectContaining({ number: 13 }),
        refusal: expect.objectContaining({ reason: 'sender_role_read_not_permitted', subject: 'review-900' }),
      }),
    ]);
  });

  test('is explained once, however often GitHub tells of it', async () => {
    startOnly('bug');
    await does('dev');
    await stage.tell(refused(900), refused(900), refused(901));
    await stage.until(() => refusals().length === 2);
    expect(refusals().map((refusal) => (refusal as { subject: string }).subject)).toEqual(['review-900', 'review-901']);
  });
});

describe('B22: an agent that puts a trigger label on', () => {
  test('starts nothing: the label is taken off, and a person is asked', async () => {
    stage.world.labels = ['run:dev'];
    stage.world.events = [{ id: 100, by: 7, clearedByPlatform: false }];
    await stage.tell(
      delivered((seq += 1), { kind: 'trigger_refused', label: 'run:dev', reason: 'trigger_by_agent', labels: [] }),
    );
    await stage.until(() => stage.world.countEvents('approval.requested') === 1);
    await stage.until(() => stage.world.labels.length === 0);
    expect(stage.called('launchAgent')).toBe(0);
  });
});
