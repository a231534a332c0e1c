import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Account, Fact, ObservedFact } from '../../../src/domain/issue/facts.ts';
import {
  decideRevise,
  decideTriggers,
  isCanceledByRemoval,
  isOver,
  labelToRemove,
  newIssueState,
  nextUnread,
  receive,
  resolveReviseStage,
  UNREAD_LIMIT,
  waitsFor,
  type IssueState,
  type LabelFact,
  type LabelTruth,
  type PlannedRun,
  type TriggerDecision,
} from '../../../src/domain/issue/issue-life.ts';
import type { Stage } from '../../../src/domain/stages/stages.ts';

const OLIVIA: Account = { id: 11, login: 'olivia' };
const PETER: Account = { id: 12, login: 'peter' };
const PLATFORM: Account = { id: 1, login: 'codex-k8s[bot]' };
const AT = '2026-11-21T10:00:00.000Z';

function fresh(): IssueState {
  return newIssueState('Count words', 'https://github.com/acme/demo/issues/7', AT);
}

/** A click that a hook tells of; every delivery brings a run id of its own. */
function click(delivery: string, by: Account = OLIVIA): Extract<LabelFact, { kind: 'trigger_label_added' }> {
  return {
    kind: 'trigger_label_added',
    delivery,
    by,
    at: AT,
    label: 'run:dev',
    target: { stage: 'dev', kind: 'work' },
    runId: `run-of-${delivery}`,
  };
}

/** The same, refused at the edge because another label was there. */
function refusal(delivery: string): LabelFact {
  const { target: _, runId: __, ...delivered } = click(delivery);
  return { ...delivered, kind: 'trigger_refused', reason: 'issue_trigger_label_conflict', labels: [] };
}

/** An event of GitHub, and whether the platform took the label off since. */
type Labeled = readonly [id: number, by: Account, cleared?: 'cleared' | undefined];

/** What GitHub says: the label stands, put on in these events. */
function truth(events: readonly Labeled[], more: Partial<LabelTruth> = {}): LabelTruth {
  return {
    open: true,
    title: 'Count words',
    labels: ['run:dev', 'bug'],
    labeled: events.map(([id, by, cleared]) => ({
      id,
      by: by.id,
      at: AT,
      clearedByPlatform: cleared !== undefined,
      takenOffBy: cleared === undefined ? null : PLATFORM,
    })),
    ...more,
  };
}

/** The record after a person took one of the labels off. */
function takenBack({ labeled }: LabelTruth, event: number): LabelTruth['labeled'] {
  return labeled.map((each) => ({ ...each, takenOffBy: each.id === event ? OLIVIA : null }));
}

function planned(more: Partial<PlannedRun> = {}): PlannedRun {
  return {
    runId: 'run-1',
    target: { stage: 'dev', kind: 'work' },
    trigger: 'label:1',
    label: 'run:dev',
    by: OLIVIA,
    delivery: 'd1',
    requestedAt: AT,
    revision: 0,
    ...more,
  };
}

