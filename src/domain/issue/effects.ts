/** What a decision has the workflow do, as data. They are performed in their order, each when the one before it is done. */
import type { UnfinishedOutcome } from '../run/runs.ts';
import type { Trigger } from '../run/trigger.ts';
import type { RunSettings } from '../stages/settings.ts';
import type { Stage } from '../stages/stages.ts';
import type { Fact, IssueRef } from './facts.ts';
import type { LastWork, PriorIssueState, PullRequestRef } from './gates.ts';
import type { PlannedRun, Workspace } from './state.ts';

/** Something that happened, for the audit trail and the issue's page. */
export interface FlowEvent {
  readonly type: string;
  readonly payload: Readonly<Record<string, unknown>>;
  /** Who did it, as the audit trail names them: a login, as a rule. Missing: the system. */
  readonly actor?: string;
  readonly runId?: string;
  readonly correlationId?: string;
}

/** An issue as it is shown. */
export interface IssueRow {
  readonly key: string;
  readonly repositoryId: number;
  readonly number: number;
  readonly title: string;
  readonly url: string;
  readonly state: 'working' | 'closed' | 'waiting';
  readonly waitingFor: string | null;
  readonly stage: Stage | null;
  readonly activeRunId: string | null;
  readonly queued: number;
  readonly pullRequest: number | null;
  readonly workspace: string | null;
  readonly past: PriorIssueState | null;
  readonly revision: number;
  readonly updatedAt: string;
}

/** What is shown of a run that has no workflow: its position in the issue's queue, from 1, or how it ended. */
export type Shown = { readonly queuePosition: number } | { readonly outcome: UnfinishedOutcome; readonly at: string };

/** What a run begins with. */
export interface RunStart {
  readonly issue: IssueRef;
  readonly issueTitle: string;
  readonly plan: PlannedRun;
  readonly settings: RunSettings;
  readonly workspace: Workspace;
  /** The conversation that it goes on with. */
  readonly resume: LastWork | { readonly runId: string; readonly threadId: string } | null;
  /** Of a discussion: what was said up to then is answered, ISO 8601. */
  readonly answeredUntil?: string;
  readonly pullRequest: PullRequestRef | null;
  readonly branch: string;
  /** The head of the branch after the last run that succeeded on it. */
  readonly since: string | null;
  /** Whether merging the pull request closes the issue. */
  readonly closes: boolean;
}

type StatusCommentChange = Extract<Fact, { kind: 'status_comment_changed' }>;

export type Effect =
  | {
      readonly kind: 'record_issue';
      readonly row: IssueRow;
      readonly startedAt: string;
      readonly events: readonly FlowEvent[];
    }
  /** Shows a run whose workflow cannot: it never began, or was ended from outside. */
  | {
      readonly kind: 'show_run';
      readonly plan: PlannedRun;
      readonly revision: number;
      /** Null: only in the read model, since the repository is bound to no project any more. */
      readonly settings: RunSettings | null;
      readonly branch: string;
      readonly pullRequest: PullRequestRef | null;
      readonly shown: Shown;
    }
  /** A comment that says why nothing was started, once for each subject. `issue` may be a pull request. */
  | {
      readonly kind: 'write_refusal';
      readonly issue: IssueRef;
      readonly refusal: {
        readonly reason: string;
        readonly labels: readonly string[];
        readonly actor: string;
        readonly subject: string;
      };
      readonly locale: RunSettings['locale'];
    }
  /**
   * Takes a label off the issue (which may be a pull request), and puts one on it and on the pull request. `waits`: a
   * courtesy is given up after some minutes, and nothing waits for what is done in the background.
   */
  | {
      readonly kind: 'move_labels';
      readonly issue: IssueRef;
      readonly remove: string | null;
      readonly add: string | null;
      readonly pullRequest: number | null;
      readonly waits: 'until_done' | 'as_courtesy' | 'in_background';
    }
  /** A reaction to a comment; nothing waits for it. */
  | { readonly kind: 'react'; readonly trigger: Trigger; readonly content: 'eyes' | '+1' }
  /** Makes a run's status comment right again; nothing waits for it. */
  | { readonly kind: 'restore_status_comment'; readonly change: StatusCommentChange }
  /** Says in the status comments of the newest `runs` runs what became of the workspace; nothing waits for it. */
  | { readonly kind: 'show_workspace_end'; readonly runs: number }
  | {
      readonly kind: 'cancel_run';
      readonly runId: string;
      readonly actor: string;
      readonly reason: string;
      /** The pull request that was merged meanwhile, so that the run has what it was for. */
      readonly merged: PullRequestRef | null;
    }
  /** Somebody made a comment while a run waits for an answer. */
  | { readonly kind: 'comment_answers'; readonly runId: string; readonly comment: number; readonly actor: string }
  | { readonly kind: 'stop_agent'; readonly runId: string; readonly workspace: string }
  /** Takes its token, its permit and its open request from a run whose workflow cannot. */
  | { readonly kind: 'end_run'; readonly runId: string }
  /** Comes back as `workspace_removed`. */
  | { readonly kind: 'remove_workspace'; readonly workspace: Workspace; readonly reason: string }
  | { readonly kind: 'release_slot' }
  /** Comes back as `slot_leased`, or as `run_not_started` when there is none. */
  | { readonly kind: 'lease_slot'; readonly runId: string; readonly template: string; readonly settings: RunSettings }
  /** Comes back as `run_started` or `run_not_started`, and much later as `run_finished` or `run_lost`. */
  | { readonly kind: 'start_run'; readonly label: string; readonly start: RunStart }
  /**
   * Comes back as this fact at once: what is decided then may wait for what it has to read, when the effects before it are
   * done. Nothing comes after it.
   */
  | { readonly kind: 'go_on'; readonly fact: NextStep }
  /** These side by side. */
  | { readonly kind: 'at_once'; readonly effects: readonly Effect[] };

/** The next step of what a fact means, a decision of its own. */
type NextStep =
  /** Nobody works: the next one begins, if any is still wanted. */
  | { readonly kind: 'start_next' }
  /** The agent of a lost run is stopped, and nothing opens anything for it any more. */
  | { readonly kind: 'run_stopped'; readonly runId: string; readonly outcome: UnfinishedOutcome };

/** What became of an effect, where something depends on it. Facts that never leave the workflow. */
export type ResultFact =
  | NextStep
  | { readonly kind: 'run_started'; readonly runId: string }
  | {
      readonly kind: 'run_not_started';
      readonly runId: string;
      readonly reason: string;
      /** The run has a workflow of an earlier time, which shows it. */
      readonly exists?: true;
    }
  | {
      readonly kind: 'slot_leased';
      readonly runId: string;
      readonly name: string;
      readonly settings: RunSettings;
    }
  | {
      readonly kind: 'workspace_removed';
      readonly workspace: Workspace;
      readonly reason: string;
      /** Removed; held by something, and on its way out; or still there. */
      readonly result: { readonly removed: true } | { readonly held: string } | { readonly failed: string };
    }
  /** The time has come that the state wakes at. */
  | { readonly kind: 'time_passed' };
