import { describe, expect, test } from 'vitest';
import {
  missedOnIssue,
  missedOnPullRequest,
  missedReviews,
  receivedOf,
  reconcileId,
  reconcileReviewId,
  type HistoryEvent,
  type IssueOnGitHub,
  type IssueRecords,
  type KnownRun,
  type ReceivedDelivery,
} from '../../../src/domain/maintenance/reconcile.ts';

const NOW = Date.parse('2026-11-22T12:00:00Z');
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** So long before now, ISO 8601. */
function ago(ms: number): string {
  return new Date(NOW - ms).toISOString();
}

const OLIVIA = { id: 11, login: 'olivia', type: 'User' };
const PAUL = { id: 12, login: 'paul', type: 'User' };
const WHEN = { now: NOW, graceMs: MINUTE, since: ago(24 * HOUR) };
const NOTHING: IssueRecords = { shown: null, runs: [], received: [], deliveries: new Set() };

function event(
  id: number,
  name: HistoryEvent['event'],
  label: string | null,
  msAgo: number,
  by = OLIVIA,
): HistoryEvent {
  return { id, event: name, label, by, at: ago(msAgo) };
}

function received(of: HistoryEvent, more: Partial<ReceivedDelivery> = {}): ReceivedDelivery {
  return {
    action: of.event,
    pullRequest: null,
    label: of.label,
    sender: of.by.id,
    review: null,
    accepted: true,
    changedAt: of.at,
    ...more,
  };
}

function run(trigger: string, more: Partial<KnownRun> = {}): KnownRun {
  return { id: 'run-1', trigger, stage: 'dev', kind: 'work', status: 'working', startedAt: ago(HOUR), ...more };
}

const CLICK = event(100, 'labeled', 'run:dev', 9 * MINUTE);
const LABELED: IssueOnGitHub = { open: true, labels: ['run:dev', 'bug'], history: [CLICK] };
const WORKING = { state: 'working', activeRunId: 'run-1', pullRequest: null } as const;

