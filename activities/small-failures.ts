/**
 * Makes failures of activities fit for Temporal's history, where they are kept and shown to people: small, and without secrets
 * (docs/reliability.md T38). What they are, and whether they are retried, stays.
 */
import { ApplicationFailure, CancelledFailure, TemporalFailure } from '@temporalio/common';
import { CompleteAsyncError } from '@temporalio/activity';
import { inspect } from 'node:util';
import type { Redact } from '../src/domain/agent/redaction.ts';

/** Bytes, in UTF-8. A failure with one cause is below 8 KiB. */
const MESSAGE_BYTES = 2000;
const STACK_BYTES = 1200;
const DETAILS_BYTES = 1000;

/** Wraps activities so that whatever they throw becomes a small failure of the same type. */
export function withSmallFailures<Set extends Record<string, (input: never) => Promise<unknown>>>(
  activities: Set,
  redact: Redact,
): Set {
  const guarded = Object.entries(activities).map(([name, activity]) => [
    name,
    async (input: never) => {
      try {
        return await activity(input);
      } catch (error) {
        throw toSmallFailure(error, redact);
      }
    },
  ]);
  return Object.fromEntries(guarded) as Set;
}

/** The error itself if it may stay as it is, else a failure of its type. */
export function toSmallFailure(error: unknown, redact: Redact): unknown {
  // These are no failures: the SDK looks for them.
  if (error instanceof CancelledFailure || error instanceof CompleteAsyncError) return error;
  if (!(error instanceof Error)) return failureOf({ message: wordsOf(error), type: typeof error }, redact);
  if (error instanceof TemporalFailure && !(error instanceof ApplicationFailure)) return error;
  if (
    isSmall(error, redact) &&
    (error.cause === undefined || (error.cause instanceof Error && isLeaf(error.cause, redact)))
  )
    return error;
  const cause = error.cause instanceof Error ? leafOf(error.cause, redact) : undefined;
  return failureOf({ ...partsOf(error), ...(cause === undefined ? {} : { cause }) }, redact);
}

interface Parts {
  readonly message: string;
  readonly type: string;
  readonly stack?: string | undefined;
  readonly nonRetryable?: boolean | undefined;
  readonly nextRetryDelay?: ApplicationFailure['nextRetryDelay'] | null | undefined;
  readonly details?: readonly unknown[] | null | undefined;
  readonly cause?: Error | undefined;
}

function partsOf(error: Error): Parts {
  const { message, stack } = error;
  if (!(error instanceof ApplicationFailure)) return { message, stack, type: error.name };
  const { nonRetryable, nextRetryDelay, details } = error;
  return {
    message,
    stack,
    type: error.type ?? error.name,
    nonRetryable: nonRetryable ?? false,
    nextRetryDelay,
    details,
  };
}

function failureOf(
  { message, stack, details, type, nonRetryable, nextRetryDelay, cause }: Parts,
  redact: Redact,
): ApplicationFailure {
  const failure = ApplicationFailure.create({
    message: cut(redact(message), MESSAGE_BYTES),
    type: cut(type, 100),
    nonRetryable: nonRetryable ?? false,
    ...(nextRetryDelay === undefined || nextRetryDelay === null ? {} : { nextRetryDelay }),
    ...(details === undefined || details === null || !fits(details, redact) ? {} : { details: [...details] }),
    ...(cause === undefined ? {} : { cause }),
  });
  failure.stack = cut(redact(stack ?? ''), STACK_BYTES);
  return failure;
}

/** A cause without causes of its own. */
function leafOf(error: Error, redact: Redact): Error {
  return isLeaf(error, redact) ? error : failureOf(partsOf(error), redact);
}

function isLeaf(error: Error, redact: Redact): boolean {
  return error.cause === undefined && isSmall(error, redact);
}

function isSmall(error: Error, redact: Redact): boolean {
  const { message, stack = '' } = error;
  const texts = `${message}\n${stack}`;
  const detailsFit = !(error instanceof ApplicationFailure) || fits(error.details ?? [], redact);
  return (
    Buffer.byteLength(message) <= MESSAGE_BYTES &&
    Buffer.byteLength(stack) <= STACK_BYTES &&
    detailsFit &&
    redact(texts) === texts
  );
}

function fits(details: readonly unknown[], redact: Redact): boolean {
  const text = wordsOf(details);
  return Buffer.byteLength(text) <= DETAILS_BYTES && redact(text) === text;
}

/** What was thrown, in words, also where it is circular. */
function wordsOf(thrown: unknown): string {
  return typeof thrown === 'string'
    ? thrown
    : inspect(thrown, { depth: 3, maxArrayLength: 20, maxStringLength: DETAILS_BYTES });
}

function cut(text: string, bytes: number): string {
  if (Buffer.byteLength(text) <= bytes) return text;
  const kept = Buffer.from(text)
    .subarray(0, bytes - 40)
    .toString('utf8')
    .replace(/\uFFFD+$/, '');
  return `${kept}… (cut)`;
}
