/** Error responses in GitHub's format. */
import { inspect } from 'node:util';
import type { Context } from 'hono';
import { HTTPException } from 'hono/http-exception';
import type { ContentfulStatusCode } from 'hono/utils/http-status';

/** An error response: status, message, and the entries of `errors`. */
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

/** A 422 response with GitHub's error object for one field. */
export function invalid(resource: string, field: string, code = 'invalid', message?: string): GitHubError {
  return new GitHubError(422, 'Validation Failed', [{ resource, field, code, ...(message && { message }) }]);
}

/** Writes an error inside the emulator to standard error. */
export function reportError(error: unknown): void {
  process.stderr.write(`GitHub emulator: ${inspect(error)}\n`);
}

/** Turns any error that a route throws into a response in GitHub's format. */
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
