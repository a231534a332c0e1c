/** Activities beat by themselves while they run, so that Temporal notices within seconds that their worker is gone. */
import type { Context } from '@temporalio/activity';
import type { ActivityInterceptors } from '@temporalio/worker';

/** Milliseconds between beats. The SDK passes them on as often as `maxHeartbeatThrottleInterval` allows. */
const BEAT_MS = 2000;

/** For `interceptors.activity` of a worker. One without a heartbeat timeout is let be: nobody listens. */
export function beatWhileRunning({ info, heartbeat }: ActivityContext, everyMs = BEAT_MS): ActivityInterceptors {
  return {
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
  };
}

type ActivityContext = Pick<Context, 'info' | 'heartbeat'>;