describe('receiving facts', () => {
  const numbered = (seq: number): ObservedFact => ({
    seq,
    fact: { kind: 'issue_closed', delivery: `d${seq}`, by: OLIVIA, at: AT },
  });
  const seqs = (state: IssueState): (number | null)[] => state.unread.map(({ seq }) => seq);

  test('facts handed over twice are learned once', () => {
    const state = fresh();
    receive(state, [numbered(1), numbered(2)]);
    receive(state, [numbered(1), numbered(2), numbered(3)]);
    expect(seqs(state)).toEqual([1, 2, 3]);
  });

  test('a fact that was read already does not come back', () => {
    const state = fresh();
    receive(state, [numbered(1), numbered(2)]);
    state.unread = [];
    receive(state, [numbered(1), numbered(2)]);
    expect(state).toMatchObject({ unread: [], cursor: 2 });
  });

  test('facts from within have no number and are always learned', () => {
    const state = fresh();
    const canceled: ObservedFact = {
      seq: null,
      fact: { kind: 'cancel_requested', runId: 'run-1', by: 'olivia', reason: '' },
    };
    receive(state, [numbered(5), canceled, canceled]);
    expect(state).toMatchObject({ cursor: 5, unread: [numbered(5), canceled, canceled] });
  });

  test('T35: one that repeats what many unread ones say is let go and counted, and the cursor moves on', () => {
    const state = fresh();
    receive(
      state,
      Array.from({ length: UNREAD_LIMIT + 50 }, (_, index) => numbered(index + 1)),
    );
    expect(state.unread).toHaveLength(UNREAD_LIMIT);
    expect(state).toMatchObject({ throttled: 50, cursor: UNREAD_LIMIT + 50 });
  });

  test('T35: one that says something new is never let go, nor one from within', () => {
    const state = fresh();
    receive(
      state,
      Array.from({ length: UNREAD_LIMIT }, (_, index) => numbered(index + 1)),
    );
    const others: Fact[] = [
      click('d1'),
      click('d2', PETER),
      { ...click('d3'), event: 100 },
      { ...click('d4'), label: 'run:qa' },
      { kind: 'trigger_label_removed', delivery: 'd5', by: OLIVIA, at: AT, label: 'run:dev' },
      { kind: 'issue_reopened', delivery: 'd6', by: OLIVIA, at: AT },
      { kind: 'cancel_requested', runId: 'run-1', by: 'olivia', reason: '' },
      { kind: 'cancel_requested', runId: 'run-1', by: 'olivia', reason: '' },
    ];
    receive(
      state,
      others.map((fact, index) => ({ seq: fact.kind === 'cancel_requested' ? null : 1000 + index, fact })),
    );
    expect(state.unread.slice(UNREAD_LIMIT).map(({ fact }) => fact)).toEqual(others);
  });

  test('T35: what people and runs say directly is read before what webhooks report', () => {
    const state = fresh();
    const canceled: Fact = { kind: 'cancel_requested', runId: 'run-1', by: 'olivia', reason: '' };
    receive(state, [numbered(1), numbered(2), { seq: null, fact: canceled }]);
    expect(state.unread[nextUnread(state)]?.fact).toEqual(canceled);
    expect(nextUnread({ unread: [numbered(1)] })).toBe(0);
    expect(nextUnread({ unread: [] })).toBe(0);
  });

  test('every fact is learned once and in order, however a relay repeats itself', () => {
    /** Each signal starts again at some fact that was handed over before, and goes some way beyond. */
    const signals = fc.array(fc.record({ back: fc.nat(8), ahead: fc.nat(5), read: fc.nat(6) }), { maxLength: 30 });
    fc.assert(
      fc.property(signals, (steps) => {
        const state = fresh();
        const learned: (number | null)[] = [];
        let sent = 0;
        for (const { back, ahead, read } of steps) {
          const first = Math.max(1, sent + 1 - back);
          const last = Math.max(sent, sent + ahead);
          receive(
            state,
            Array.from({ length: last - first + 1 }, (_, index) => numbered(first + index)),
          );
          sent = last;
          learned.push(...seqs(state).slice(0, read));
          state.unread = state.unread.slice(read);
        }
        expect([...learned, ...seqs(state)]).toEqual(Array.from({ length: sent }, (_, index) => index + 1));
        expect(state.cursor).toBe(sent);
      }),
    );
  });
});

