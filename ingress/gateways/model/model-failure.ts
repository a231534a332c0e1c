/** Failures of the model gateway: the platform's envelope, and within it the shape that the provider's clients look for. */
import type { Context } from 'hono';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import type { ErrorCode, ErrorEnvelope } from '../../http/errors.ts';

const ANTHROPIC_TYPES: Readonly<Record<number, string>> = {
  400: 'invalid_request_error',
  402: 'billing_error',
  401: 'authentication_error',
  404: 'not_found_error',
  413: 'request_too_large',
  415: 'invalid_request_error',
  429: 'rate_limit_error',
};

/** Answers with the envelope; `type` and `error` are what OpenAI's and Anthropic's clients show. `reason`: for programs. */
export function modelFailure(
  c: Context,
  status: ContentfulStatusCode,
  code: ErrorCode,
  message: string,
  reason: string = code,
): Response {
  const envelope: ErrorEnvelope = { code, message };
  const type = ANTHROPIC_TYPES[status] ?? 'api_error';
  return c.json({ ...envelope, type: 'error', error: { type, code: reason, message } }, status);
}
