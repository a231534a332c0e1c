/**
 * The facts that an issue's workflow learns. Plain JSON: they are stored in Postgres and sent through Temporal and
 * continue-as-new.
 */
import type { RunWait } from '../run/waits.ts';
import type { RunOutcome, UnfinishedOutcome } from '../run/runs.ts';
import type { TriggerTarget } from '../stages/stages.ts';

/** A GitHub account. */
export interface Account {
  readonly id: number;
  readonly login: string;
}

/** An issue, by GitHub's numeric repository id: a rename or a transfer changes the names only. */
export interface IssueRef {
  readonly repositoryId: number;
  readonly owner: string;
  readonly name: string;
  readonly number: number;
}

/** Facts from webhooks name their delivery; they are already evaluated. */
interface FromDelivery {
  readonly delivery: string;
  readonly by: Account;
  /** When the delivery arrived, ISO 8601. */
  readonly at: string;
}

/** Why nothing can be done in a repository. `not_shown`: GitHub answers 404 for it, and does not say why. */
export type GoneReason = 'archived' | 'deleted' | 'app_removed' | 'app_suspended' | 'not_shown';

export type Fact =
  /** Somebody who may start runs put a trigger label on. `runId`: the id of the run that may come of it. */
  | (FromDelivery & {
      readonly kind: 'trigger_label_added';
      readonly label: string;
      readonly target: TriggerTarget;
      readonly runId: string;
      /** The pull request that the label is on; missing if it is on the issue. */
      readonly pullRequest?: number;
      /** GitHub's id of the `labeled` event; missing in facts from webhooks, which do not name it. */
      readonly event?: number;
    })
  /** Somebody who may start runs took a trigger label off. */
  | (FromDelivery & { readonly kind: 'trigger_label_removed'; readonly label: string; readonly pullRequest?: number })
  /** A trigger that is refused, of somebody who gets an explanation. */
  | (FromDelivery & {
      readonly kind: 'trigger_refused';
      readonly label: string;
      readonly reason: string;
      readonly labels: readonly string[];
      readonly pullRequest?: number;
      readonly event?: number;
    })
  | (FromDelivery & {
      readonly kind: 'changes_requested';
      readonly pullRequest: number;
      readonly pullRequestUrl: string;
      /** Its branch. */
      readonly branch: string;
      readonly review: number;
      /** The trigger labels on the pull request. */
      readonly labels: readonly string[];
      readonly runId: string;
      /** Set when the review is of a commit that was not the head of the pull request any more (docs/reliability.md T19). */
      readonly outdated?: true;
    })
  /** Somebody who may not start runs requested changes, and gets an explanation. */
  | (FromDelivery & {
      readonly kind: 'review_refused';
      readonly pullRequest: number;
      readonly review: number;
      readonly reason: string;
    })
  /** Somebody who may start runs commented on an issue that is being discussed, or whose run waits for an answer. */
  | (FromDelivery & {
      readonly kind: 'comment_added';
      readonly comment: number;
      /** The hash of what its author wrote (SHA-256 of the webhook's body, as hex): anybody may edit it before it is read. */
      readonly sha256: string;
      /** The comment's `created_at`, ISO 8601. */
      readonly createdAt: string;
      readonly runId: string;
    })
  /** Somebody other than the platform edited or deleted a run's status comment. */
  | (FromDelivery & { readonly kind: 'status_comment_changed'; readonly runId: string })
  | (FromDelivery & { readonly kind: 'pull_request_closed'; readonly pullRequest: number; readonly merged: boolean })
  /**
   * `gone`: set if the webhook says that the issue was deleted or transferred; GitHub is asked in any case (docs/reliability.md
   * T17).
   */
  | (FromDelivery & { readonly kind: 'issue_closed'; readonly gone?: 'deleted' | 'transferred' })
  | (FromDelivery & { readonly kind: 'issue_reopened' })
  /**
   * Nothing can be done any more in the issue's repository (docs/reliability.md T21). Every open issue there gets this fact.
   */
  | (FromDelivery & { readonly kind: 'repository_gone'; readonly reason: GoneReason })
  | { readonly kind: 'run_finished'; readonly runId: string; readonly outcome: RunOutcome }
  /** A run waits for people; it has no agent meanwhile. */
  | { readonly kind: 'run_waiting'; readonly runId: string; readonly wait: RunWait }
  /** A run's wait is over, and it continues. */
  | { readonly kind: 'run_resumed'; readonly runId: string }
  /** A run's workflow was ended from outside, before it could show its end. */
  | { readonly kind: 'run_lost'; readonly runId: string; readonly outcome: UnfinishedOutcome }
  | { readonly kind: 'cancel_requested'; readonly runId: string; readonly actor: string; readonly reason: string };

/** A webhook's report of a label that was put on: a request, or a refusal that was decided when the delivery was evaluated. */
export type LabelFact = Extract<Fact, { kind: 'trigger_label_added' | 'trigger_refused' }>;

export function isLabelFact(fact: Fact): fact is LabelFact {
  return fact.kind === 'trigger_label_added' || fact.kind === 'trigger_refused';
}

/** The label, and the pull request it is on: facts with the same subject are confirmed by one look at GitHub. */
export function labelSubject({ label, pullRequest }: LabelFact): string {
  return pullRequest === undefined ? label : `${label} #${pullRequest}`;
}

/** `seq` is the position in the issue's inbox; facts that come from within (a run's end, a cancel request) have none. */
export interface ObservedFact {
  readonly seq: number | null;
  readonly fact: Fact;
}

/** `issue:<repository id>#<number>`: the workflow's id and the key of the read model. */
export function issueKey(issue: Pick<IssueRef, 'repositoryId' | 'number'>): string {
  return `issue:${issue.repositoryId}#${issue.number}`;
}

/** Whether a fact starts a workflow for its issue; the others go only to one that is running. */
export function startsWorkflow(fact: Fact): boolean {
  if (fact.kind === 'changes_requested') return true;
  // A reviewer works on an issue that is open, and that has a workflow then.
  return (fact.kind === 'trigger_label_added' || fact.kind === 'trigger_refused') && fact.pullRequest === undefined;
}
