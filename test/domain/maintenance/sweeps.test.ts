import { describe, expect, test } from 'vitest';
import {
  isLostRun,
  isOrphan,
  missedOnIssue,
  missedOnPullRequest,
  missedReviews,
  planRedelivery,
  reconcileId,
  reconcileReviewId,
  receivedOf,
  type DeliveryAttempt,
  type HistoryEvent,
  type IssueRecords,
  type IssueOnGitHub,
  type KnownRun,
  type ReceivedDelivery,
} from '../../../src/domain/maintenance/sweeps.ts';

const NOW = Date.parse('2026-11-22T12:00:00Z');
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** So long before now, ISO 8601. */
function ago(ms: number): string {
  return new Date(NOW - ms).toISOString();
}

describe('a failed delivery', () => {
  const attempt = (guid: string, statusCode: number, msAgo: number, more: Partial<DeliveryAttempt> = {}) => ({
    id: msAgo,
    guid,
    deliveredAt: ago(msAgo),
    statusCode,
    throttledAt: null,
    ...more,
  });
  const plan = (attempts: readonly DeliveryAttempt[], kept: readonly string[] = [], limit = 10) =>
    planRedelivery(attempts, new Set(kept), { now: NOW, limit });
  const resent = (attempts: readonly DeliveryAttempt[], kept: readonly string[] = []) =>
    plan(attempts, kept).resend.map(({ guid }) => guid);

  test.each([502, 503, 504, 500])('with %i is sent again at once', (statusCode) => {
    expect(resent([attempt('a', statusCode, 1000)])).toEqual(['a']);
  });

  test('is not sent again when another attempt succeeded', () => {
    const attempts = [attempt('a', 502, HOUR), attempt('a', 202, 1000)];
    expect(plan(attempts)).toEqual({ resend: [], waiting: 0, givenUp: 0, recovered: 1 });
  });

  test('is not sent again when it was kept all the same', () => {
    expect(plan([attempt('a', 503, 1000)], ['a'])).toMatchObject({ resend: [], recovered: 1 });
  });

  test('is sent again by its newest attempt', () => {
    const attempts = [attempt('a', 502, HOUR), attempt('a', 502, 10 * MINUTE)];
    expect(plan(attempts).resend).toEqual([attempts[1]]);
  });

  test.each([
    [2, 3 * MINUTE, false],
    [2, 5 * MINUTE, true],
    [3, 5 * MINUTE, false],
    [3, 9 * MINUTE, true],
    [6, HOUR, false],
    [6, 2 * HOUR, true],
  ])('that failed %i times waits %i ms: due is %s', (times, msSince, due) => {
    const attempts = Array.from({ length: times }, (_, index) => attempt('a', 502, msSince + index * MINUTE));
    expect(resent(attempts)).toEqual(due ? ['a'] : []);
    expect(plan(attempts).givenUp).toBe(0);
  });

  test.each([400, 401, 413, 415])('that the server refuses with %i is given up after three attempts', (statusCode) => {
    const attempts = (times: number) =>
      Array.from({ length: times }, (_, index) => attempt('a', statusCode, 2 * HOUR + index * HOUR));
    expect(resent(attempts(2))).toEqual(['a']);
    expect(plan(attempts(3))).toMatchObject({ resend: [], waiting: 0, givenUp: 1 });
  });

  test('is given up after twelve attempts in all', () => {
    const attempts = Array.from({ length: 12 }, (_, index) => attempt('a', 502, 7 * HOUR + index * HOUR));
    expect(plan(attempts)).toMatchObject({ resend: [], givenUp: 1 });
  });

  test('that GitHub will have forgotten is given up', () => {
    expect(plan([attempt('a', 502, 73 * HOUR)])).toMatchObject({ resend: [], givenUp: 1 });
  });

  test('that GitHub holds back is left to GitHub, for half an hour', () => {
    expect(resent([attempt('a', 502, MINUTE, { throttledAt: ago(MINUTE) })])).toEqual([]);
    expect(resent([attempt('a', 502, HOUR, { throttledAt: ago(HOUR) })])).toEqual(['a']);
  });

  test('comes before those that failed later, and those over the limit wait', () => {
    const attempts = [attempt('new', 502, 1000), attempt('old', 502, HOUR), attempt('older', 502, 2 * HOUR)];
    expect(plan(attempts, [], 2).resend.map(({ guid }) => guid)).toEqual(['older', 'old']);
    expect(plan(attempts, [], 2).waiting).toBe(1);
  });
});

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

