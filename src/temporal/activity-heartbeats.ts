/** Activities beat by themselves while they run, so that Temporal notices within seconds that their worker is gone. */
import type { Context } from '@temporalio/activity';
import type { ActivityInterceptors } from '@temporalio/worker';

/**
 * For `interceptors.activity` of a worker: beats every so many milliseconds; the SDK passes beats on as often as
 * `maxHeartbeatThrottleInterval` allows. An activity without a heartbeat timeout is let be: nobody listens.
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
