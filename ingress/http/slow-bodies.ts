/** Closes connections of clients that send no more of a body they have begun (docs/reliability.md T04). */
import type { IncomingMessage } from 'node:http';
import type { MiddlewareHandler } from 'hono';

/** Times for a request's body, in milliseconds. */
export interface BodyLimits {
  /** For the whole body, where people and GitHub send small ones. */
  readonly wholeMs: number;
  /** Without any byte of it, where agents send large ones. */
  readonly idleMs: number;
}

export const BODY_LIMITS: BodyLimits = { wholeMs: 10_000, idleMs: 60_000 };

/** Bodies at these paths come from agents, and may be large. */
const LARGE = /^\/(api\/v1\/agent|git|model)\//;

/** Closes connections whose body does not come, by the limit of the request's path. */
export function limitBodies({ wholeMs, idleMs }: BodyLimits): MiddlewareHandler {
  const whole = limitBodyTime(wholeMs);
  const idle = limitBodyIdle(idleMs);
  return async (c, next) => (LARGE.test(c.req.path) ? idle(c, next) : whole(c, next));
}

/** Closes the connection if the whole body has not come in time. */
function limitBodyTime(wholeMs: number): MiddlewareHandler {
  return watchBody((incoming) => {
    const timer = setTimeout(() => cutOff(incoming), wholeMs);
    return () => clearTimeout(timer);
  });
}

/** Closes the connection if nothing of the body has come for so long. */
function limitBodyIdle(idleMs: number): MiddlewareHandler {
  return watchBody((incoming) => {
    const { socket } = incoming;
    let read = socket.bytesRead;
    const timer = setInterval(() => {
      if (socket.bytesRead === read) cutOff(incoming);
      read = socket.bytesRead;
    }, idleMs);
    return () => clearInterval(timer);
  });
}

/** Watches requests whose body has not come yet; `watch` returns what ends it. Where there is no socket, nothing is watched. */
function watchBody(watch: (incoming: IncomingMessage) => () => void): MiddlewareHandler {
  return async function watchRequest(c, next) {
    const { incoming } = (c.env ?? {}) as { incoming?: IncomingMessage };
    if (incoming === undefined || incoming.complete || hasNoBody(incoming)) return next();
    const end = watch(incoming);
    // A handler may answer before it has read the body: the watch ends with the body or its connection.
    incoming.once('close', end);
    await next();
  };
}

function hasNoBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] === undefined && (headers['content-length'] ?? '0') === '0';
}

function cutOff(incoming: IncomingMessage): void {
  if (!incoming.complete) incoming.destroy();
}
