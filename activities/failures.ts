/** Decides whether a failed activity is retried. */
import { activityInfo } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import { isConnectionCode } from '../src/store/connection/connection-codes.ts';

/**
 * GitHub's answers that a retry cannot change (docs/reliability.md T17, T21, T22). 401 is not among them: a person replaces an
 * expired token, and no trigger made meanwhile may be lost.
 */
const PERMANENT: Readonly<Record<number, string>> = {
  403: 'GitHubForbidden',
  404: 'GitHubNotFound',
  410: 'GitHubGone',
  422: 'GitHubRejected',
};

/** Errors of the runtimes that only a person can resolve. */
const PERMANENT_BY_NAME = new Set(['ForeignWorkspace', 'NetworkUnsafe']);

/** The agent could not begin; the first detail of the failure is the `TerminationReason`. */
const AGENT_CANNOT_BEGIN = 'AgentCannotBegin';

/** The Kubernetes adapter throws it when it finds that out before a launch. */
interface StuckAgent extends Error {
  readonly termination: string;
}

/** The parts of an Octokit error that are used here. */
interface HttpFailure extends Error {
  readonly status: number;
}

/** The GitHub adapter throws it while GitHub asks to wait; `waitMs` in milliseconds. */
interface WaitingFailure extends Error {
  readonly waitMs: number;
}

/** Characters of an answer that are shown; a proxy's error page can be long. */
const MESSAGE_LENGTH = 2000;

/** Retries at the same moment are spread over a tenth of the wait, at most this many milliseconds. */
const SPREAD_MS = 5000;

/** An unknown error is passed on, and retried. */
export function toFailure(error: unknown): unknown {
  if (error instanceof Error && PERMANENT_BY_NAME.has(error.name)) return permanent(error.name, error.message);
  if (isStuckAgent(error))
    return ApplicationFailure.create({
      type: AGENT_CANNOT_BEGIN,
      message: error.message,
      nonRetryable: true,
      details: [error.termination],
    });
  if (isKubernetesRefusal(error)) return kubernetesFailure(error);
  if (isWaiting(error)) {
    const { waitMs, message } = error;
    const spread = Math.random() * Math.min(SPREAD_MS, waitMs / 10);
    return ApplicationFailure.create({
      type: 'GitHubRateLimited',
      message,
      nextRetryDelay: Math.ceil(waitMs + spread),
    });
  }
  if (!isHttpFailure(error)) return error;
  const message = error.message.slice(0, MESSAGE_LENGTH);
  const type = PERMANENT[error.status];
  if (type) return permanent(type, message);
  return ApplicationFailure.create({ type: 'GitHubFailed', message: `GitHub answered ${error.status}: ${message}` });
}

/**
 * Wraps activities so that their failures never quote a query: Drizzle puts the statement and its values into the message, and
 * people see a failure's message. A database error is retried within five seconds, whatever the activity's retry policy.
 */
export function withoutQueries<Set extends Record<string, (input: never) => Promise<unknown>>>(activities: Set): Set {
  const guarded = Object.entries(activities).map(([name, activity]) => [
    name,
    async (input: never) => {
      try {
        return await activity(input);
      } catch (error) {
        throw isDatabaseFailure(error) ? databaseFailure(error, activityInfo().attempt) : error;
      }
    },
  ]);
  return Object.fromEntries(guarded) as Set;
}

/** Milliseconds between two attempts: they double from the first to the second, with a jitter of half their length. */
const DATABASE_WAITS_MS = { first: 500, longest: 5000 };

function databaseFailure(error: Error, attempt: number): ApplicationFailure {
  const wait = Math.min(DATABASE_WAITS_MS.longest, DATABASE_WAITS_MS.first * 2 ** (attempt - 1));
  return ApplicationFailure.create({
    type: 'DatabaseFailed',
    message: databaseMessage(error),
    nextRetryDelay: Math.ceil(wait * (0.5 + Math.random() / 2)),
  });
}

/** The GitHub adapter throws it when the database does not answer whether GitHub asks to wait. */
const KEEPER_AWAY = 'GitHubKeeperAway';

/** Errors of Drizzle and of the driver, which carry the query, and those of the adapter that reads the database first. */
function isDatabaseFailure(error: unknown): error is Error {
  if (!(error instanceof Error)) return false;
  const ofDriver = 'query' in error && 'parameters' in error;
  const isLost = isConnectionCode((error as { code?: unknown }).code);
  return isQueryFailure(error) || error.name === KEEPER_AWAY || ofDriver || isLost;
}

/** An error as Drizzle throws it. A transaction that cannot begin or commit fails with the driver's error. */
function isQueryFailure({ message }: Error): boolean {
  return message.startsWith('Failed query:');
}

function databaseMessage(error: Error): string {
  const cause = isQueryFailure(error) || error.name === KEEPER_AWAY ? error.cause : error;
  return cause instanceof Error ? `the database refused: ${cause.message}` : 'the database does not answer';
}

/** The Kubernetes API's answers that a retry cannot change; conflicts, limits and its own errors pass. */
const PERMANENT_IN_KUBERNETES = new Set([400, 403, 405, 413, 415, 422]);

/** The parts of a Kubernetes adapter error that are used here; `waitMs` in milliseconds. */
interface KubernetesRefusal extends Error {
  readonly code: number;
  readonly causes: readonly string[];
  readonly waitMs: number | undefined;
}

function isStuckAgent(error: unknown): error is StuckAgent {
  return error instanceof Error && error.name === AGENT_CANNOT_BEGIN;
}

function isKubernetesRefusal(error: unknown): error is KubernetesRefusal {
  return error instanceof Error && error.name === 'KubernetesRefusal';
}

/** 401 is retried, as with GitHub; 403 is not, except in a namespace that is being deleted. */
function kubernetesFailure({ code, causes, waitMs, message }: KubernetesRefusal): ApplicationFailure {
  if (PERMANENT_IN_KUBERNETES.has(code) && !causes.includes('NamespaceTerminating'))
    return permanent('KubernetesRefused', message);
  return ApplicationFailure.create({
    type: code === 401 ? 'KubernetesUnauthorized' : 'KubernetesFailed',
    message,
    ...(waitMs === undefined ? {} : { nextRetryDelay: waitMs }),
  });
}

/** A failure that is not retried. */
export function permanent(type: string, message: string): ApplicationFailure {
  return ApplicationFailure.create({ type, message, nonRetryable: true });
}

/** Calls the outside world, and classifies its error. */
export async function classified<Result>(call: () => Promise<Result>): Promise<Result> {
  try {
    return await call();
  } catch (error) {
    throw toFailure(error);
  }
}

function isWaiting(error: unknown): error is WaitingFailure {
  return error instanceof Error && error.name === 'GitHubAsksToWait';
}

function isHttpFailure(error: unknown): error is HttpFailure {
  return error instanceof Error && typeof (error as Partial<HttpFailure>).status === 'number';
}
