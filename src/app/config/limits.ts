/**
 * The times that a server and a worker keep: each part states its own beside its code, and here they are together. Whoever
 * starts a process may give others; tests do, so that they need not wait for these.
 */
import { RELAY_LIMITS, type RelayLimits } from '../../../ingress/relay/inbox-relay.ts';
import { COMMENT_LIMITS, type CommentLimits } from '../../../activities/github/status-comments.ts';
import { GITHUB_LIMITS, type GitHubLimits } from '../../adapters/github/client.ts';
import { LOCAL_RUNTIME_LIMITS, type LocalRuntimeLimits } from '../../adapters/local-runtime/runtime.ts';
import { COMMIT_LIMIT_MS } from '../../store/intake/intake.ts';

/** Milliseconds. */
export interface Limits {
  readonly comments: CommentLimits;
  readonly github: GitHubLimits;
  readonly localRuntime: LocalRuntimeLimits;
  readonly relay: RelayLimits;
  /** Until a delivery is answered with 503. */
  readonly intakeCommitMs: number;
  readonly worker: WorkerLimits;
}

/** Milliseconds. */
export interface WorkerLimits {
  /** Between two beats of an activity. */
  readonly beatMs: number;
  /** Between two beats that are passed on to Temporal; its answer says whether the activity is still wanted. */
  readonly heartbeatMs: number;
  /** At the end of a worker, until activities that wait are told: another worker waits on. The others finish. */
  readonly shutdownGraceMs: number;
  /** What has not finished by then is given up and done again: below the 30 s that a deploy waits. */
  readonly shutdownLimitMs: number;
}

export const PRODUCTION_LIMITS: Limits = {
  comments: COMMENT_LIMITS,
  github: GITHUB_LIMITS,
  localRuntime: LOCAL_RUNTIME_LIMITS,
  relay: RELAY_LIMITS,
  intakeCommitMs: COMMIT_LIMIT_MS,
  worker: { beatMs: 2000, heartbeatMs: 3000, shutdownGraceMs: 1000, shutdownLimitMs: 20_000 },
};
