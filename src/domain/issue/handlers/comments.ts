/** A comment by somebody who may start runs: it continues a discussion, or answers the question of a run that waits. */
import { waitsForAnswer } from '../../run/waits.ts';
import type { Fact } from '../facts.ts';
import { discussionComment, TAKEN } from './discussion.ts';
import type { Deciding, Draft } from './draft.ts';

export function* commentAdded(draft: Draft, fact: Extract<Fact, { kind: 'comment_added' }>): Deciding {
  const { active, discussion, answers } = draft.state;
  if (answers.includes(fact.comment)) return;
  if (discussion || !waitsForAnswer(active?.wait)) return yield* discussionComment(draft, fact);
  if (active) answer(draft, active.runId, fact);
}

/** Passes a comment to the run that waits for an answer. It is processed with that, and starts no discussion run later. */
export function answer(
  { state, effects }: Draft,
  runId: string,
  { comment, sha256, by }: Pick<Extract<Fact, { kind: 'comment_added' }>, 'comment' | 'sha256' | 'by'>,
): void {
  state.answers = [...state.answers, comment].slice(-TAKEN);
  state.early = state.early.filter((early) => early.comment !== comment);
  effects.push({ kind: 'comment_answers', runId, comment, sha256, actor: by.login });
}
