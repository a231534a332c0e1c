import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Fact, ObservedFact } from '../../../src/domain/issue/facts.ts';
import { receive, takeNext, UNREAD_LIMIT } from '../../../src/domain/issue/inbox.ts';
import type { IssueState } from '../../../src/domain/issue/state.ts';
import { AT, click, fresh, OLIVIA, PETER, refusal } from '../support/issues.ts';

describe('receiving facts', () => {
  const numbered = (seq: number): ObservedFact => ({
    seq,
    fact: { kind: 'issue_closed', delivery: `d${seq}`, by: OLIVIA, at: AT },
  });
  const seqs = (state: IssueState): (number | null)[] => state.unread.map(({ seq }) => seq);

  test('facts signaled twice are learned once', () => {
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
      fact: { kind: 'cancel_requested', runId: 'run-1', actor: 'olivia', reason: '' },
    };
    receive(state, [numbered(5), canceled, canceled]);
    expect(state).toMatchObject({ cursor: 5, unread: [numbered(5), canceled, canceled] });
  });

  test('T35: one that repeats what many unread ones say is dropped and counted, and the cursor moves on', () => {
    const state = fresh();
    receive(
      state,
      Array.from({ length: UNREAD_LIMIT + 50 }, (_, index) => numbered(index + 1)),
    );
    expect(state.unread).toHaveLength(UNREAD_LIMIT);
    expect(state).toMatchObject({ throttled: 50, cursor: UNREAD_LIMIT + 50 });
  });

  test('T35: one that says something new is never dropped, nor one of the platform’s own', () => {
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
      { kind: 'cancel_requested', runId: 'run-1', actor: 'olivia', reason: '' },
      { kind: 'cancel_requested', runId: 'run-1', actor: 'olivia', reason: '' },
    ];
    receive(
      state,
      others.map((fact, index) => ({ seq: fact.kind === 'cancel_requested' ? null : 1000 + index, fact })),
    );
    expect(state.unread.slice(UNREAD_LIMIT).map(({ fact }) => fact)).toEqual(others);
  });

  test('T35: what people and runs say directly is read before what webhooks report', () => {
    const state = fresh();
    const canceled: Fact = { kind: 'cancel_requested', runId: 'run-1', actor: 'olivia', reason: '' };
    receive(state, [numbered(1), numbered(2), { seq: null, fact: canceled }]);
    expect(takeNext(state)).toEqual([canceled]);
    expect(takeNext(state)).toEqual([numbered(1).fact]);
    expect(seqs(state)).toEqual([2]);
  });

  test('nothing is next where nothing is unread', () => {
    expect(takeNext(fresh())).toEqual([]);
  });

  test('every fact is learned once and in order, however a relay repeats itself', () => {
    /** Each signal starts again at some fact that was signaled before, and goes some way beyond. */
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

  test('all that is unread of a label that was put on is read at once', () => {
    const state = fresh();
    receive(state, [{ seq: 1, fact: click('d1') }, numbered(2), { seq: 3, fact: refusal('d2') }]);
    expect(takeNext(state)).toEqual([click('d1'), refusal('d2')]);
    expect(seqs(state)).toEqual([2]);
  });

  test('all removals of a label are read at once, and no others', () => {
    const state = fresh();
    const removed = (label: string): Fact => ({
      kind: 'trigger_label_removed',
      delivery: label,
      by: OLIVIA,
      at: AT,
      label,
    });
    receive(state, [
      { seq: 1, fact: removed('run:dev') },
      { seq: 2, fact: removed('run:qa') },
      { seq: 3, fact: removed('run:dev') },
    ]);
    expect(takeNext(state)).toHaveLength(2);
    expect(seqs(state)).toEqual([2]);
  });
});
