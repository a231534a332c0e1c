/** The life of a run: its states, why it ends, and what the agent says of itself. */
import type { Question } from './requests.ts';
import type { ModelSelection } from '../stages/model-selection.ts';
import type { Stage } from '../stages/stages.ts';

export const RUN_STATUSES = [
  'queued',
  'preparing',
  'working',
  'waiting',
  'publishing',
  'succeeded',
  'failed',
  'canceled',
] as const;
export type RunStatus = (typeof RUN_STATUSES)[number];

/** Whether a run in this state will never change again. */
export function isTerminal(status: RunStatus): boolean {
  return status === 'succeeded' || status === 'failed' || status === 'canceled';
}

/** Why a run failed. Each is told apart in the status comment, on the page and at the command line. */
export const FAILURES = [
  'agent_failed', // the agent ended with a non-zero exit code
  'no_changes', // the agent finished and its branch holds nothing new
  'answer_invalid', // the final answer is not the JSON that was asked for
  'agent_stalled', // nothing was heard from the agent for longer than the stall limit
  'deadline_exceeded', // the agent worked longer than a run may take
  'push_rejected', // somebody else pushed to the branch first
  'clone_failed', // the repository could not be cloned
  'agent_lost', // the agent's process ended without a report
  // Only Kubernetes tells these apart (src/domain/run/termination-reasons.ts).
  'agent_error', // the runner itself ended with a non-zero exit code, without a report
  'agent_oom', // the agent used more memory than it may
  'disk_exceeded', // the agent wrote more on disk than it may
  'evicted', // the agent's node needed the room
  'node_lost', // the agent's node is not heard of any more
  'image_pull', // the agent's image cannot be had
  'unschedulable', // no node has room for the agent
  'quota_exceeded', // the quota of the namespace leaves no room for the agent
  'container_error', // the agent's container cannot be made
  'sandbox_rejected', // the cluster's rules do not let the agent's pod in
  'launch_failed', // the workspace or the process could not be made
  'pull_request_not_found', // a revise without a pull request to revise
  'failed_precondition', // labels of one group stand against each other, or nobody knows what to work on
  'scope_violation', // the stage's work changes files that the stage may not change
  'publish_failed', // the work is there, but GitHub refused the pull request
  'wait_expired', // nobody answered, or nobody let the run go on, in time
  'platform_error', // a fault of codex-k8s itself
] as const;
export type Failure = (typeof FAILURES)[number];

/** What the agent answers at the end of its turn, without what only the platform knows. */
export interface AgentAnswer {
  /** What was done, for the pull request's description and for a reviewer. Markdown. */
  readonly summary: string;
  /** One line, at most 100 characters. */
  readonly title: string;
  /** The checks that were run, and how they ended. */
  readonly checks: readonly { readonly command: string; readonly passed: boolean }[];
  /** One answer for each review comment that was handed in. */
  readonly answers: readonly { readonly comment_id: number; readonly answer: string }[];
  /** Of a rethink: the stage to go back to. Empty or missing otherwise. */
  readonly back_to?: string;
}

/** What the runner reports to the platform at its end. Exactly one report counts for each attempt of a run. */
export type AgentReport =
  | {
      readonly outcome: 'finished';
      readonly answer: AgentAnswer;
      /** The commit at the head of the pushed branch. */
      readonly headSha: string;
      readonly threadId: string;
      readonly model: string;
      readonly reasoningEffort: string;
    }
  | {
      /** The agent needs an answer to go on. */
      readonly outcome: 'asked';
      readonly question: Question;
      /** The commit at the head of the branch, if the agent has committed and that was pushed. */
      readonly headSha: string | null;
      readonly threadId: string;
      readonly model: string;
      readonly reasoningEffort: string;
    }
  | {
      readonly outcome: 'failed';
      readonly failure: Failure;
      readonly detail: string;
      readonly threadId?: string | undefined;
    };

/** How a run ended. */
export type RunOutcome =
  | {
      readonly status: 'succeeded';
      /** Null for a conversation on an issue that has none. */
      readonly pullRequest: { readonly number: number; readonly url: string } | null;
      readonly summary: string;
      readonly threadId: string;
      /** The commit at the head of the branch. */
      readonly headSha?: string;
      /** With what the agent worked. */
      readonly selection?: ModelSelection;
      /** Of a rethink: the stage that it goes back to. */
      readonly backTo?: Stage;
      /** The login of the person who merged the pull request while the agent still worked, which was then stopped. */
      readonly mergedBy?: string;
    }
  | { readonly status: 'failed'; readonly failure: Failure; readonly detail: string }
  | { readonly status: 'canceled'; readonly actor: string; readonly reason: string };

/** How a run ended that left no work behind. */
export type UnfinishedOutcome = Exclude<RunOutcome, { status: 'succeeded' }>;
