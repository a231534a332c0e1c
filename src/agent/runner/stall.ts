/** Notices when nothing has been heard from the agent for too long. */

export interface StallWatch {
  /** The agent has said something. */
  heard(): void;
  stop(): void;
}

/**
 * Calls `onStalled` once when the limit has passed without a sign of life. A command that runs for an hour makes no events,
 * but the agent keeps looking after it, and its conversation grows: `lastGrowth` is asked before anything is given up.
 */
export function watchForStall(options: {
  limitMs: number;
  lastGrowth: () => Promise<number | undefined>;
  onStalled: () => void;
}): StallWatch {
  let lastSign = Date.now();
  let stopped = false;
  let timer = setTimeout(check, options.limitMs);

  function check(): void {
    void options
      .lastGrowth()
      .catch(() => undefined)
      .then((growth) => {
        if (stopped) return;
        lastSign = Math.max(lastSign, growth ?? 0);
        const left = lastSign + options.limitMs - Date.now();
        if (left <= 0) return options.onStalled();
        timer = setTimeout(check, left);
      });
  }

  return {
    heard() {
      lastSign = Date.now();
    },
    stop() {
      stopped = true;
      clearTimeout(timer);
    },
  };
}
