/** A run that waits for its permit (workflows/concurrency/workflow.ts). */
import { condition, setHandler } from '@temporalio/workflow';
import { permitGranted, queuePosition } from '../messages.ts';

/** Whoever receives nothing for so long asks again: the workflow of permits may have been ended from outside. */
const ASK_AGAIN = '15 minutes';

export interface PermitQueue {
  /** Waits until it is worth asking again. `show` is given the position, and each new one. */
  wait(position: number, show: (position: number) => void): Promise<void>;
}

/** To be made before a run asks: the grant may come before the answer. */
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
