/**
 * Any multiset and order of deliveries, with sweeps, ends in the state that GitHub shows: one run for
 * the click that stands, none for those that were taken back, no click taken up twice.
 */
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { withdrawalsIn } from '../../src/domain/issue/confirmations.ts';
import { decideTriggers } from '../../src/domain/issue/label-events.ts';
import type { LabelFact } from '../../src/domain/issue/facts.ts';
import type { GitHubIssueState } from '../../src/domain/issue/reads.ts';
import type { TakenEvents } from '../../src/domain/issue/state.ts';
import { parseTrigger, renderTrigger } from '../../src/domain/run/trigger.ts';
import { evaluate } from '../../src/domain/triggers/triggers.ts';
import {
  missedOnIssue,
  reconcileId,
  type HistoryEvent,
  type IssueOnGitHub,
  type KnownRun,
  type ReceivedDelivery,
} from '../../src/domain/maintenance/reconcile.ts';
import { knowing, MEMBER, REPOSITORY } from './events.ts';

const LABEL = 'run:dev';
const MINUTE = 60_000;
const START = Date.parse('2026-11-22T12:00:00Z');
const PEOPLE = [
  { id: 11, login: 'olivia', type: 'User' },
  { id: 12, login: 'paul', type: 'User' },
];

/** GitHub, the platform's inbox and the issue's workflow, as far as labels go. Runs take long: none ends by itself. */
class Model {
  readonly history: HistoryEvent[] = [];
  readonly received: ReceivedDelivery[] = [];
  readonly kept = new Set<string>();
  /** Every run that was ever planned, with the click that it has taken up. */
  readonly planned: { trigger: string; alive: boolean }[] = [];
  #taken: TakenEvents = {};
  #now = START;
  #runs = 0;

