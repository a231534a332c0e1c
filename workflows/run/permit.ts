/** A run's wait for its permit (workflows/concurrency/workflow.ts). */
import { condition, setHandler } from '@temporalio/workflow';
import { permitGranted, queuePosition } from '../messages.ts';

/** After so long without a signal a run asks again: the workflow that grants permits may have been ended from outside. */
const ASK_AGAIN = '15 minutes';

export interface PermitQueue {
  /** Waits until the run has to ask again. `show` gets the position, and each new one. */
  wait(position: number, show: (position: number) => void): Promise<void>;
}

/** Create it before the run asks: the grant may arrive before the answer. */
export function createPermitQueue(): PermitQueue {
  let granted = false;
  let position = 0;
  let shown = 0;
  setHandler(permitGranted, () => {
    granted = true;
  });
  setHandler(queuePosition, (now) => {
    ({ position } = now);
  });
  return {
    async wait(first, show) {
      position = first;
      shown = 0;
      while (!granted) {
        if (position !== shown) show(position);
        shown = position;
        if (!(await condition(() => granted || position !== shown, ASK_AGAIN))) return;
      }
      granted = false;
    },
  };
}