describe('a trigger label that is on', () => {
  const missed = (truth: IssueOnGitHub, records: Partial<IssueRecords> = {}) =>
    missedOnIssue(truth, { ...NOTHING, ...records }, WHEN).map(({ id }) => id);

  test('was missed when no webhook reported it', () => {
    expect(missed(LABELED)).toEqual([100]);
  });

  test.each([
    ['was told of', { received: [received(CLICK)] }],
    ['has a run', { runs: [run('label:100')] }],
    ['was found by a sweep before', { deliveries: new Set([reconcileId(CLICK)]) }],
  ])('was not missed when it %s', (_, records) => {
    expect(missed(LABELED, records)).toEqual([]);
  });

  test('I24: was not missed when the label had another name as it was put on', () => {
    const renamed = (namedSince: string) =>
      missedOnIssue(LABELED, NOTHING, { ...WHEN, namedSince: { 'run:dev': namedSince } }).map(({ id }) => id);
    expect(renamed(ago(5 * MINUTE))).toEqual([]);
    expect(renamed(ago(10 * MINUTE))).toEqual([100]);
  });

  test('was missed when only an earlier event of the same person was reported', () => {
    const first = event(90, 'labeled', 'run:dev', 20 * MINUTE);
    const off = event(95, 'unlabeled', 'run:dev', 15 * MINUTE);
    expect(
      missed({ ...LABELED, history: [first, off, CLICK] }, { received: [received(first), received(off)] }),
    ).toEqual([100]);
  });

  test('was missed when only the same label by somebody else was reported', () => {
    expect(missed(LABELED, { received: [received({ ...CLICK, by: PAUL })] })).toEqual([100]);
  });

  test('is the newest event only: the others were withdrawn', () => {
    const first = event(90, 'labeled', 'run:dev', 20 * MINUTE, PAUL);
    const off = event(95, 'unlabeled', 'run:dev', 15 * MINUTE);
    expect(missed({ ...LABELED, history: [first, off, CLICK] })).toEqual([100]);
  });

  test('that was accepted is reported once more when it has no run after ten grace periods', () => {
    const click = event(100, 'labeled', 'run:dev', 11 * MINUTE);
    const truth = { ...LABELED, history: [click] };
    expect(missed(truth, { received: [received(click)] })).toEqual([100]);
    expect(missed(truth, { received: [received(click)], runs: [run('label:100')] })).toEqual([]);
    expect(missed(truth, { received: [received(click, { accepted: false })] })).toEqual([]);
  });

  test('is left to webhooks for a minute', () => {
    expect(missed({ ...LABELED, history: [event(100, 'labeled', 'run:dev', 30_000)] })).toEqual([]);
  });

  test('from before the repository was bound is not the platform’s', () => {
    expect(missed({ ...LABELED, history: [event(100, 'labeled', 'run:dev', 25 * HOUR)] })).toEqual([]);
  });

  test('from before the issue was closed and reopened asks for nothing', () => {
    const turns = [event(101, 'closed', null, 5 * MINUTE), event(102, 'reopened', null, 4 * MINUTE)];
    expect(missed({ ...LABELED, history: [CLICK, ...turns] })).toEqual([]);
  });

  test('is found under whatever case it is written', () => {
    expect(missed({ ...LABELED, labels: ['Run:Dev'] })).toEqual([100]);
  });

  test('that was taken off meanwhile asks for nothing', () => {
    expect(missed({ ...LABELED, labels: ['bug'] })).toEqual([]);
  });

  test('each is found when two stand: the evaluate refuses them', () => {
    const other = event(101, 'labeled', 'run:qa', 9 * MINUTE);
    expect(missed({ open: true, labels: ['run:dev', 'run:qa'], history: [CLICK, other] })).toEqual([100, 101]);
  });
});

describe('a label that was taken off', () => {
  const off = event(110, 'unlabeled', 'run:dev', 5 * MINUTE);
  const truth: IssueOnGitHub = { open: true, labels: [], history: [CLICK, off] };
  const missed = (records: Partial<IssueRecords>, of = truth) =>
    missedOnIssue(of, { ...NOTHING, shown: WORKING, ...records }, WHEN).map(({ id }) => id);

  test('was missed when its run works on', () => {
    expect(missed({ runs: [run('label:100')] })).toEqual([110]);
  });

  test.each([
    ['was told of', { runs: [run('label:100')], received: [received(off)] }],
    ['has a run that is over', { runs: [run('label:100', { status: 'succeeded' })] }],
    ['was there before the click of the run that works', { runs: [run('label:120')] }],
    ['has a run that a review asked for', { runs: [run('review:5')] }],
  ])('was not missed when it %s', (_, records) => {
    expect(missed(records)).toEqual([]);
  });

  test('was missed when its run waits', () => {
    expect(missed({ runs: [run('label:100', { status: 'queued' })] })).toEqual([110]);
  });

  test('was missed also when it is on again, and comes before the newer event', () => {
    const again = event(120, 'labeled', 'run:dev', 4 * MINUTE);
    const now = { open: true, labels: ['run:dev'], history: [CLICK, off, again] };
    expect(missed({ runs: [run('label:100')] }, now)).toEqual([110, 120]);
  });
});