describe('a click on a trigger label', () => {
  test('is one run, named by the event', () => {
    expect(decideTriggers({}, [click('d1')], truth([[100, OLIVIA]]))).toEqual({
      planned: [planned({ runId: 'run-of-d1', trigger: 'label:100', frozenAt: expect.any(String) })],
      dropped: [],
      taken: { [OLIVIA.id]: 100 },
      refused: {},
    });
  });

  test('that two hooks tell of is one run', () => {
    const decision = decideTriggers({}, [click('d1'), click('d2')], truth([[100, OLIVIA]]));
    expect(decision.planned.map(({ trigger }) => trigger)).toEqual(['label:100']);
    expect(decision.dropped).toEqual([{ fact: click('d2'), reason: 'trigger_already_taken' }]);
  });

  test('that a second hook tells of later is still one run', () => {
    const first = decideTriggers({}, [click('d1')], truth([[100, OLIVIA]]));
    const second = decideTriggers(first.taken, [click('d2')], truth([[100, OLIVIA]]));
    expect(second).toEqual({
      planned: [],
      dropped: [{ fact: click('d2'), reason: 'trigger_already_taken' }],
      taken: { [OLIVIA.id]: 100 },
      refused: {},
    });
  });

  test('that twenty deliveries tell of is one run', () => {
    const facts = Array.from({ length: 20 }, (_, index) => click(`d${index}`));
    expect(decideTriggers({}, facts, truth([[100, OLIVIA]])).planned).toHaveLength(1);
  });

  test('that is replayed after its run is none, though the label stands', () => {
    expect(decideTriggers({ [OLIVIA.id]: 100 }, [click('replay')], truth([])).planned).toEqual([]);
    expect(decideTriggers({ [OLIVIA.id]: 100 }, [click('replay')], truth([[100, OLIVIA]])).planned).toEqual([]);
  });

  test('that is taken back and made again is two runs, in their order', () => {
    const decision = decideTriggers(
      {},
      [click('d1'), click('d2')],
      truth([
        [100, OLIVIA],
        [101, OLIVIA],
      ]),
    );
    expect(decision.planned.map(({ runId, trigger }) => [runId, trigger])).toEqual([
      ['run-of-d1', 'label:100'],
      ['run-of-d2', 'label:101'],
    ]);
    expect(decision.taken).toEqual({ [OLIVIA.id]: 101 });
  });

  test('that is taken back and made again is two runs, when the workflow hears of them one by one', () => {
    const events = truth([
      [100, OLIVIA],
      [101, OLIVIA],
    ]);
    const first = decideTriggers({}, [click('d1')], events);
    const second = decideTriggers(first.taken, [click('d2')], events);
    expect([...first.planned, ...second.planned].map(({ trigger }) => trigger)).toEqual(['label:100', 'label:101']);
  });

  test.each<[string, LabelFact[]]>([
    ['in their order', [click('d1'), click('d2', PETER)]],
    ['the other way round', [click('d2', PETER), click('d1')]],
  ])('of each of two people is a run, when their deliveries come %s', (_order, facts) => {
    const decision = decideTriggers(
      {},
      facts,
      truth([
        [100, OLIVIA],
        [101, PETER],
      ]),
    );
    expect(decision.planned.map(({ trigger }) => trigger).toSorted()).toEqual(['label:100', 'label:101']);
    expect(decision.dropped).toEqual([]);
  });

  test('of each of two people is a run, when the later one is heard of first', () => {
    const events = truth([
      [100, OLIVIA],
      [101, PETER],
    ]);
    const first = decideTriggers({}, [click('d2', PETER)], events);
    const second = decideTriggers(first.taken, [click('d1')], events);
    expect([...first.planned, ...second.planned].map(({ trigger }) => trigger).toSorted()).toEqual([
      'label:100',
      'label:101',
    ]);
  });

  test('by a stranger is not taken for that of a permitted sender', () => {
    expect(decideTriggers({}, [click('d1')], truth([[100, { id: 666, login: 'mallory' }]])).planned).toEqual([]);
  });

  test('is found behind that of a stranger', () => {
    const events = truth([
      [100, { id: 666, login: 'mallory' }],
      [101, OLIVIA],
    ]);
    expect(decideTriggers({}, [click('d1')], events).planned.map(({ trigger }) => trigger)).toEqual(['label:101']);
  });

  test.each<[string, Partial<LabelTruth>, string]>([
    ['is closed', { open: false }, 'issue_closed'],
    ['is closed and conflicted', { open: false, labels: ['run:dev', 'run:qa'] }, 'issue_closed'],
    ['does not carry the label any more', { labels: ['bug'] }, 'label_absent'],
    ['carries another trigger label instead', { labels: ['run:qa'] }, 'label_absent'],
    ['carries a second trigger label', { labels: ['run:dev', 'RUN:qa'] }, 'issue_trigger_label_conflict'],
  ])('is no run when the issue %s', (_state, more, reason) => {
    const decision = decideTriggers({}, [click('d1'), click('d2')], truth([[100, OLIVIA]], more));
    expect(decision).toEqual({
      planned: [],
      dropped: [
        { fact: click('d1'), event: 100, reason },
        // Said once: the second delivery tells of the same click.
        { fact: click('d2'), reason: reason === 'issue_trigger_label_conflict' ? 'trigger_already_taken' : reason },
      ],
      taken: { [OLIVIA.id]: 100 },
      refused: {},
    });
  });

  test.each<[string, string[]]>([
    ['labels that trigger nothing', ['run:dev', 'run:debug', 'state:approved', 'need:qa']],
    ['the label in another spelling', ['RUN:Dev']],
  ])('is a run beside %s', (_what, labels) => {
    expect(decideTriggers({}, [click('d1')], truth([[100, OLIVIA]], { labels })).planned).toHaveLength(1);
  });

  test.each<[string, Partial<LabelTruth>]>([
    ['the label was absent', { labels: [] }],
    ['the issue was closed', { open: false }],
    ['there was a conflict', { labels: ['run:dev', 'run:qa'] }],
  ])('that was dropped because %s starts nothing when it is replayed', (_why, more) => {
    const first = decideTriggers({}, [click('d1')], truth([[100, OLIVIA]], more));
    expect(decideTriggers(first.taken, [click('replay')], truth([[100, OLIVIA]])).planned).toEqual([]);
  });

  test('made while GitHub is being read is left for its own delivery', () => {
    const first = decideTriggers(
      {},
      [click('d1')],
      truth(
        [
          [100, OLIVIA],
          [101, OLIVIA],
        ],
        { labels: [] },
      ),
    );
    const second = decideTriggers(
      first.taken,
      [click('d2')],
      truth([
        [100, OLIVIA],
        [101, OLIVIA],
      ]),
    );
    expect(second.planned.map(({ trigger }) => trigger)).toEqual(['label:101']);
  });

  test('whose label the platform took off at the end of an earlier run is a run all the same', () => {
    const decision = decideTriggers({}, [click('d1')], truth([[100, OLIVIA, 'cleared']], { labels: ['bug'] }));
    expect(decision.planned.map(({ trigger }) => trigger)).toEqual(['label:100']);
  });

  test('whose label the platform took off is no run beside another trigger label', () => {
    const decision = decideTriggers({}, [click('d1')], truth([[100, OLIVIA, 'cleared']], { labels: ['run:qa'] }));
    expect(decision).toMatchObject({ planned: [], dropped: [{ reason: 'issue_trigger_label_conflict' }] });
  });

  test('that was taken back is no run later, though the platform took an earlier one off', () => {
    const before: Labeled[] = [
      [100, OLIVIA, 'cleared'],
      [101, OLIVIA],
    ];
    const then = truth(before, { labels: [] });
    const first = decideTriggers({}, [click('d1'), click('d2')], { ...then, labeled: takenBack(then, 101) });
    const now = truth([...before, [102, OLIVIA]]);
    const after = { ...now, labeled: takenBack(now, 101) };
    const second = decideTriggers(first.taken, [click('d3')], after);
    const replayed = decideTriggers(second.taken, [click('replay')], after);
    const planned = [first, second, replayed].map((decision) => decision.planned.map(({ trigger }) => trigger));
    expect(planned).toEqual([['label:100'], ['label:102'], []]);
  });

  test('T12: that a person took back is none, though another click of somebody else stands', () => {
    const events = truth([
      [100, OLIVIA],
      [101, PETER],
    ]);
    const record = { ...events, labeled: takenBack(events, 100) };
    expect(decideTriggers({}, [click('d1')], record)).toMatchObject({
      planned: [],
      dropped: [{ reason: 'label_absent' }],
    });
  });

  test('T12: that stands is taken up before one that was taken back, whose own delivery may be lost', () => {
    const events = truth([
      [100, OLIVIA],
      [101, OLIVIA],
    ]);
    const record = { ...events, labeled: takenBack(events, 100) };
    const first = decideTriggers({}, [click('d2')], record);
    expect(first.planned.map(({ trigger }) => trigger)).toEqual(['label:101']);
    expect(decideTriggers(first.taken, [click('d1')], record).planned).toEqual([]);
  });

  test('that was refused at the edge takes nothing from a later one that stands', () => {
    const events = truth([
      [100, OLIVIA],
      [101, OLIVIA],
    ]);
    const record = { ...events, labeled: takenBack(events, 100) };
    const decision = decideTriggers({}, [refusal('d1'), click('d2')], record);
    expect(decision.planned.map(({ trigger }) => trigger)).toEqual(['label:101']);
  });

  test('is meant before one whose label the platform took off', () => {
    const events = truth([
      [100, OLIVIA, 'cleared'],
      [101, OLIVIA],
    ]);
    expect(decideTriggers({}, [click('d')], events).planned[0]?.trigger).toBe('label:101');
  });

  describe('beside one that was refused at the edge and was taken back', () => {
    const record: LabelTruth = {
      ...truth([]),
      labeled: takenBack(
        truth([
          [100, OLIVIA],
          [101, OLIVIA],
        ]),
        100,
      ),
    };

    test.each<[string, LabelFact[]]>([
      ['twice before', [refusal('d1'), refusal('d1 again'), click('d2'), click('d2 again')]],
      ['before and after', [refusal('d1'), click('d2'), refusal('d1 again'), click('d2 again')]],
      ['after', [click('d2'), click('d2 again'), refusal('d1'), refusal('d1 again')]],
    ])('is one run, when of the other is told %s', (_when, facts) => {
      const together = decideTriggers({}, facts, record).planned;
      const oneByOne = facts.reduce<TriggerDecision>(
        (before, fact) => {
          const { planned, ...next } = decideTriggers(before.taken, [fact], record, undefined, before.refused);
          return { ...next, planned: [...before.planned, ...planned] };
        },
        { planned: [], dropped: [], taken: {}, refused: {} },
      ).planned;
      for (const runs of [together, oneByOne]) expect(runs.map(({ trigger }) => trigger)).toEqual(['label:101']);
    });

    test('is said to be refused under its own event only', () => {
      const { dropped } = decideTriggers({}, [refusal('d1'), click('d2'), refusal('d1 again')], record);
      expect(dropped.map(({ event, reason }) => [event, reason])).toEqual([
        [100, 'issue_trigger_label_conflict'],
        [undefined, 'trigger_already_taken'],
      ]);
    });
  });

  test('is the same run in whatever order and how often clicks are told of, refused and accepted ones', () => {
    /** Clicks of one person, of which the last may stand; those before `turn` belong to an earlier life of the issue. */
    const clicks = fc.array(fc.record({ refused: fc.boolean(), times: fc.integer({ min: 1, max: 3 }) }), {
      minLength: 1,
      maxLength: 4,
    });
    const order = fc.array(fc.nat(100), { minLength: 12, maxLength: 12 });
    fc.assert(
      fc.property(clicks, fc.nat(3), fc.boolean(), order, order, (made, turn, stands, one, other) => {
        const labeled = made.map((_, index) => ({
          id: index + 1,
          by: OLIVIA.id,
          at: AT,
          clearedByPlatform: false,
          takenOffBy: stands && index === made.length - 1 ? null : OLIVIA,
        }));
        const record = { ...truth([], { labels: stands ? ['run:dev'] : [] }), labeled: labeled.slice(turn) };
        const facts = made.flatMap(({ refused, times }, index) =>
          Array.from({ length: times }, (_, hook) => (refused ? refusal : click)(`d${index}-${hook}`)),
        );
        const [first, second] = [one, other].map((places) => {
          let taken: TriggerDecision['taken'] = {};
          let refused: TriggerDecision['refused'] = {};
          const runs: string[] = [];
          for (const [, fact] of [...facts.entries()].toSorted(([a], [b]) => (places[a] ?? 0) - (places[b] ?? 0))) {
            const decision = decideTriggers(taken, [fact], record, undefined, refused);
            ({ taken, refused } = decision);
            runs.push(...decision.planned.map(({ trigger }) => trigger));
          }
          return runs;
        });
        expect(first).toEqual(second);
        expect(first?.length).toBe(stands && turn < made.length && made.some(({ refused }) => !refused) ? 1 : 0);
      }),
      { numRuns: 500 },
    );
  });

  test('nobody made is nothing', () => {
    expect(decideTriggers({ [OLIVIA.id]: 5 }, [], truth([[100, OLIVIA]]))).toEqual({
      planned: [],
      dropped: [],
      taken: { [OLIVIA.id]: 5 },
      refused: {},
    });
  });

  test('is never more runs than events by permitted senders, and no event is a run twice, over any sequence of looks', () => {
    const people = [OLIVIA, PETER, { id: 666, login: 'mallory' }] as const;
    const aLook = fc.record({
      clicks: fc.array(fc.tuple(fc.constantFrom(...people), fc.constantFrom('cleared' as const, undefined)), {
        maxLength: 3,
      }),
      /** Of the two who are permitted; the stranger's deliveries were refused at the edge. */
      deliveries: fc.array(fc.constantFrom(OLIVIA, PETER), { maxLength: 4 }),
      standing: fc.boolean(),
      open: fc.boolean(),
      conflict: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(aLook, { maxLength: 12 }), (looks) => {
        const events: Labeled[] = [];
        const all: PlannedRun[] = [];
        let taken: Readonly<Record<string, number>> = {};
        let deliveries = 0;
        for (const look of looks) {
          for (const [by, mark] of look.clicks) events.push([events.length + 1, by, mark]);
          const unseen = events.filter(([id, by]) => id > (taken[by.id] ?? 0) && by.id !== 666);
          const facts = look.deliveries.map((by) => click(`d${deliveries++}`, by));
          const labels = [...(look.standing ? ['run:dev'] : []), ...(look.conflict ? ['run:qa'] : [])];
          const cleared = events.filter(([, , mark]) => mark).map(([id]) => `label:${id}`);
          const decision = decideTriggers(taken, facts, truth(events, { labels, open: look.open }));
          expect(decision.planned.length).toBeLessThanOrEqual(unseen.length);
          expect(decision.planned.length + decision.dropped.length).toBe(facts.length);
          for (const [by, id] of Object.entries(taken)) expect(decision.taken[by]).toBeGreaterThanOrEqual(id);
          for (const { trigger, by } of decision.planned)
            expect(events.map(([id, who]) => [`label:${id}`, who])).toContainEqual([trigger, by]);
          if (!look.open || look.conflict) expect(decision.planned).toEqual([]);
          if (!look.standing) for (const { trigger } of decision.planned) expect(cleared).toContain(trigger);
          all.push(...decision.planned);
          taken = decision.taken;
        }
        expect(new Set(all.map(({ trigger }) => trigger)).size).toBe(all.length);
        expect(new Set(all.map(({ runId }) => runId)).size).toBe(all.length);
      }),
      { numRuns: 500 },
    );
  });
});

