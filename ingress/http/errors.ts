/** Error responses: the envelope `{code, message, field?}`, the same everywhere. */
import { randomUUID } from 'node:crypto';
import type { Context, ErrorHandler } from 'hono';
import { HTTPException } from 'hono/http-exception';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import { Refusal } from '../../src/domain/refusal.ts';
import { isConnectionCode } from '../../src/store/connection/connection-codes.ts';

const STATUS_OF = {
  invalid_argument: 400,
  unauthorized: 401,
  forbidden: 403,
  not_found: 404,
  conflict: 409,
  failed_precondition: 409,
  unprocessable: 422,
  resource_exhausted: 429,
  canceled: 499,
  deadline_exceeded: 504,
  unavailable: 503,
  internal: 500,
} as const satisfies Record<string, number>;
export type ErrorCode = keyof typeof STATUS_OF;

export interface ErrorEnvelope {
  readonly code: ErrorCode;
  readonly message: string;
  /** The part of the request that is wrong. */
  readonly field?: string;
}

/** A rejected request, with a reason that the client may see. */
export class RequestRefused extends Error {
  override readonly name = 'RequestRefused';
  readonly code: ErrorCode;
  readonly field: string | undefined;
  /** Seconds after which the same request may succeed. */
  readonly retryAfter: number | undefined;
  constructor(code: ErrorCode, message: string, field?: string, retryAfter?: number) {
    super(message);
    this.code = code;
    this.field = field;
    this.retryAfter = retryAfter;
  }
}

/** The logger that this module uses. */
export interface ErrorLog {
  error(fields: Record<string, unknown>, message: string): void;
}

/** The response to an error, with its status. */
export interface ErrorDescription {
  readonly status: ContentfulStatusCode;
  readonly envelope: ErrorEnvelope;
  /** Id of the error in the log; only if it was logged. */
  readonly correlationId?: string;
  /** Seconds after which the same request may succeed, if that is known. */
  readonly retryAfter?: string;
}

/** Seconds until a retry, if a dependency is unavailable. */
const RETRY_AFTER = '5';

/** Answers with the envelope and the given status. */
export function failure(
  c: Context,
  status: ContentfulStatusCode,
  code: ErrorCode,
  message: string,
  field?: string,
): Response {
  return c.json({ code, message, ...(field === undefined ? {} : { field }) } satisfies ErrorEnvelope, status);
}

/** Answers a body over the limit, for `bodyLimit`. The rest of it is not read, so the connection is closed. */
export function bodyTooLarge(c: Context): Response {
  c.header('Connection', 'close');
  return failure(c, 413, 'invalid_argument', 'the body is larger than this installation accepts', 'body');
}

/** Answers every error of a router: refusals with their message, other errors with a correlation id of the log. */
export function answerErrors(log: ErrorLog): ErrorHandler {
  return function answerError(error, c) {
    const { status, envelope, correlationId, retryAfter } = describeError(error, log);
    if (correlationId !== undefined) c.header('X-Correlation-Id', correlationId);
    if (status === 401) c.header('WWW-Authenticate', 'Bearer');
    if (retryAfter !== undefined) c.header('Retry-After', retryAfter);
    return failure(c, status, envelope.code, envelope.message, envelope.field);
  };
}

/** Answers requests without a route. */
export function answerNotFound(c: Context): Response {
  return failure(c, 404, 'not_found', `no route for ${c.req.method} ${c.req.path}`);
}

/** The response to an error; its details are logged under a correlation id. */
export function describeError(error: unknown, log: ErrorLog): ErrorDescription {
  if (error instanceof RequestRefused) {
    const { code, message, field, retryAfter } = error;
    return {
      status: STATUS_OF[code] as ContentfulStatusCode,
      envelope: { code, message, ...(field && { field }) },
      ...(retryAfter === undefined ? retryAfterOf(code) : { retryAfter: `${retryAfter}` }),
    };
  }
  if (error instanceof Refusal) {
    const { reason: code, message, field } = error;
    return { status: STATUS_OF[code], envelope: { code, message, ...(field && { field }) }, ...retryAfterOf(code) };
  }
  if (error instanceof HTTPException) {
    const code = codeOfStatus(error.status);
    const message = error.message || 'the request failed';
    return { status: error.status, envelope: { code, message } };
  }
  const correlationId = randomUUID();
  if (isDatabaseAway(error)) {
    log.error({ err: error, correlationId }, 'database unavailable');
    const message = `the database is unreachable; try again in a moment (correlation id ${correlationId})`;
    return { status: 503, envelope: { code: 'unavailable', message }, correlationId, retryAfter: RETRY_AFTER };
  }
  log.error({ err: error, correlationId }, 'request failed');
  const message = `internal error; see the server's log for the correlation id ${correlationId}`;
  return { status: 500, envelope: { code: 'internal', message }, correlationId };
}

function retryAfterOf(code: ErrorCode): { retryAfter?: string } {
  return code === 'unavailable' ? { retryAfter: RETRY_AFTER } : {};
}

function codeOfStatus(status: number): ErrorCode {
  const found = Object.entries(STATUS_OF).find(([, candidate]) => candidate === status);
  if (found) return found[0] as ErrorCode;
  return status >= 500 ? 'internal' : 'invalid_argument';
}

/** Error codes of the network; the database is the only dependency whose errors get here. */
const UNREACHABLE = /^(ECONN\w+|ENOTFOUND|EAI_AGAIN|EPIPE|ETIMEDOUT)$/;

function isDatabaseAway(error: unknown): boolean {
  for (let at = error, depth = 0; at instanceof Error && depth < 5; at = at.cause, depth += 1) {
    const { code } = at as { code?: unknown };
    if (isConnectionCode(code) || (typeof code === 'string' && UNREACHABLE.test(code))) return true;
    if (at instanceof AggregateError && at.errors.some(isDatabaseAway)) return true;
  }
  return false;
}
