/** A run that waits for its turn (capacity.ts). */
import { condition, setHandler } from '@temporalio/workflow';
import { capacityGranted, capacityPlace } from '../messages.ts';

/** Whoever hears nothing for so long asks again: the coordinator may have been ended from outside. */
const ASK_AGAIN = '15 minutes';

export interface RunTurn {
  /** Waits until it is worth asking again. `show` is told the place, and each new one. */
  wait(place: number, show: (place: number) => void): Promise<void>;
}

/** To be made before a run asks: it may be told before it has its answer. */
export function createRunTurn(): RunTurn {
  let granted = false;
  let place = 0;
  let shown = 0;
  setHandler(capacityGranted, () => {
    granted = true;
  });
  setHandler(capacityPlace, (now) => {
    ({ place } = now);
  });
  return {
    async wait(first, show) {
      place = first;
      while (!granted) {
        if (place !== shown) show(place);
        shown = place;
        if (!(await condition(() => granted || place !== shown, ASK_AGAIN))) return;
      }
      granted = false;
    },
  };
}