describe('the stage that a review sends back', () => {
  test.each<[string, string[], string[], Stage | undefined, ReturnType<typeof resolveReviseStage>]>([
    [
      'is that of the label on the pull request',
      ['run:dev', 'bug'],
      ['run:qa'],
      'ops',
      { stage: 'dev', source: 'pr_labels' },
    ],
    [
      'is one, of a label and its revise',
      ['run:dev', 'run:dev:revise'],
      [],
      undefined,
      { stage: 'dev', source: 'pr_labels' },
    ],
    ['is a late one too', ['run:release'], [], 'dev', { stage: 'release', source: 'pr_labels' }],
    ['is else that of the label on the issue', ['bug'], ['RUN:qa'], 'dev', { stage: 'qa', source: 'issue_labels' }],
    ['is else that of the last run', ['bug'], ['run:debug'], 'dev', { stage: 'dev', source: 'last_run_context' }],
    [
      'is unclear with two on the pull request',
      ['run:dev', 'run:qa'],
      ['run:dev'],
      'dev',
      { problem: 'ambiguous', labels: ['run:dev:revise', 'run:qa:revise'] },
    ],
    [
      'is unclear with two on the issue',
      [],
      ['run:dev', 'run:qa'],
      'dev',
      { problem: 'ambiguous', labels: ['run:dev:revise', 'run:qa:revise'] },
    ],
    [
      'is unknown without any',
      [],
      [],
      undefined,
      { problem: 'not_resolved', labels: expect.arrayContaining(['run:dev:revise']) },
    ],
  ])('%s', (_what, onPullRequest, onIssue, last, resolved) => {
    const sources = { pullRequestLabels: onPullRequest, issueLabels: onIssue, lastStage: last, done: {} };
    expect(resolveReviseStage(sources)).toEqual(resolved);
  });
});

