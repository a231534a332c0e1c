/**
 * Time limits of server and worker: each module has its own, and here they are together. A process can be started with others,
 * as tests do to wait less.
 */
import { GATEWAY_LIMITS, type GatewayLimits } from '../../../ingress/gateways/upstream.ts';
import { REQUEST_LIMITS, type RequestLimits } from '../../../ingress/http/listen.ts';
import { BODY_LIMITS, type BodyLimits } from '../../../ingress/http/slow-bodies.ts';
import { RELAY_LIMITS, type RelayLimits } from '../../../ingress/relay/inbox-relay.ts';
import { COMMENT_LIMITS, type CommentLimits } from '../../../activities/github/status-comments.ts';
import { GITHUB_LIMITS, type GitHubLimits } from '../../adapters/github/client.ts';
import { LOCAL_RUNTIME_LIMITS, type LocalRuntimeLimits } from '../../adapters/local-runtime/runtime.ts';
import { COMMIT_LIMIT_MS } from '../../store/intake/intake.ts';

/** Milliseconds. */
export interface Limits {
  readonly bodies: BodyLimits;
  readonly comments: CommentLimits;
  readonly gateways: GatewayLimits;
  readonly github: GitHubLimits;
  readonly localRuntime: LocalRuntimeLimits;
  readonly relay: RelayLimits;
  readonly requests: RequestLimits;
  /** Time for the commit of a delivery before it is answered with 503. */
  readonly intakeCommitMs: number;
  readonly worker: WorkerLimits;
}

/** Milliseconds. */
export interface WorkerLimits {
  /** Between two heartbeats of an activity. */
  readonly beatMs: number;
  /** Between two heartbeats that the SDK sends to Temporal, whose response tells of a cancellation. */
  readonly heartbeatMs: number;
  /** From shutdown until waiting activities are canceled, for another worker to continue them. Other activities finish. */
  readonly shutdownGraceMs: number;
  /** From shutdown until unfinished activities are abandoned and retried: below the 30 s of a rollout. */
  readonly shutdownLimitMs: number;
}

export const PRODUCTION_LIMITS: Limits = {
  bodies: BODY_LIMITS,
  comments: COMMENT_LIMITS,
  gateways: GATEWAY_LIMITS,
  github: GITHUB_LIMITS,
  localRuntime: LOCAL_RUNTIME_LIMITS,
  relay: RELAY_LIMITS,
  requests: REQUEST_LIMITS,
  intakeCommitMs: COMMIT_LIMIT_MS,
  worker: { beatMs: 2000, heartbeatMs: 3000, shutdownGraceMs: 1000, shutdownLimitMs: 20_000 },
};
