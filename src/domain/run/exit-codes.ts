/** How `codex-k8s agent` ends. Only 0 and a report say something about the work. */
export const EXIT_CODES = {
  reported: 0,
  /** The platform could not be reached for longer than a restart takes. */
  platformAway: 69,
  /** The platform refused what the runner sent, or the runner itself is broken. */
  broken: 70,
  /** The platform says that the run is over. */
  over: 77,
  /** SIGTERM: the run was cancelled. */
  canceled: 143,
} as const;