describe('a review that requests changes', () => {
  const review = (labels: string[]): Extract<Fact, { kind: 'changes_requested' }> => ({
    kind: 'changes_requested',
    delivery: 'd1',
    by: OLIVIA,
    at: AT,
    pullRequest: 8,
    pullRequestUrl: 'https://github.com/acme/demo/pull/8',
    branch: 'codex/issue-7',
    review: 99,
    labels,
    runId: 'run-1',
  });
  const last = { runId: 'run-0', stage: 'dev' as const, threadId: 't' };

  test('is a revise, named by the review', () => {
    expect(decideRevise(fresh(), review(['run:dev']))).toEqual({
      source: 'pr_labels',
      planned: planned({ target: { stage: 'dev', kind: 'revise' }, trigger: 'review:99', label: null }),
    });
  });

  test('without a label goes on with the last run', () => {
    expect(decideRevise({ ...fresh(), last }, review([]))).toMatchObject({
      source: 'last_run_context',
      planned: { target: { stage: 'dev', kind: 'revise' } },
    });
  });

  test.each<[string, Partial<IssueState>, string[], string]>([
    ['on a closed issue', { closed: true }, ['run:dev'], 'issue_closed'],
    ['that was taken up before', { takenReviews: [98, 99] }, ['run:dev'], 'trigger_already_taken'],
    ['of nothing known', {}, [], 'pull_request_review_stage_not_resolved'],
    ['with two stages', {}, ['run:dev', 'run:qa'], 'pull_request_review_stage_ambiguous'],
    ['of a stage without a revise', {}, ['run:rethink'], 'pull_request_review_stage_not_resolved'],
  ])('%s is none', (_what, more, labels, reason) => {
    expect(decideRevise({ ...fresh(), ...more }, review(labels))).toMatchObject({ reason });
  });
});

