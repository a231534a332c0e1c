/** What an issue's workflow learns. Plain JSON: facts lie in Postgres, cross into Temporal and through continue-as-new. */
import type { RunWait } from '../run/waits.ts';
import type { RunOutcome, UnfinishedOutcome } from '../run/runs.ts';
import type { TriggerTarget } from '../stages/stages.ts';

/** A GitHub account. */
export interface Account {
  readonly id: number;
  readonly login: string;
}

/** An issue, by GitHub's numeric repository id: renames and transfers change the names only. */
export interface IssueRef {
  readonly repositoryId: number;
  readonly owner: string;
  readonly name: string;
  readonly number: number;
}

/** Facts from webhooks carry the delivery that brought them, and are judged at the edge already. */
interface FromDelivery {
  readonly delivery: string;
  readonly by: Account;
  /** When the delivery arrived, ISO 8601. */
  readonly at: string;
}

/** Why nothing can be done in a repository. `not_shown`: GitHub does not show it to the platform, and does not say why. */
export type GoneReason = 'archived' | 'deleted' | 'app_removed' | 'app_suspended' | 'not_shown';

export type Fact =
  /** Somebody who may put a trigger label on. `runId` names the run, should it come to one. */
  | (FromDelivery & {
      readonly kind: 'trigger_label_added';
      readonly label: string;
      readonly target: TriggerTarget;
      readonly runId: string;
      /** The pull request that the label is on, where it is not the issue itself. */
      readonly pullRequest?: number;
      /** The id of GitHub's `labeled` event, where it is known: a webhook does not name it, a sweep does. */
      readonly event?: number;
    })
  /** A trigger label was taken off by somebody who may. */
  | (FromDelivery & { readonly kind: 'trigger_label_removed'; readonly label: string; readonly pullRequest?: number })
  /** A trigger that cannot run, by somebody who may know why. */
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
      /** Set when it was given on a commit that was not the head of the pull request any more (reliability.md T19). */
      readonly outdated?: true;
    })
  /** Changes were requested by somebody who may not start runs, and may know why. */
  | (FromDelivery & {
      readonly kind: 'review_refused';
      readonly pullRequest: number;
      readonly review: number;
      readonly reason: string;
    })
  /** Somebody who may said something on an issue that is being discussed. */
  | (FromDelivery & {
      readonly kind: 'comment_added';
      readonly comment: number;
      /** When it was made by GitHub's clock, ISO 8601. */
      readonly saidAt: string;
      readonly runId: string;
    })
  /** Somebody else edited or deleted a run's status comment. */
  | (FromDelivery & { readonly kind: 'status_comment_changed'; readonly runId: string })
  | (FromDelivery & { readonly kind: 'pull_request_closed'; readonly pullRequest: number; readonly merged: boolean })
  /** `gone`: how GitHub says that it went, where that is told; GitHub is asked all the same (reliability.md T17). */
  | (FromDelivery & { readonly kind: 'issue_closed'; readonly gone?: 'deleted' | 'transferred' })
  | (FromDelivery & { readonly kind: 'issue_reopened' })
  /** Nothing can be done any more in the issue's repository (reliability.md T21). ReceivedDelivery to each open issue of it. */
  | (FromDelivery & { readonly kind: 'repository_gone'; readonly reason: GoneReason })
  | { readonly kind: 'run_finished'; readonly runId: string; readonly outcome: RunOutcome }
  /** A run waits for people; none of its agents works meanwhile. */
  | { readonly kind: 'run_waiting'; readonly runId: string; readonly wait: RunWait }
  /** What a run waited for has come, and it goes on. */
  | { readonly kind: 'run_resumed'; readonly runId: string }
  /** A run's workflow was ended from outside, before it could show its end. */
  | { readonly kind: 'run_lost'; readonly runId: string; readonly outcome: UnfinishedOutcome }
  | { readonly kind: 'cancel_requested'; readonly runId: string; readonly actor: string; readonly reason: string };

/** What webhooks say of a label that was put on: by somebody who may, or refused at the edge for a reason of its own. */
export type LabelFact = Extract<Fact, { kind: 'trigger_label_added' | 'trigger_refused' }>;

export function isLabelFact(fact: Fact): fact is LabelFact {
  return fact.kind === 'trigger_label_added' || fact.kind === 'trigger_refused';
}

/** What one look at GitHub answers: a label on the issue, or on one of its pull requests. */
export function labelSubject({ label, pullRequest }: LabelFact): string {
  return pullRequest === undefined ? label : `${label} #${pullRequest}`;
}

/** `seq` is the place in the issue's inbox; facts that come from within (a run's end, a person's cancel) have none. */
export interface ObservedFact {
  readonly seq: number | null;
  readonly fact: Fact;
}

/** `issue:<repository id>#<number>`: the workflow's id and the key of the read model. */
export function issueKey(issue: Pick<IssueRef, 'repositoryId' | 'number'>): string {
  return `issue:${issue.repositoryId}#${issue.number}`;
}

/** Whether a fact is worth a workflow of its own; the others go only to one that lives. */
export function startsWorkflow(fact: Fact): boolean {
  if (fact.kind === 'changes_requested') return true;
  // A reviewer is for an issue that is open, and has a workflow then.
  return (fact.kind === 'trigger_label_added' || fact.kind === 'trigger_refused') && fact.pullRequest === undefined;
}
