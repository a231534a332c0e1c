/** The one place that decides whether a failure is worth another attempt. */
import { ApplicationFailure } from '@temporalio/common';

/**
 * GitHub's answers that another attempt cannot change (reliability.md T17, T21, T22). 401 is none of them: an expired token
 * is replaced by a person, and no click made meanwhile may be lost.
 */
const PERMANENT: Readonly<Record<number, string>> = {
  403: 'GitHubForbidden',
  404: 'GitHubNotFound',
  410: 'GitHubGone',
  422: 'GitHubRejected',
};

/** What Octokit throws, as far as this looks at it. */
interface HttpFailure {
  readonly status: number;
  readonly message: string;
  readonly response?: { readonly headers?: Readonly<Record<string, string | number | undefined>> };
}

/** An unknown failure stays as it is, and is tried again. */
export function toFailure(error: unknown): unknown {
  if (error instanceof Error && error.name === 'ForeignEnvironment') return permanent(error.name, error.message);
  if (!isHttpFailure(error)) return error;
  const retryAfterMs = rateLimit(error);
  if (retryAfterMs !== undefined) {
    return ApplicationFailure.create({
      type: 'GitHubRateLimited',
      message: `GitHub asks to wait ${Math.ceil(retryAfterMs / 1000)} s`,
      nextRetryDelay: retryAfterMs,
    });
  }
  const type = PERMANENT[error.status];
  return type ? permanent(type, error.message.slice(0, 2000)) : error;
}

/**
 * Activities whose failures never quote a query: Drizzle puts the statement and its values into the message, and a failure's
 * message can end up in front of people.
 */
export function withoutQueries<Set extends Record<string, (input: never) => Promise<unknown>>>(activities: Set): Set {
  const guarded = Object.entries(activities).map(([name, activity]) => [
    name,
    async (input: never) => {
      try {
        return await activity(input);
      } catch (error) {
        throw isQueryFailure(error)
          ? ApplicationFailure.create({ type: 'DatabaseFailed', message: databaseMessage(error) })
          : error;
      }
    },
  ]);
  return Object.fromEntries(guarded) as Set;
}

function isQueryFailure(error: unknown): error is Error {
  return error instanceof Error && error.message.startsWith('Failed query:');
}

function databaseMessage({ cause }: Error): string {
  return cause instanceof Error ? `the database refused: ${cause.message}` : 'the database does not answer';
}

/** A failure that another attempt cannot change. */
export function permanent(type: string, message: string): ApplicationFailure {
  return ApplicationFailure.create({ type, message, nonRetryable: true });
}

/** Runs a call to the world outside, and classifies its failure. */
export async function classified<Result>(call: () => Promise<Result>): Promise<Result> {
  try {
    return await call();
  } catch (error) {
    throw toFailure(error);
  }
}

/** Milliseconds to wait, when the answer is a primary or secondary rate limit; GitHub uses 403 and 429 for both. */
function rateLimit({ status, message, response }: HttpFailure): number | undefined {
  if (status !== 403 && status !== 429) return undefined;
  const headers = response?.headers ?? {};
  const after = Number(headers['retry-after']);
  if (Number.isFinite(after) && after > 0) return after * 1000;
  if (String(headers['x-ratelimit-remaining']) === '0') {
    const reset = Number(headers['x-ratelimit-reset']) * 1000 - Date.now();
    return Number.isFinite(reset) ? Math.max(1000, reset) : 60_000;
  }
  return status === 429 || /secondary rate limit/i.test(message) ? 60_000 : undefined;
}

function isHttpFailure(error: unknown): error is HttpFailure {
  return error instanceof Error && typeof (error as Partial<HttpFailure>).status === 'number';
}
