/**
 * How an agent can be lost: it ended, or never began, without a report. ReceivedDelivery apart, since some are worth another attempt and
 * some are not (docs/reliability.md T41 to T44). Pure.
 */

/** What is done about a termination. */
type Remedy =
  /** The agent never began: the same attempt is launched once more. */
  | 'launch_again'
  /** The agent may have worked: its token is worth nothing any more, and the next attempt goes on with its conversation. */
  | 'next_attempt'
  /** It would end the same way again. */
  | 'give_up';

export const TERMINATION_REASONS = {
  /** The image cannot be had. */
  image_pull: 'launch_again',
  /** The namespace's quota leaves no room. */
  quota_exceeded: 'launch_again',
  /** No node has room. */
  unschedulable: 'launch_again',
  /** The container cannot be made: a missing Secret, for example. */
  container_error: 'launch_again',
  /** The cluster's rules do not let the pod in. */
  sandbox_rejected: 'give_up',
  /** It used more memory than it may. */
  agent_oom: 'give_up',
  /** It wrote more on disk than it may. */
  disk_exceeded: 'give_up',
  /** It took longer than it may. */
  deadline_exceeded: 'give_up',
  /** The runner ended with a non-zero exit code. */
  agent_error: 'give_up',
  /** Its node needed the room, or was emptied. */
  evicted: 'next_attempt',
  /** Its node is not heard of any more. */
  node_lost: 'next_attempt',
  /** Its process or pod is gone, and nobody knows why. */
  agent_lost: 'next_attempt',
} as const satisfies Readonly<Record<string, Remedy>>;

export type TerminationReason = keyof typeof TERMINATION_REASONS;

/** What is nobody's fault, and does not count as an attempt (docs/reliability.md T44). */
export const DISRUPTIONS: ReadonlySet<TerminationReason> = new Set(['evicted', 'node_lost']);

/** Whether the agent was lost before it did anything. */
export function couldNotBegin(termination: TerminationReason): boolean {
  return TERMINATION_REASONS[termination] === 'launch_again' || termination === 'sandbox_rejected';
}
