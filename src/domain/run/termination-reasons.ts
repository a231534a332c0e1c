/**
 * Why an agent ended, or never began, without a report. The reasons differ in whether another attempt is worth it
 * (docs/reliability.md T41 to T44). Pure.
 */

/** What follows a termination. */
type Remedy =
  /** The agent never began: the same attempt is launched once more. */
  | 'launch_again'
  /** The agent may have worked: its token is revoked, and the next attempt resumes its conversation. */
  | 'next_attempt'
  /** A further attempt would end the same way: the run fails. */
  | 'give_up';

export const TERMINATION_REASONS = {
  /** The image cannot be pulled. */
  image_pull: 'launch_again',
  /** The namespace's quota is exhausted. */
  quota_exceeded: 'launch_again',
  /** No node has room for the pod. */
  unschedulable: 'launch_again',
  /** The container cannot be created: a Secret is missing, for example. */
  container_error: 'launch_again',
  /** The cluster's policies refuse the pod. */
  sandbox_rejected: 'give_up',
  /** It used more memory than its limit. */
  agent_oom: 'give_up',
  /** It wrote more on disk than its limit. */
  disk_exceeded: 'give_up',
  /** It took longer than its deadline. */
  deadline_exceeded: 'give_up',
  /** The runner ended with a non-zero exit code. */
  agent_error: 'give_up',
  /** Its node was short of resources, or was drained. */
  evicted: 'next_attempt',
  /** Its node is lost. */
  node_lost: 'next_attempt',
  /** Its process or pod is gone for an unknown reason. */
  agent_lost: 'next_attempt',
} as const satisfies Readonly<Record<string, Remedy>>;

export type TerminationReason = keyof typeof TERMINATION_REASONS;

/** Disruptions: nobody's fault, and not counted as a lost attempt (docs/reliability.md T44). */
export const DISRUPTIONS: ReadonlySet<TerminationReason> = new Set(['evicted', 'node_lost']);

/** Whether the agent was lost before it did anything. */
export function couldNotBegin(termination: TerminationReason): boolean {
  return TERMINATION_REASONS[termination] === 'launch_again' || termination === 'sandbox_rejected';
}
