/** Heartbeats of activities while they run, so that Temporal detects the loss of their worker within seconds. */
import type { Context } from '@temporalio/activity';
import type { ActivityInterceptors } from '@temporalio/worker';

/**
 * For `interceptors.activity` of a worker: heartbeats every `everyMs` milliseconds, which the SDK throttles to
 * `maxHeartbeatThrottleInterval`. Activities without a heartbeat timeout get none.
 */
export function beatEvery(everyMs: number): (context: ActivityContext) => ActivityInterceptors {
  return ({ info, heartbeat }) => ({
    inbound: {
      async execute(input, next) {
        if (info.heartbeatTimeoutMs === undefined) return next(input);
        const beat = setInterval(() => heartbeat(), everyMs);
        try {
          return await next(input);
        } finally {
          clearInterval(beat);
        }
      },
    },
  });
}

type ActivityContext = Pick<Context, 'info' | 'heartbeat'>;
