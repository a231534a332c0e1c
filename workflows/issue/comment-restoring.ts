/** Status comments that somebody may have edited or deleted are made right again, beside everything else that the issue does. */
import type { Fact } from '../../src/domain/issue/facts.ts';
import { restoreStatusComment } from '../activities.ts';
import { leftOut } from './background.ts';

type Change = Extract<Fact, { kind: 'status_comment_changed' }>;

export interface CommentRestoring {
  /** Looks at the run's comment, once more if it is being looked at already; nothing waits for it. */
  changed(change: Change): void;
  /** What is not done yet. */
  underWay(): Change[];
}

export function createCommentRestoring(): CommentRestoring {
  const restoring = new Map<string, { readonly change: Change; again: boolean }>();

  async function restore(change: Change): Promise<void> {
    const { runId } = change;
    const entry = { change, again: true };
    restoring.set(runId, entry);
    while (entry.again) {
      entry.again = false;
      await restoreStatusComment({ runId }).catch(leftOut);
    }
    restoring.delete(runId);
  }

  return {
    changed(change) {
      const present = restoring.get(change.runId);
      if (present) present.again = true;
      else restore(change).catch(() => undefined);
    },
    underWay: () => [...restoring.values()].map(({ change }) => change),
  };
}
