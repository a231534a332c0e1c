/** Restores status comments that somebody may have edited or deleted, in the background. */
import type { Fact } from '../../src/domain/issue/facts.ts';
import { restoreStatusComment } from '../activities.ts';
import { leftOut } from './background.ts';

type Change = Extract<Fact, { kind: 'status_comment_changed' }>;

export interface CommentRestoring {
  /** Checks the run's comment, once more if a check is under way; nothing waits for it. */
  changed(change: Change): void;
  /** Resolves when all checks are done. */
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
