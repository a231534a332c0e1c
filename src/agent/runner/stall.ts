/** Detects an agent that stalls: no output for too long. */

export interface StallWatch {
  /** Reports that the agent wrote a line. */
  active(): void;
  stop(): void;
}

/**
 * Calls `onStalled` once when `limitMs` have passed without output. A command that runs for an hour makes no events, but the
 * agent keeps polling it and its conversation grows, so `lastGrowth` is read before the agent counts as stalled.
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
    active() {
      lastSign = Date.now();
    },
    stop() {
      stopped = true;
      clearTimeout(timer);
    },
  };
}