describe('taking the label off', () => {
  test.each<[string, PlannedRun, string, boolean]>([
    ['ends the run that it asked for', planned(), 'run:dev', true],
    ['ends it in any spelling', planned(), ' Run:DEV', true],
    ['does not end a run of another label', planned(), 'run:dev:revise', false],
    [
      'does not end a run that a review asked for',
      planned({ label: null, target: { stage: 'dev', kind: 'revise' } }),
      'run:dev:revise',
      false,
    ],
  ])('%s', (_what, run, label, ends) => {
    expect(isCanceledByRemoval(run, label)).toBe(ends);
  });

  test.each<[string, PlannedRun, PlannedRun[], string | null]>([
    ['is done when the run ends', planned(), [], 'run:dev'],
    ['is not done while another run waits under it', planned(), [planned({ runId: 'run-2' })], null],
    [
      'is done though a run of another label waits',
      planned(),
      [planned({ runId: 'run-2', label: 'run:dev:revise' })],
      'run:dev',
    ],
    [
      'is done though a run that a review asked for waits',
      planned(),
      [planned({ runId: 'run-2', label: null })],
      'run:dev',
    ],
    [
      'is done for the stage of a review too',
      planned({ label: null, target: { stage: 'dev', kind: 'revise' } }),
      [],
      'run:dev:revise',
    ],
  ])('%s', (_what, run, queue, label) => {
    expect(labelToRemove(run, queue)).toBe(label);
  });
});

