/** A refusal is explained in a comment; one that only a person can resolve becomes a question (`need:input`). */
import type { Trigger } from '../../run/trigger.ts';
import { NEED_INPUT } from '../../stages/stages.ts';
import { ASKING } from '../gates.ts';
import { askSettings, type Deciding, type Draft } from './draft.ts';

export interface Refused {
  readonly actor: string;
  readonly reason: string;
  readonly labels: readonly string[];
  /** The trigger that is refused; each is explained once. */
  readonly subject: string;
  /** Where the comment goes; missing: to the issue. */
  readonly pullRequest?: number | undefined;
}

/** Explains a refusal, once for each subject. In a repository that is not bound to a project any more nothing is written. */
export function* refuse(draft: Draft, { actor, reason, labels, subject, pullRequest }: Refused): Deciding {
  const { state, effects } = draft;
  const settings = yield* askSettings(draft);
  if ('failed' in settings) return;
  const { locale } = settings.value;
  const issue = pullRequest === undefined ? state.issue : { ...state.issue, number: pullRequest };
  effects.push({ kind: 'write_refusal', issue, refusal: { reason, labels, actor, subject }, locale });
  if (!ASKING.has(reason)) return;
  state.asked = reason;
  effects.push({
    kind: 'move_labels',
    issue: state.issue,
    remove: null,
    add: NEED_INPUT,
    pullRequest: null,
    waits: 'as_courtesy',
  });
}

/** Whether a refusal is explained; people can see for themselves that a label is off, or an issue closed. */
export function isExplained(reason: string): boolean {
  return !['issue_closed', 'label_absent', 'trigger_already_taken'].includes(reason);
}

/** The next trigger that can be carried out answers the question. */
export function answered({ state, effects }: Draft): void {
  if (state.asked === null) return;
  state.asked = null;
  effects.push({
    kind: 'move_labels',
    issue: state.issue,
    remove: NEED_INPUT,
    add: null,
    pullRequest: null,
    waits: 'in_background',
  });
}

/** What names a trigger in the marker of its refusal. */
export function subjectOf(trigger: Trigger): string {
  switch (trigger.kind) {
    case 'label':
      return `event-${trigger.event}`;
    case 'review':
      return `review-${trigger.review}`;
    case 'comment':
      return `comment-${trigger.comment}`;
  }
}