describe('a close', () => {
  const close = event(200, 'closed', null, 5 * MINUTE);
  const truth: IssueOnGitHub = { open: false, labels: ['run:dev'], history: [CLICK, close] };
  const missed = (records: Partial<IssueRecords>) =>
    missedOnIssue(truth, { ...NOTHING, ...records }, WHEN).map(({ id }) => id);

  test.each(['working', 'waiting'] as const)('was missed when the issue is still shown as %s', (state) => {
    expect(missed({ shown: { ...WORKING, state } })).toEqual([200]);
  });

  test.each([
    ['the issue is shown as closed', { shown: { ...WORKING, state: 'closed' as const } }],
    ['the issue has no workflow', { shown: null }],
    ['it was told of', { shown: WORKING, received: [received(close)] }],
  ])('was not missed when %s', (_, records) => {
    expect(missed(records)).toEqual([]);
  });

  test('of a pull request was missed when its issue still waits for it', () => {
    const shown = { ...WORKING, state: 'waiting' as const, pullRequest: 8 };
    const of = { open: false, history: [close], changeRequests: [] };
    const missed = (records: Partial<IssueRecords>) =>
      missedOnPullRequest(8, of, { ...NOTHING, shown, ...records }, WHEN).map(({ id }) => id);
    expect(missed({})).toEqual([200]);
    expect(missed({ shown: { ...shown, pullRequest: 9 } })).toEqual([]);
    expect(missed({ received: [received(close, { pullRequest: 8 })] })).toEqual([]);
    expect(missed({ received: [received(close)] })).toEqual([200]);
    expect(missed({ deliveries: new Set([reconcileId(close)]) })).toEqual([]);
  });
});

describe('a request for changes', () => {
  const review = { id: 7, by: OLIVIA, at: ago(10 * MINUTE) };
  const shown = { ...WORKING, state: 'waiting', activeRunId: null, pullRequest: 8 } as const;
  const truth = { open: true, history: [], changeRequests: [review] };
  const missed = (records: Partial<IssueRecords>, of = truth) =>
    missedReviews(of, { ...NOTHING, shown, ...records }, WHEN).map(({ id }) => id);

  test('was missed when no webhook reported it', () => {
    expect(missed({ runs: [run('label:100', { status: 'succeeded' })] })).toEqual([7]);
  });

  test.each<[string, Partial<IssueRecords>]>([
    ['was told of', { received: [received(CLICK, { action: 'submitted', review: 7 })] }],
    ['has a run', { runs: [run('review:7', { kind: 'revise', startedAt: ago(HOUR) })] }],
    ['was found by a sweep before', { deliveries: new Set([reconcileReviewId(review)]) }],
    ['was read by a revise that began later', { runs: [run('review:6', { kind: 'revise', startedAt: ago(MINUTE) })] }],
    ['will be read by a revise that waits', { runs: [run('review:6', { kind: 'revise', startedAt: null })] }],
  ])('was not missed when it %s', (_, records) => {
    expect(missed(records)).toEqual([]);
  });

  test.each<[string, KnownRun]>([
    ['a revise before it', run('review:6', { kind: 'revise', status: 'succeeded' })],
    ['a revise after it that failed', run('review:6', { kind: 'revise', status: 'failed', startedAt: ago(MINUTE) })],
    ['a work run after it', run('label:100', { startedAt: ago(MINUTE) })],
  ])('is not answered by %s', (_, known) => {
    expect(missed({ runs: [known] })).toEqual([7]);
  });

  test('on a pull request that is closed asks for nothing', () => {
    expect(missed({}, { ...truth, open: false })).toEqual([]);
  });
});

describe('the event that a stored delivery reported', () => {
  test('is read from its body', () => {
    const body = {
      issue: { updated_at: '2026-11-22T11:59:00Z' },
      label: { name: ' Run:Dev ' },
      sender: { id: 11 },
    };
    expect(receivedOf({ event: 'issues', action: 'labeled', status: 'accepted' }, body)).toEqual({
      action: 'labeled',
      pullRequest: null,
      label: 'run:dev',
      sender: 11,
      review: null,
      accepted: true,
      changedAt: '2026-11-22T11:59:00Z',
    });
  });

  test('is nothing for an event that cannot be missed', () => {
    expect(receivedOf({ event: 'push', action: null, status: 'accepted' }, { ref: 'refs/heads/main' })).toBeNull();
  });
});