  click(person: number, seconds: number): void {
    this.#now += seconds * 1000;
    const standing = this.standing() !== undefined;
    const by = PEOPLE[person % 2] ?? { id: 0, login: '', type: 'User' };
    this.history.push({
      id: 100 + this.history.length,
      event: standing ? 'unlabeled' : 'labeled',
      label: LABEL,
      by,
      at: new Date(this.#now).toISOString(),
    });
  }

  wait(minutes: number): void {
    this.#now += minutes * MINUTE;
  }

  /** The click by which the label stands now. */
  standing(): HistoryEvent | undefined {
    const last = this.history.at(-1);
    return last?.event === 'labeled' ? last : undefined;
  }

  /** GitHub hands over what happened, under a delivery id that may be known already. */
  deliver(event: HistoryEvent, delivery = `delivery-${event.id}`): void {
    if (this.kept.has(delivery)) return;
    const isSweep = delivery === reconcileId(event);
    this.kept.add(delivery);
    const identity = {
      delivery,
      receivedAt: isSweep ? event.at : new Date(this.#now).toISOString(),
      runId: `run-${(this.#runs += 1)}`,
    };
    const webhook = {
      name: 'issues' as const,
      action: event.event,
      repository: REPOSITORY,
      sender: event.by,
      issue: { number: 7, title: '', url: '', labels: event.event === 'labeled' ? [LABEL] : [] },
      label: LABEL,
    };
    const { fact, status } = evaluate(webhook, knowing(MEMBER, true), identity);
    this.received.push({
      action: event.event,
      pullRequest: null,
      label: LABEL,
      sender: event.by.id,
      review: null,
      accepted: status === 'accepted',
      changedAt: event.at,
    });
    if (fact?.kind === 'trigger_label_added') this.#plan(isSweep ? { ...fact, event: event.id } : fact);
    if (fact?.kind === 'trigger_label_removed') this.#withdraw(fact.by.id);
  }

  sweep(): void {
    const truth: IssueOnGitHub = { open: true, labels: this.standing() ? [LABEL] : [], history: this.history };
    const runs: KnownRun[] = this.planned.map(({ trigger, alive }, index) => ({
      id: String(index),
      trigger,
      stage: 'dev',
      kind: 'work',
      status: alive ? 'working' : 'canceled',
      startedAt: null,
    }));
    const deliveries = new Set([...this.kept].filter((id) => id.startsWith('reconcile-')));
    const when = { now: this.#now, graceMs: MINUTE, since: new Date(START - MINUTE).toISOString() };
    const missed = missedOnIssue(truth, { shown: null, runs, received: this.received, deliveries }, when);
    for (const event of missed) this.deliver(event, reconcileId(event));
  }

  #github(): GitHubIssueState {
    const labeled = this.history.flatMap(({ id, event, by, at }, index) => {
      if (event !== 'labeled') return [];
      const { id: offBy, login } = this.history[index + 1]?.by ?? {};
      const takenOffBy = offBy === undefined || login === undefined ? null : { id: offBy, login };
      return [{ id, account: by.id, at, clearedByPlatform: false, takenOffBy }];
    });
    return { open: true, title: '', labels: this.standing() ? [LABEL] : [], labeled };
  }

  #plan(fact: LabelFact): void {
    const { planned, taken } = decideTriggers(this.#taken, [fact], this.#github());
    this.#taken = taken;
    this.planned.push(...planned.map(({ trigger }) => ({ trigger: renderTrigger(trigger), alive: true })));
  }

  #withdraw(person: number): void {
    const events = this.planned.flatMap(({ alive, trigger }) => {
      const clicked = parseTrigger(trigger);
      return alive && clicked?.kind === 'label' ? [clicked.event] : [];
    });
    const withdrawn = new Set(withdrawalsIn(this.#github(), events, [person]).map(({ event }) => `label:${event}`));
    for (const run of this.planned) if (withdrawn.has(run.trigger)) run.alive = false;
  }
}

type Step =
  | { readonly do: 'click'; readonly person: number; readonly seconds: number }
  | { readonly do: 'deliver'; readonly which: number; readonly hook: number }
  | { readonly do: 'sweep' }
  | { readonly do: 'wait'; readonly minutes: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    do: fc.constant('click' as const),
    person: fc.nat({ max: 1 }),
    seconds: fc.constantFrom(1, 30, 300, 7200),
  }),
  fc.record({ do: fc.constant('deliver' as const), which: fc.nat({ max: 20 }), hook: fc.nat({ max: 1 }) }),
  fc.constant({ do: 'sweep' as const }),
  fc.record({ do: fc.constant('wait' as const), minutes: fc.constantFrom(1, 3, 90) }),
);

function play(steps: readonly Step[]): Model {
  const model = new Model();
  for (const each of steps) {
    if (each.do === 'click') model.click(each.person, each.seconds);
    if (each.do === 'wait') model.wait(each.minutes);
    if (each.do === 'sweep') model.sweep();
    const event = each.do === 'deliver' ? model.history[each.which % Math.max(1, model.history.length)] : undefined;
    // Two hooks tell of the same event under two ids.
    if (each.do === 'deliver' && event) model.deliver(event, `delivery-${event.id}-${each.hook}`);
  }
  return model;
}

function expectTruth(model: Model): void {
  const standing = model.standing();
  const alive = model.planned.filter((run) => run.alive).map(({ trigger }) => trigger);
  expect(alive).toEqual(standing ? [`label:${standing.id}`] : []);
  const triggers = model.planned.map(({ trigger }) => trigger);
  expect(new Set(triggers).size).toBe(triggers.length);
}

test('whatever was delivered, dropped, repeated and reordered, two sweeps later the state is that of GitHub', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      const model = play(steps);
      model.wait(60);
      model.sweep();
      model.sweep();
      expectTruth(model);
    }),
    { numRuns: 5000 },
  );
});

test('and no delivery that comes later changes it any more', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 25 }), fc.array(fc.nat({ max: 20 }), { maxLength: 20 }), (steps, late) => {
      const model = play(steps);
      model.wait(60);
      model.sweep();
      model.sweep();
      for (const which of late) {
        const event = model.history[which % Math.max(1, model.history.length)];
        if (event) model.deliver(event, `late-${event.id}`);
      }
      expectTruth(model);
    }),
    { numRuns: 5000 },
  );
});
