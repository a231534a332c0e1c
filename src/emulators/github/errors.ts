/** GitHub's way to say no. */
import { inspect } from 'node:util';
import type { Context } from 'hono';
import { HTTPException } from 'hono/http-exception';
import type { ContentfulStatusCode } from 'hono/utils/http-status';

/** An answer that is an error: status, message, and what GitHub lists under `errors`. */
export class GitHubError extends HTTPException {
  readonly errors: readonly Record<string, unknown>[] | undefined;

  constructor(status: ContentfulStatusCode, message: string, errors?: readonly Record<string, unknown>[]) {
    super(status, { message });
    this.errors = errors;
  }
}

export function notFound(): GitHubError {
  return new GitHubError(404, 'Not Found');
}

/** 422 in GitHub's words for one field. */
export function invalid(resource: string, field: string, code = 'invalid', message?: string): GitHubError {
  return new GitHubError(422, 'Validation Failed', [{ resource, field, code, ...(message && { message }) }]);
}

/** Writes down what went wrong inside the stand-in. */
export function reportError(error: unknown): void {
  process.stderr.write(`GitHub stand-in: ${inspect(error)}\n`);
}

/** Answers any error thrown by a route in GitHub's shape. */
export function answerError(error: Error, c: Context): Response {
  if (error instanceof HTTPException && error.res) return error.getResponse();
  const status = error instanceof HTTPException ? error.status : 500;
  if (status === 500) reportError(error);
  const errors = error instanceof GitHubError ? error.errors : undefined;
  const body = {
    message: error.message,
    ...(errors && { errors }),
    documentation_url: 'https://docs.github.com/rest',
    status: String(status),
  };
  return c.json(body, status);
}