describe('a trigger label that stands', () => {
  const missed = (truth: IssueOnGitHub, records: Partial<IssueRecords> = {}) =>
    missedOnIssue(truth, { ...NOTHING, ...records }, WHEN).map(({ id }) => id);

  test('was missed when nobody told of it', () => {
    expect(missed(LABELED)).toEqual([100]);
  });

  test.each([
    ['was told of', { received: [received(CLICK)] }],
    ['has a run', { runs: [run('label:100')] }],
    ['was found by a sweep before', { deliveries: new Set([reconcileId(CLICK)]) }],
  ])('was not missed when it %s', (_, records) => {
    expect(missed(LABELED, records)).toEqual([]);
  });

  test('was missed when only an earlier click of the same person was told of', () => {
    const first = event(90, 'labeled', 'run:dev', 20 * MINUTE);
    const off = event(95, 'unlabeled', 'run:dev', 15 * MINUTE);
    expect(
      missed({ ...LABELED, history: [first, off, CLICK] }, { received: [received(first), received(off)] }),
    ).toEqual([100]);
  });

  test('was missed when only the same label by somebody else was told of', () => {
    expect(missed(LABELED, { received: [received({ ...CLICK, by: PAUL })] })).toEqual([100]);
  });

  test('is the newest click only: the others were taken back', () => {
    const first = event(90, 'labeled', 'run:dev', 20 * MINUTE, PAUL);
    const off = event(95, 'unlabeled', 'run:dev', 15 * MINUTE);
    expect(missed({ ...LABELED, history: [first, off, CLICK] })).toEqual([100]);
  });

  test('that was accepted is told of once more when it led to nothing in ten times the grace', () => {
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

  test('was missed also when it stands again, and comes before the newer click', () => {
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

  test('was missed when nobody told of it', () => {
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

describe('what a kept delivery told of', () => {
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

describe('a run that is shown at work', () => {
  const lost = (status: Parameters<typeof isLostRun>[0], shownAgo = HOUR) =>
    isLostRun(status, ago(shownAgo), { now: NOW, graceMs: MINUTE });

  test.each([
    ['is lost when its workflow ended a while ago', { status: 'closed', closedAt: ago(2 * MINUTE) }, HOUR, true],
    ['may just have ended', { status: 'closed', closedAt: ago(1000) }, HOUR, false],
    ['is lost when Temporal does not know it', { status: 'absent' }, HOUR, true],
    ['may just be beginning', { status: 'absent' }, 1000, false],
    ['is not lost while its workflow is open', { status: 'open' }, HOUR, false],
  ] as const)('%s', (_, status, shownAgo, expected) => {
    expect(lost(status, shownAgo)).toBe(expected);
  });
});

describe('a workspace', () => {
  const workspace = { name: 'codex-r1-i7', owner: 'issue:1#7', runs: ['a'], usedAt: ago(2 * HOUR) };
  const closed = { status: 'closed', closedAt: ago(HOUR) } as const;
  const orphan = (statuses: Parameters<typeof isOrphan>[1], usedAgo = 2 * HOUR) =>
    isOrphan({ ...workspace, usedAt: ago(usedAgo) }, statuses, { now: NOW, ageMs: HOUR });

  test('is nobody’s when neither its issue nor a run has an open workflow', () => {
    expect(orphan([closed, { status: 'absent' }])).toBe(true);
  });

  test('is wanted while the workflow of one of its runs is open', () => {
    expect(orphan([closed, { status: 'open' }])).toBe(false);
  });

  test('that was used within the hour is let be', () => {
    expect(orphan([closed], 30 * MINUTE)).toBe(false);
  });
});
