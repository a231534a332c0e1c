/** Background work: only the end of the workflow waits for it. It is retried within its timeouts, and skipped when it fails. */
import { isCancellation, log } from '@temporalio/workflow';
import type { Effect } from '../../src/domain/issue/decide.ts';

export interface Background {
  /** `effect`: the effect that the work is for; it is performed again after continue-as-new. */
  add(effect: Effect, work: Promise<unknown>): void;
  isDone(): boolean;
  /** The effects that are not done yet. */
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

/** Logs the error of a step that may be skipped. A cancellation is passed on. */
export function leftOut(error: unknown): undefined {
  if (isCancellation(error)) throw error;
  log.warn('background step skipped', { error: String(error) });
  return undefined;
}
