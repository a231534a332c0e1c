/** A decision in progress: the next state, and the effects in order. */
import type { RunSettings } from '../../stages/settings.ts';
import type { Effect, FlowEvent } from '../effects.ts';
import { rowOf } from '../projection.ts';
import type { Answer, Read, ReadValues } from '../reads.ts';
import type { IssueState } from '../state.ts';

export interface Draft {
  /** The decision's own copy: fields are replaced, and their values are never changed. */
  readonly state: IssueState;
  readonly effects: Effect[];
  /** ISO 8601. */
  readonly now: string;
  /** The project's settings, once they were read. */
  settings: RunSettings | null;
}

/**
 * A part of a decision. Where it yields reads it needs their answers: the decision then starts again from its beginning with
 * them (decide.ts).
 */
export type Deciding<Value = void> = Generator<readonly Read[], Value, readonly Answer[]>;

/** The answer to a read: its value, or the message of the error. */
export function* ask<Kind extends keyof ReadValues>(
  read: Extract<Read, { kind: Kind }>,
): Deciding<Answer<ReadValues[Kind]>> {
  const [answer] = yield [read];
  return answer as Answer<ReadValues[Kind]>;
}

/** The value of a read, or undefined after an error: for reads that must not stop the decision. */
export function* askLeniently<Kind extends keyof ReadValues>(
  read: Extract<Read, { kind: Kind }>,
): Deciding<ReadValues[Kind] | undefined> {
  const answer = yield* ask(read);
  return 'value' in answer ? answer.value : undefined;
}

/** The project's settings, read at most once in a decision. */
export function* askSettings(draft: Draft): Deciding<Answer<RunSettings>> {
  if (draft.settings) return { value: draft.settings };
  const answer = yield* ask({ kind: 'settings', repositoryId: draft.state.issue.repositoryId });
  if ('value' in answer) draft.settings = answer.value;
  return answer;
}

/** Records the issue's row as it is now, with events. */
export function record({ state, effects, now }: Draft, events: readonly FlowEvent[] = []): void {
  state.revision += 1;
  effects.push({ kind: 'record_issue', row: rowOf(state, now), startedAt: state.startedAt, events });
}
