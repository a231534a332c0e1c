/** Somebody who may start runs made a comment: it answers the question of a run that waits, or goes on with a discussion. */
import type { Fact } from '../facts.ts';
import { saidInDiscussion } from './discussion.ts';
import type { Deciding, Draft } from './draft.ts';

export function* commentAdded(draft: Draft, fact: Extract<Fact, { kind: 'comment_added' }>): Deciding {
  const { active } = draft.state;
  if (active?.wait?.kind !== 'question') return yield* saidInDiscussion(draft, fact);
  draft.effects.push({
    kind: 'comment_answers',
    runId: active.runId,
    comment: fact.comment,
    by: fact.by.login,
  });
}
