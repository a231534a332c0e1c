/** What is refused is said on GitHub, and what only a person can decide becomes a question. */
import { NEED_INPUT } from '../../stages/stages.ts';
import { ASKING } from '../gates.ts';
import { askSettings, type Deciding, type Draft } from './draft.ts';

export interface Refused {
  readonly actor: string;
  readonly reason: string;
  readonly labels: readonly string[];
  /** What it is about: it is said once for each. */
  readonly subject: string;
  /** Where it is said; on the issue, where it is missing. */
  readonly pullRequest?: number | undefined;
}

/** Says why, once for each subject. In a repository that is bound to no project nothing is said or asked. */
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

/** What people cannot see for themselves is said on GitHub; that a label is gone, or an issue closed, they can. */
export function isExplained(reason: string): boolean {
  return !['issue_closed', 'label_absent', 'trigger_already_taken'].includes(reason);
}

/** What was asked is answered by the next trigger that can be carried out. */
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
