/** An issue's workflow without Temporal: the reducer over a world that a test gives, one fact after the other. */
import {
  decide,
  receive,
  takeNext,
  type Effect,
  type IssueState,
  type Read,
  type Reading,
  type ResultFact,
} from '../../../src/domain/issue/decide.ts';
import type { Fact, ObservedFact } from '../../../src/domain/issue/facts.ts';

export interface World {
  /** ISO 8601. */
  now(): string;
  /** What is read; an error is an answer that failed. */
  read(read: Read): unknown;
  /** Has an effect performed; what comes of it may come back as a fact at once. */
  perform(effect: Effect): ResultFact | undefined;
}

export type Issue = ReturnType<typeof createIssue>;

/** Decisions are made on a state that is frozen, so that none can change what it was given. */
export function createIssue(begun: IssueState, world: World) {
  let state = begun;

  function act(facts: readonly (Fact | ResultFact)[]): void {
    const github: Reading[] = [];
    for (;;) {
      const decision = decide(frozen(structuredClone(state)), frozen(facts), github, world.now());
      if ('needs' in decision) {
        github.push(...decision.needs.map((read) => ({ read, answer: answerOf(() => world.read(read)) })));
        continue;
      }
      state = structuredClone(decision.state);
      for (const effect of decision.effects) perform(effect);
      return;
    }
  }

  function perform(effect: Effect): void {
    if (effect.kind === 'at_once') return effect.effects.forEach(perform);
    if (effect.kind === 'go_on') return act([effect.fact]);
    const result = world.perform(effect);
    if (result) act([result]);
  }

  return {
    state: (): IssueState => state,
    tell: (...facts: ObservedFact[]): void => receive(state, facts),
    /** Something from within: not by a delivery. */
    learn: (fact: Fact): void => receive(state, [{ seq: null, fact }]),
    /** Acts on the next fact, if one is unread. */
    act(): void {
      const facts = takeNext(state);
      if (facts.length > 0) act(facts);
    },
    actOnAll(): void {
      while (state.unread.length > 0) this.act();
    },
    passTime: (): void => act([{ kind: 'time_passed' }]),
  };
}

function answerOf(read: () => unknown): Reading['answer'] {
  try {
    return { value: frozen(read()) };
  } catch (error) {
    return { failed: String(error) };
  }
}

/** The value, of which nothing can be changed any more. */
function frozen<Value>(value: Value): Value {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const inner of Object.values(value)) frozen(inner);
  }
  return value;
}
