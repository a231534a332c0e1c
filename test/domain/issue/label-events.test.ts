import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decideTriggers, type TriggerDecision } from '../../../src/domain/issue/label-events.ts';
import type { LabelFact } from '../../../src/domain/issue/facts.ts';
import type { GitHubIssueState } from '../../../src/domain/issue/reads.ts';
import type { PlannedRun } from '../../../src/domain/issue/state.ts';
import { renderTrigger } from '../../../src/domain/run/trigger.ts';
import { AT, click, github, OLIVIA, PETER, planned, refusal, takenBack, type Labeled } from '../support/issues.ts';

describe('a labeled event of a trigger label', () => {
  test('is one run, named by the event', () => {
    expect(decideTriggers({}, [click('d1')], github([[100, OLIVIA]]))).toEqual({
      planned: [planned({ runId: 'run-of-d1', trigger: { kind: 'label', event: 100 }, frozenAt: expect.any(String) })],
      dropped: [],
      taken: { [OLIVIA.id]: 100 },
      refused: {},
    });
  });

  test('that two webhooks report is one run', () => {
    const decision = decideTriggers({}, [click('d1'), click('d2')], github([[100, OLIVIA]]));
    expect(decision.planned.map(({ trigger }) => renderTrigger(trigger))).toEqual(['label:100']);
    expect(decision.dropped).toEqual([{ fact: click('d2'), reason: 'trigger_already_taken' }]);
  });

  test('that a second webhook reports later is still one run', () => {
    const first = decideTriggers({}, [click('d1')], github([[100, OLIVIA]]));
    const second = decideTriggers(first.taken, [click('d2')], github([[100, OLIVIA]]));
    expect(second).toEqual({
      planned: [],
      dropped: [{ fact: click('d2'), reason: 'trigger_already_taken' }],
      taken: { [OLIVIA.id]: 100 },
      refused: {},
    });
  });

  test('that twenty deliveries report is one run', () => {
    const facts = Array.from({ length: 20 }, (_, index) => click(`d${index}`));
    expect(decideTriggers({}, facts, github([[100, OLIVIA]])).planned).toHaveLength(1);
  });

  test('that is replayed after its run is none, though the label is on', () => {
    expect(decideTriggers({ [OLIVIA.id]: 100 }, [click('replay')], github([])).planned).toEqual([]);
    expect(decideTriggers({ [OLIVIA.id]: 100 }, [click('replay')], github([[100, OLIVIA]])).planned).toEqual([]);
  });

  test('that is taken back and made again is two runs, in their order', () => {
    const decision = decideTriggers(
      {},
      [click('d1'), click('d2')],
      github([
        [100, OLIVIA],
        [101, OLIVIA],
      ]),
    );
    expect(decision.planned.map(({ runId, trigger }) => [runId, renderTrigger(trigger)])).toEqual([
      ['run-of-d1', 'label:100'],
      ['run-of-d2', 'label:101'],
    ]);
    expect(decision.taken).toEqual({ [OLIVIA.id]: 101 });
  });

  test('that is taken back and made again is two runs, when the workflow hears of them one by one', () => {
    const events = github([
      [100, OLIVIA],
      [101, OLIVIA],
    ]);
    const first = decideTriggers({}, [click('d1')], events);
    const second = decideTriggers(first.taken, [click('d2')], events);
    expect([...first.planned, ...second.planned].map(({ trigger }) => renderTrigger(trigger))).toEqual([
      'label:100',
      'label:101',
    ]);
  });

  test.each<[string, LabelFact[]]>([
    ['in their order', [click('d1'), click('d2', PETER)]],
    ['the other way round', [click('d2', PETER), click('d1')]],
  ])('of each of two people is a run, when their deliveries come %s', (_order, facts) => {
    const decision = decideTriggers(
      {},
      facts,
      github([
        [100, OLIVIA],
        [101, PETER],
      ]),
    );
    expect(decision.planned.map(({ trigger }) => renderTrigger(trigger)).toSorted()).toEqual([
      'label:100',
      'label:101',
    ]);
    expect(decision.dropped).toEqual([]);
  });

  test('of each of two people is a run, when the later one is delivered first', () => {
    const events = github([
      [100, OLIVIA],
      [101, PETER],
    ]);
    const first = decideTriggers({}, [click('d2', PETER)], events);
    const second = decideTriggers(first.taken, [click('d1')], events);
    expect([...first.planned, ...second.planned].map(({ trigger }) => renderTrigger(trigger)).toSorted()).toEqual([
      'label:100',
      'label:101',
    ]);
  });

  test('by a stranger is not taken for that of a permitted sender', () => {
    expect(decideTriggers({}, [click('d1')], github([[100, { id: 666, login: 'mallory' }]])).planned).toEqual([]);
  });

  test('is found behind that of a stranger', () => {
    const events = github([
      [100, { id: 666, login: 'mallory' }],
      [101, OLIVIA],
    ]);
    expect(decideTriggers({}, [click('d1')], events).planned.map(({ trigger }) => renderTrigger(trigger))).toEqual([
      'label:101',
    ]);
  });

  test.each<[string, Partial<GitHubIssueState>, string]>([
    ['is closed', { open: false }, 'issue_closed'],
    ['is closed and conflicted', { open: false, labels: ['run:dev', 'run:qa'] }, 'issue_closed'],
    ['does not carry the label any more', { labels: ['bug'] }, 'label_absent'],
    ['carries another trigger label instead', { labels: ['run:qa'] }, 'label_absent'],
    ['carries a second trigger label', { labels: ['run:dev', 'RUN:qa'] }, 'issue_trigger_label_conflict'],
  ])('is no run when the issue %s', (_state, more, reason) => {
    const decision = decideTriggers({}, [click('d1'), click('d2')], github([[100, OLIVIA]], more));
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
    expect(decideTriggers({}, [click('d1')], github([[100, OLIVIA]], { labels })).planned).toHaveLength(1);
  });

  test.each<[string, Partial<GitHubIssueState>]>([
    ['the label was absent', { labels: [] }],
    ['the issue was closed', { open: false }],
    ['there was a conflict', { labels: ['run:dev', 'run:qa'] }],
  ])('that was dropped because %s starts nothing when it is replayed', (_why, more) => {
    const first = decideTriggers({}, [click('d1')], github([[100, OLIVIA]], more));
    expect(decideTriggers(first.taken, [click('replay')], github([[100, OLIVIA]])).planned).toEqual([]);
  });

  test('made while GitHub is being read is left for its own delivery', () => {
    const first = decideTriggers(
      {},
      [click('d1')],
      github(
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
      github([
        [100, OLIVIA],
        [101, OLIVIA],
      ]),
    );
    expect(second.planned.map(({ trigger }) => renderTrigger(trigger))).toEqual(['label:101']);
  });

  test('whose label the platform took off at the end of an earlier run is a run all the same', () => {
    const decision = decideTriggers({}, [click('d1')], github([[100, OLIVIA, 'cleared']], { labels: ['bug'] }));
    expect(decision.planned.map(({ trigger }) => renderTrigger(trigger))).toEqual(['label:100']);
  });

  test('whose label the platform took off is no run beside another trigger label', () => {
    const decision = decideTriggers({}, [click('d1')], github([[100, OLIVIA, 'cleared']], { labels: ['run:qa'] }));
    expect(decision).toMatchObject({ planned: [], dropped: [{ reason: 'issue_trigger_label_conflict' }] });
  });

  test('that was taken back is no run later, though the platform took an earlier one off', () => {
    const before: Labeled[] = [
      [100, OLIVIA, 'cleared'],
      [101, OLIVIA],
    ];
    const then = github(before, { labels: [] });
    const first = decideTriggers({}, [click('d1'), click('d2')], { ...then, labeled: takenBack(then, 101) });
    const now = github([...before, [102, OLIVIA]]);
    const after = { ...now, labeled: takenBack(now, 101) };
    const second = decideTriggers(first.taken, [click('d3')], after);
    const replayed = decideTriggers(second.taken, [click('replay')], after);
    const planned = [first, second, replayed].map((decision) =>
      decision.planned.map(({ trigger }) => renderTrigger(trigger)),
    );
    expect(planned).toEqual([['label:100'], ['label:102'], []]);
  });

  test('T12: whose label a person took off is none, though one of somebody else stands', () => {
    const events = github([
      [100, OLIVIA],
      [101, PETER],
    ]);
    const record = { ...events, labeled: takenBack(events, 100) };
    expect(decideTriggers({}, [click('d1')], record)).toMatchObject({
      planned: [],
      dropped: [{ reason: 'label_absent' }],
    });
  });

  test('T12: whose label is on is processed before one whose label was taken off, whose own delivery may be lost', () => {
    const events = github([
      [100, OLIVIA],
      [101, OLIVIA],
    ]);
    const record = { ...events, labeled: takenBack(events, 100) };
    const first = decideTriggers({}, [click('d2')], record);
    expect(first.planned.map(({ trigger }) => renderTrigger(trigger))).toEqual(['label:101']);
    expect(decideTriggers(first.taken, [click('d1')], record).planned).toEqual([]);
  });

  test('that was refused when it was delivered takes nothing from a later one', () => {
    const events = github([
      [100, OLIVIA],
      [101, OLIVIA],
    ]);
    const record = { ...events, labeled: takenBack(events, 100) };
    const decision = decideTriggers({}, [refusal('d1'), click('d2')], record);
    expect(decision.planned.map(({ trigger }) => renderTrigger(trigger))).toEqual(['label:101']);
  });

  test('is meant before one whose label the platform took off', () => {
    const events = github([
      [100, OLIVIA, 'cleared'],
      [101, OLIVIA],
    ]);
    expect(decideTriggers({}, [click('d')], events).planned[0]?.trigger).toEqual({ kind: 'label', event: 101 });
  });

  describe('beside one that was refused at the edge and was taken back', () => {
    const record: GitHubIssueState = {
      ...github([]),
      labeled: takenBack(
        github([
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
    ])('is one run, when the other is reported %s', (_when, facts) => {
      const together = decideTriggers({}, facts, record).planned;
      const oneByOne = facts.reduce<TriggerDecision>(
        (before, fact) => {
          const { planned, ...next } = decideTriggers(before.taken, [fact], record, undefined, before.refused);
          return { ...next, planned: [...before.planned, ...planned] };
        },
        { planned: [], dropped: [], taken: {}, refused: {} },
      ).planned;
      for (const runs of [together, oneByOne])
        expect(runs.map(({ trigger }) => renderTrigger(trigger))).toEqual(['label:101']);
    });

    test('is said to be refused under its own event only', () => {
      const { dropped } = decideTriggers({}, [refusal('d1'), click('d2'), refusal('d1 again')], record);
      expect(dropped.map(({ event, reason }) => [event, reason])).toEqual([
        [100, 'issue_trigger_label_conflict'],
        [undefined, 'trigger_already_taken'],
      ]);
    });
  });

  test('is the same run in whatever order and however often events are delivered, refused and accepted ones', () => {
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
          account: OLIVIA.id,
          at: AT,
          clearedByPlatform: false,
          takenOffBy: stands && index === made.length - 1 ? null : OLIVIA,
        }));
        const record = { ...github([], { labels: stands ? ['run:dev'] : [] }), labeled: labeled.slice(turn) };
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
            runs.push(...decision.planned.map(({ trigger }) => renderTrigger(trigger)));
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
    expect(decideTriggers({ [OLIVIA.id]: 5 }, [], github([[100, OLIVIA]]))).toEqual({
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
          const decision = decideTriggers(taken, facts, github(events, { labels, open: look.open }));
          expect(decision.planned.length).toBeLessThanOrEqual(unseen.length);
          expect(decision.planned.length + decision.dropped.length).toBe(facts.length);
          for (const [by, id] of Object.entries(taken)) expect(decision.taken[by]).toBeGreaterThanOrEqual(id);
          for (const { trigger, by } of decision.planned)
            expect(events.map(([id, who]) => [`label:${id}`, who])).toContainEqual([renderTrigger(trigger), by]);
          if (!look.open || look.conflict) expect(decision.planned).toEqual([]);
          if (!look.standing)
            for (const { trigger } of decision.planned) expect(cleared).toContain(renderTrigger(trigger));
          all.push(...decision.planned);
          taken = decision.taken;
        }
        expect(new Set(all.map(({ trigger }) => renderTrigger(trigger))).size).toBe(all.length);
        expect(new Set(all.map(({ runId }) => runId)).size).toBe(all.length);
      }),
      { numRuns: 500 },
    );
  });
});
