/** A decision while it is being made: the state as it is to be, and what is to be done, in order. */
import type { RunSettings } from '../../stages/settings.ts';
import type { Effect, FlowEvent } from '../effects.ts';
import { rowOf } from '../projection.ts';
import type { Answer, Read, ReadValues } from '../reads.ts';
import type { IssueState } from '../state.ts';

export interface Draft {
  /** The decision's own: its fields are replaced, what they hold is never changed. */
  readonly state: IssueState;
  readonly effects: Effect[];
  /** ISO 8601. */
  readonly now: string;
  /** The project's settings, as soon as they were read. */
  settings: RunSettings | null;
}

/**
 * Part of a decision. Where it yields reads it needs their answers to go on: the decision is made anew, from its beginning, when
 * they are known (decide.ts).
 */
export type Deciding<Value = void> = Generator<readonly Read[], Value, readonly Answer[]>;

/** The answer to a read: its value, or the words in which it was refused. */
export function* ask<Kind extends keyof ReadValues>(
  read: Extract<Read, { kind: Kind }>,
): Deciding<Answer<ReadValues[Kind]>> {
  const [answer] = yield [read];
  return answer as Answer<ReadValues[Kind]>;
}

/** The value of a read, or undefined where it was refused: for what is only a courtesy, or stops nothing. */
export function* askLeniently<Kind extends keyof ReadValues>(
  read: Extract<Read, { kind: Kind }>,
): Deciding<ReadValues[Kind] | undefined> {
  const answer = yield* ask(read);
  return 'value' in answer ? answer.value : undefined;
}

/** The project's settings, read once for a decision. */
export function* askSettings(draft: Draft): Deciding<Answer<RunSettings>> {
  if (draft.settings) return { value: draft.settings };
  const answer = yield* ask({ kind: 'settings', repositoryId: draft.state.issue.repositoryId });
  if ('value' in answer) draft.settings = answer.value;
  return answer;
}

/** Shows the issue as it is now, with what happened. */
export function record({ state, effects, now }: Draft, events: readonly FlowEvent[] = []): void {
  state.revision += 1;
  effects.push({ kind: 'record_issue', row: rowOf(state, now), startedAt: state.startedAt, events });
}
