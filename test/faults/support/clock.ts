/** A clock for what others are timed by. */

const TURN_MS = 20;
/** A turn that comes no later than this was in time. */
const LATE_MS = 10;

/** Milliseconds that this process ran. While it is held up by the machine the clock stands still: nobody else is to blame. */
export const now = startClock();

function startClock(): () => number {
  let turned = performance.now();
  let heldUp = 0;
  const lateness = (): number => {
    const late = performance.now() - turned - TURN_MS;
    return late > LATE_MS ? late : 0;
  };
  setInterval(() => {
    heldUp += lateness();
    turned = performance.now();
  }, TURN_MS).unref();
  return () => performance.now() - heldUp - lateness();
}
