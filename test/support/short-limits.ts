/**
 * A tenth of production's times, where tests would only wait for them. Those that give others time on a busy machine, or that a
 * promise to GitHub rests on, are production's; tests of a time itself say which they want.
 */
import { PRODUCTION_LIMITS, type Limits } from '../../src/app/config/limits.ts';

export const SHORT_LIMITS: Limits = {
  ...PRODUCTION_LIMITS,
  comments: {
    ...PRODUCTION_LIMITS.comments,
    betweenWritesMs: 200,
    betweenOutputsMs: 2000,
    holdMs: 3000,
    lookMs: 50,
    momentMs: 1000,
    firstLookMs: 300,
    nextLookMs: 2000,
  },
  github: { ...PRODUCTION_LIMITS.github, settleMs: 1000 },
  localRuntime: { ...PRODUCTION_LIMITS.localRuntime, claimLookMs: 50, groupMs: 500, livenessMs: 200 },
  relay: {
    ...PRODUCTION_LIMITS.relay,
    paceMs: 50,
    claimMs: 5000,
    firstRetryMs: 100,
    longestRetryMs: 5000,
    pollMs: 100,
    idlePollMs: 500,
    awayMs: 200,
  },
  worker: { ...PRODUCTION_LIMITS.worker, beatMs: 500, heartbeatMs: 1000, shutdownGraceMs: 200 },
};