describe('an issue', () => {
  const closed: Partial<IssueState> = { closed: true };
  const workspace = { name: 'codex-demo-r42-i7', until: AT, hours: 24, leased: false };

  test('is over when it is closed, nobody works and nothing is left', () => {
    expect(isOver({ ...fresh(), ...closed })).toBe(true);
  });

  test.each<[string, Partial<IssueState>]>([
    ['while it is open', {}],
    ['while a run is active', { ...closed, active: planned() }],
    ['while a run waits', { ...closed, queue: [planned()] }],
    ['while it has a workspace', { ...closed, workspace }],
    [
      'while a fact is unread',
      { ...closed, unread: [{ seq: 1, fact: { kind: 'issue_reopened', delivery: 'd', by: OLIVIA, at: AT } }] },
    ],
  ])('is not over %s', (_while, more) => {
    expect(isOver({ ...fresh(), ...more })).toBe(false);
  });

  test.each<[string, Partial<IssueState>, string]>([
    ['an agent while a run is active', { active: planned(), closed: true }, 'agent'],
    ['its cleanup when it is closed', { closed: true, pullRequest: { number: 8, url: '' } }, 'cleanup'],
    ['a review when there is a pull request', { pullRequest: { number: 8, url: '' } }, 'review'],
    ['a label otherwise', {}, 'label'],
  ])('waits for %s', (_what, more, word) => {
    expect(waitsFor({ ...fresh(), ...more })).toBe(word);
  });

  test('is plain JSON, so that it survives continue-as-new', () => {
    expect(JSON.parse(JSON.stringify(fresh()))).toEqual(fresh());
  });
});
