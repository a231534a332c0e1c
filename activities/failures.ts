/** The one place that decides whether a failure is worth another attempt. */
import { activityInfo } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import { isConnectionCode } from '../src/store/connection/connection-codes.ts';

/**
 * GitHub's answers that another attempt cannot change (docs/reliability.md T17, T21, T22). 401 is none of them: an expired token
 * is replaced by a person, and no click made meanwhile may be lost.
 */
const PERMANENT: Readonly<Record<number, string>> = {
  403: 'GitHubForbidden',
  404: 'GitHubNotFound',
  410: 'GitHubGone',
  422: 'GitHubRejected',
};

/** What the runtimes throw that only a person can put right. */
const PERMANENT_BY_NAME = new Set(['ForeignWorkspace', 'NetworkUnsafe']);

/** An agent could not begin; the failure's first detail is the `TerminationReason`. */
const AGENT_CANNOT_BEGIN = 'AgentCannotBegin';

/** What the Kubernetes adapter throws when it found that out before a launch. */
interface StuckAgent extends Error {
  readonly termination: string;
}

/** What Octokit throws, as far as this looks at it. */
interface HttpFailure extends Error {
  readonly status: number;
}

/** What the adapter throws while GitHub wants to be left alone; `waitMs` in milliseconds. */
interface WaitingFailure extends Error {
  readonly waitMs: number;
}

/** What people read of an answer; a proxy's error page can be long. */
const MESSAGE_LENGTH = 2000;

/** Those who wait for the same moment come back spread over a tenth of the wait, at most this many milliseconds. */
const SPREAD_MS = 5000;

/** An unknown failure stays as it is, and is tried again. */
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
 * Activities whose failures never quote a query: Drizzle puts the statement and its values into the message, and a failure's
 * message can end up in front of people. The database is the platform's own and back soon: nobody waits longer for it than five
 * seconds, however patient the activity is with others.
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

/** Milliseconds between two attempts: they double from the first of these to the second, and are spread over their half. */
const DATABASE_WAITS_MS = { first: 500, longest: 5000 };

function databaseFailure(error: Error, attempt: number): ApplicationFailure {
  const wait = Math.min(DATABASE_WAITS_MS.longest, DATABASE_WAITS_MS.first * 2 ** (attempt - 1));
  return ApplicationFailure.create({
    type: 'DatabaseFailed',
    message: databaseMessage(error),
    nextRetryDelay: Math.ceil(wait * (0.5 + Math.random() / 2)),
  });
}

/** What the GitHub adapter throws when the database does not say whether GitHub wants to be left alone. */
const KEEPER_AWAY = 'GitHubKeeperAway';

/** Drizzle's errors, the driver's own, which carry the query, and those of the adapter that asks the database first. */
function isDatabaseFailure(error: unknown): error is Error {
  if (!(error instanceof Error)) return false;
  const ofDriver = 'query' in error && 'parameters' in error;
  const isLost = isConnectionCode((error as { code?: unknown }).code);
  return isQueryFailure(error) || error.name === KEEPER_AWAY || ofDriver || isLost;
}

/** As Drizzle throws it. A transaction that cannot begin or be committed fails as the driver has it. */
function isQueryFailure({ message }: Error): boolean {
  return message.startsWith('Failed query:');
}

function databaseMessage(error: Error): string {
  const told = isQueryFailure(error) || error.name === KEEPER_AWAY ? error.cause : error;
  return told instanceof Error ? `the database refused: ${told.message}` : 'the database does not answer';
}

/** The Kubernetes API's answers that another attempt cannot change; conflicts, limits and faults of its own pass. */
const PERMANENT_IN_KUBERNETES = new Set([400, 403, 405, 413, 415, 422]);

/** What the Kubernetes adapter throws, as far as this looks at it; `waitMs` in milliseconds. */
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

/** 401 is worth waiting for, as with GitHub; 403 is not, but in a namespace that is being deleted just now. */
function kubernetesFailure({ code, causes, waitMs, message }: KubernetesRefusal): ApplicationFailure {
  if (PERMANENT_IN_KUBERNETES.has(code) && !causes.includes('NamespaceTerminating'))
    return permanent('KubernetesRefused', message);
  return ApplicationFailure.create({
    type: code === 401 ? 'KubernetesUnauthorized' : 'KubernetesFailed',
    message,
    ...(waitMs === undefined ? {} : { nextRetryDelay: waitMs }),
  });
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

function isWaiting(error: unknown): error is WaitingFailure {
  return error instanceof Error && error.name === 'GitHubAsksToWait';
}

function isHttpFailure(error: unknown): error is HttpFailure {
  return error instanceof Error && typeof (error as Partial<HttpFailure>).status === 'number';
}
