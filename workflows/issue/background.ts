/** Work for which nothing waits but the end of the workflow: it is tried for as long as it may be, and left out when it cannot be done. */
import { isCancellation, log } from '@temporalio/workflow';

export interface Background {
  add(work: Promise<unknown>): void;
  isDone(): boolean;
}

export function createBackground(): Background {
  const underWay = new Set<Promise<unknown>>();
  return {
    add(work) {
      const done = work
        .catch(leftOut)
        .catch(() => undefined)
        .finally(() => underWay.delete(done));
      underWay.add(done);
    },
    isDone: () => underWay.size === 0,
  };
}

/** For what is a courtesy: says that it was left out, and goes on. A cancellation is passed on. */
export function leftOut(error: unknown): undefined {
  if (isCancellation(error)) throw error;
  log.warn('left out', { error: String(error) });
  return undefined;
}
