/** What a decision asks the workflow to do, as data. Effects are performed in order, each after the one before it. */
import type { Heard, UnfinishedOutcome } from '../run/runs.ts';
import type { Trigger } from '../run/trigger.ts';
import type { RunSettings } from '../stages/settings.ts';
import type { Stage } from '../stages/stages.ts';
import type { Fact, IssueRef } from './facts.ts';
import type { LastWork, PriorIssueState, PullRequestRef } from './gates.ts';
import type { PlannedRun, Workspace } from './state.ts';

/** An event for the audit trail and the issue's page. */
export interface FlowEvent {
  readonly type: string;
  readonly payload: Readonly<Record<string, unknown>>;
  /** Who did it, as the audit trail names them: a login, as a rule. Missing: the system. */
  readonly actor?: string;
  readonly runId?: string;
  readonly correlationId?: string;
}

/** An issue's row in the read model. */
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

/** How a run without a workflow is shown: its position in the issue's queue, from 1, or its outcome. */
export type Shown = { readonly queuePosition: number } | { readonly outcome: UnfinishedOutcome; readonly at: string };

/** The input of a run. */
export interface RunStart {
  readonly issue: IssueRef;
  readonly issueTitle: string;
  readonly plan: PlannedRun;
  readonly settings: RunSettings;
  readonly workspace: Workspace;
  /** The conversation that the run resumes. */
  readonly resume: LastWork | { readonly runId: string; readonly threadId: string } | null;
  /** Of a discussion: everything that was written until then is answered. ISO 8601. */
  readonly answeredUntil?: string;
  /** Of a discussion: the newest comment that is answered; it counts instead of the time. */
  readonly heard?: Heard;
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
  /** Shows a run that has no workflow to show it: it was never started, or was ended from outside. */
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
  /** A comment that says why no run was started, once for each subject. `issue` may be a pull request. */
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
   * Removes a label from the issue (which may be a pull request), and adds one to it and to the pull request. `waits`:
   * `as_courtesy` gives up after some minutes; nothing waits for `in_background`.
   */
  | {
      readonly kind: 'move_labels';
      readonly issue: IssueRef;
      readonly remove: string | null;
      readonly add: string | null;
      readonly pullRequest: number | null;
      readonly waits: 'until_done' | 'as_courtesy' | 'in_background';
    }
  /**
   * Takes `state:in-review` off the issue and its pull request, unless GitHub shows the pull request as open; `evenIfOpen`: the
   * issue is closed. Nothing waits for it.
   */
  | { readonly kind: 'end_review'; readonly issue: IssueRef; readonly pullRequest: number; readonly evenIfOpen?: true }
  /** A reaction to a comment; nothing waits for it. */
  | { readonly kind: 'react'; readonly trigger: Trigger; readonly content: 'eyes' | '+1' }
  /** Restores a run's status comment; nothing waits for it. */
  | { readonly kind: 'restore_status_comment'; readonly change: StatusCommentChange }
  /** Shows in the status comments of the newest `runs` runs what happened to the workspace; nothing waits for it. */
  | { readonly kind: 'show_workspace_end'; readonly runs: number }
  | {
      readonly kind: 'cancel_run';
      readonly runId: string;
      readonly actor: string;
      readonly reason: string;
      /** The pull request that was merged meanwhile: the run then counts as succeeded. */
      readonly merged: PullRequestRef | null;
    }
  /** Somebody commented while a run waits for an answer. */
  | {
      readonly kind: 'comment_answers';
      readonly runId: string;
      readonly comment: number;
      /** Of what its author wrote. */
      readonly sha256: string;
      readonly actor: string;
    }
  | { readonly kind: 'stop_agent'; readonly runId: string; readonly workspace: string }
  /** Revokes the token, releases the permit and closes the open request of a run whose workflow cannot. */
  | { readonly kind: 'end_run'; readonly runId: string }
  /** Returns as `workspace_removed`. */
  | { readonly kind: 'remove_workspace'; readonly workspace: Workspace; readonly reason: string }
  | { readonly kind: 'release_slot' }
  /** Returns as `slot_leased`, or as `run_not_started` when no slot is free. */
  | { readonly kind: 'lease_slot'; readonly runId: string; readonly template: string; readonly settings: RunSettings }
  /** Returns as `run_started` or `run_not_started`, and much later as `run_finished` or `run_lost`. */
  | { readonly kind: 'start_run'; readonly label: string; readonly start: RunStart }
  /**
   * Returns as this fact at once: a decision of its own, whose reads may take long, after the effects before it. It is always
   * the last effect.
   */
  | { readonly kind: 'go_on'; readonly fact: NextStep }
  /** These in parallel. */
  | { readonly kind: 'at_once'; readonly effects: readonly Effect[] };

/** A next step that is decided by itself. */
type NextStep =
  /** No run is active: start the next one, if it is still wanted. */
  | { readonly kind: 'start_next' }
  /** The agent of a lost run is stopped, and its token is revoked. */
  | { readonly kind: 'run_stopped'; readonly runId: string; readonly outcome: UnfinishedOutcome };

/** The result of an effect that something depends on. These facts never leave the workflow. */
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
      /** Removed; held by something, and being deleted; or not removed. */
      readonly result: { readonly removed: true } | { readonly held: string } | { readonly failed: string };
    }
  /** The time that the state was waiting for has come. */
  | { readonly kind: 'time_passed' };
