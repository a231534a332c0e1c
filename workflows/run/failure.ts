/** Errors that end a run, and the outcome that they become. */
import { ActivityFailure, ApplicationFailure, isCancellation, log, rootCause } from '@temporalio/workflow';
import type { Failure, RunOutcome } from '../../src/domain/run/runs.ts';
import type { TerminationReason } from '../../src/domain/run/termination-reasons.ts';
import type { PullRequestRef, RunInput } from '../messages.ts';

/** Ends the run as failed, for a reason of {@link Failure}. */
export class RunFailed extends Error {
  readonly failure: Failure;
  constructor(failure: Failure, detail: string) {
    super(detail);
    this.failure = failure;
  }
}

export interface Cancel {
  readonly actor: string;
  readonly reason: string;
  readonly merged?: PullRequestRef;
}

/** The outcome of a run that an error has ended. */
export function outcomeOf(error: unknown, cancel: Cancel | undefined, { resume }: RunInput): RunOutcome {
  if (cancel && isCancellation(error)) {
    const { actor, reason, merged } = cancel;
    if (!merged) return { status: 'canceled', actor, reason };
    return { status: 'succeeded', pullRequest: merged, summary: '', threadId: resume?.threadId ?? '', mergedBy: actor };
  }
  if (error instanceof RunFailed) return { status: 'failed', failure: error.failure, detail: error.message };
  if (isCancellation(error)) return { status: 'canceled', actor: 'an operator', reason: 'canceled in Temporal' };
  log.error('run failed', { error });
  return { status: 'failed', failure: 'platform_error', detail: messageOf(error) };
}

export function messageOf(error: unknown): string {
  return rootCause(error) ?? String(error);
}

/** The type of an activity's failure. */
export function typeOf(error: unknown): string | undefined {
  return error instanceof ActivityFailure && error.cause instanceof ApplicationFailure
    ? (error.cause.type ?? undefined)
    : undefined;
}

/** The termination reason, if the launch found out that no agent can begin. */
export function terminationOf(error: unknown): TerminationReason | undefined {
  if (typeOf(error) !== 'AgentCannotBegin') return undefined;
  const { details } = (error as ActivityFailure).cause as ApplicationFailure;
  return details?.[0] as TerminationReason | undefined;
}

/** Logs the error of a step that is not worth failing the run for. */
export function logged(error: unknown): void {
  log.warn('step skipped', { error: messageOf(error) });
}
