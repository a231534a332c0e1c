/** The states of a run, its outcome, and the agent's report. */
import type { Question } from './requests.ts';
import type { ModelSelection } from '../stages/model-selection.ts';
import type { Stage } from '../stages/stages.ts';
import type { WorkNotes } from './work-notes.ts';

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

/** True for a state that never changes again. */
export function isTerminal(status: RunStatus): boolean {
  return status === 'succeeded' || status === 'failed' || status === 'canceled';
}

/** Why a run failed. The status comment, the dashboard and the command line have a text for each. */
export const FAILURES = [
  'agent_failed', // the agent ended with a non-zero exit code
  'no_changes', // the agent finished and its branch holds nothing new
  'answer_invalid', // the final answer is not the JSON that was asked for
  'unmerged', // the agent stopped in a merge or rebase, or left conflict markers
  'agent_stalled', // the agent sent nothing for longer than the stall limit
  'deadline_exceeded', // the agent worked longer than a run may
  'push_refused', // GitHub, or the git gateway, refused the push
  'push_rejected', // somebody else pushed to the branch first
  'branch_conflict', // a branch of the repository has a name that excludes the run's
  'clone_failed', // the repository could not be cloned
  'edited_since', // the issue was edited after its label was put on, and its text of that time is not known
  'repository_empty', // the repository has no commit, or no default branch
  'agent_lost', // the agent's process ended without a report
  // Only Kubernetes distinguishes these (src/domain/run/termination-reasons.ts).
  'agent_error', // the runner itself ended with a non-zero exit code, without a report
  'agent_oom', // the agent used more memory than its limit
  'disk_exceeded', // the agent wrote more on disk than its limit
  'evicted', // the agent's node was short of resources
  'node_lost', // the agent's node is lost
  'image_pull', // the agent's image cannot be pulled
  'unschedulable', // no node has room for the agent
  'quota_exceeded', // the quota of the namespace is exhausted
  'container_error', // the agent's container cannot be created
  'sandbox_rejected', // the cluster's policies refuse the agent's pod
  'launch_failed', // the workspace or the process could not be created
  'pull_request_not_found', // a revise without a pull request to revise
  'nothing_to_revise', // nobody asked for anything since the last run
  'prompt_unusable', // the repository has a prompt of its own that cannot be one
  'failed_precondition', // labels of one group conflict, or it is unclear what to work on
  'scope_violation', // the stage's work changes files that the stage may not change
  'publish_failed', // the work is there, but GitHub refused the pull request
  'wait_expired', // nobody answered, or resumed the run, in time
  'budget_spent', // its budget for the model is spent, and people stopped it
  'platform_error', // an error of codex-k8s itself
] as const;
export type Failure = (typeof FAILURES)[number];

/** What an agent explains of a place that it changed. `line`: in the changed file; null for the whole file. */
export interface Explanation {
  readonly path: string;
  readonly line: number | null;
  /** Markdown. */
  readonly explanation: string;
}

/** The agent's final answer, without what only the platform knows. */
export interface AgentAnswer {
  /** What was done, for the pull request's description and for a reviewer. Markdown. */
  readonly summary: string;
  /** One line, at most 100 characters. */
  readonly title: string;
  /** The checks that were run, and their results. */
  readonly checks: readonly { readonly command: string; readonly passed: boolean }[];
  /** One answer for each review comment in the prompt. */
  readonly answers: readonly { readonly comment_id: number; readonly answer: string }[];
  /** Of a rethink: the stage to go back to. Empty or missing otherwise. */
  readonly back_to?: string;
  /** Of a run in learning mode. */
  readonly learning?: readonly Explanation[];
}

/** The runner's report at its end. Exactly one report counts for each attempt of a run. */
export type AgentReport =
  | {
      readonly outcome: 'finished';
      readonly answer: AgentAnswer;
      /** The commit at the head of the pushed branch. */
      readonly headSha: string;
      readonly threadId: string;
      readonly model: string;
      readonly reasoningEffort: string;
      readonly notes?: WorkNotes | undefined;
    }
  | {
      /** The agent needs an answer to continue. */
      readonly outcome: 'asked';
      readonly question: Question;
      /** The commit at the head of the pushed branch; null if the agent has committed nothing. */
      readonly headSha: string | null;
      readonly threadId: string;
      readonly model: string;
      readonly reasoningEffort: string;
    }
  | {
      /** Its turn was ended by the platform: a tool call waits for people, or a person has a message for the agent. */
      readonly outcome: 'parked';
      /** The commit at the head of the pushed branch; null if the agent has committed nothing. */
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
      /** Null for a discussion on an issue without a pull request. */
      readonly pullRequest: { readonly number: number; readonly url: string } | null;
      readonly summary: string;
      readonly threadId: string;
      /** The commit at the head of the branch. */
      readonly headSha?: string;
      /** The model and reasoning effort of the agent. */
      readonly selection?: ModelSelection;
      /** Of a rethink: the stage that it goes back to. */
      readonly backTo?: Stage;
      /** What was not committed, and what the clone lacked. */
      readonly notes?: WorkNotes;
      readonly heard?: Heard;
      /** The login of the person who merged the pull request while the agent worked, which was then stopped. */
      readonly mergedBy?: string;
    }
  | { readonly status: 'failed'; readonly failure: Failure; readonly detail: string; readonly heard?: Heard }
  | { readonly status: 'canceled'; readonly actor: string; readonly reason: string; readonly heard?: Heard };

/**
 * Of a run of a discussion: GitHub's id of the newest comment when it read them, 0 if there was none; missing if it has read
 * nothing. GitHub's ids grow, so no clock is compared.
 */
export type Heard = number;

/** The outcome of a run that left no work behind. */
export type UnfinishedOutcome = Exclude<RunOutcome, { status: 'succeeded' }>;
