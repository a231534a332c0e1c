/** Work for which nothing waits but the end of the workflow: it is tried for as long as it may be, and left out when it cannot be done. */
import { isCancellation, log } from '@temporalio/workflow';
import type { Effect } from '../../src/domain/issue/decide.ts';

export interface Background {
  /** `effect`: what asked for the work, and asks for it again after continue-as-new. */
  add(effect: Effect, work: Promise<unknown>): void;
  isDone(): boolean;
  /** What is not done yet. */
  underWay(): Effect[];
}

export function createBackground(): Background {
  const underWay = new Set<Effect>();
  return {
    add(effect, work) {
      underWay.add(effect);
      void work
        .catch(leftOut)
        .catch(() => undefined)
        .finally(() => underWay.delete(effect));
    },
    isDone: () => underWay.size === 0,
    underWay: () => [...underWay],
  };
}

/** For what is a courtesy: says that it was left out, and goes on. A cancellation is passed on. */
export function leftOut(error: unknown): undefined {
  if (isCancellation(error)) throw error;
  log.warn('left out', { error: String(error) });
  return undefined;
}
