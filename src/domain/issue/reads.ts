/** What a decision reads from GitHub and from the platform's own records, as data, and the answers. */
import type { RunSettings } from '../stages/settings.ts';
import type { Account, IssueRef } from './facts.ts';
import type { Candidates, PriorIssueState } from './gates.ts';

/** A `labeled` event of GitHub. */
export interface LabeledEvent {
  readonly id: number;
  /** The account that put the label on. */
  readonly account: number;
  /** ISO 8601. */
  readonly at: string;
  /** Whether the platform itself took the label off, at the end of an earlier run. */
  readonly clearedByPlatform: boolean;
  /** Who took the label off again, the platform included; null while it is on. */
  readonly takenOffBy: Account | null;
}

/** An issue and one of its labels on GitHub, read just before a launch. */
export interface GitHubIssueState {
  readonly open: boolean;
  readonly title: string;
  readonly labels: readonly string[];
  /** What the read model has of an earlier life of the issue. */
  readonly prior?: PriorIssueState | null;
  /** People who put a label on and may not start runs any more: account id to reason (docs/reliability.md T26). */
  readonly refused?: Readonly<Record<string, string>>;
  /** The issue's pull requests, if the label's stage depends on them. */
  readonly candidates?: Candidates;
  /** All `labeled` events of the label in question since the issue was last closed or reopened, oldest first. */
  readonly labeled: readonly LabeledEvent[];
}

/** A pull request on GitHub. */
export interface GitHubPullRequestState {
  readonly open: boolean;
  readonly merged: boolean;
}

/** A repository that GitHub shows. */
export interface GitHubRepositoryState {
  /** True if the repository is read-only. */
  readonly archived: boolean;
}

/** A review on GitHub that requested changes. */
export interface GitHubReviewState {
  readonly pullRequestOpen: boolean;
  /** GitHub's state of the review in lower case; null when it is gone. */
  readonly state: string | null;
  /** Whether the same person has approved the pull request since. */
  readonly approvedSince: boolean;
  /** Whether it was submitted before the issue was last closed or reopened: it belongs to an earlier life of the issue. */
  readonly ofEarlierLife: boolean;
}

/** A `labeled` event whose label was taken off again, and the account that did it. */
export interface Withdrawal {
  readonly event: number;
  readonly account: number;
}

/** Something to be read before a decision. `issue` may be a pull request of the issue. */
export type Read =
  /**
   * Everything that is read before a launch, in one step. GitHub may list the `labeled` events of `facts` some seconds late.
   */
  | {
      readonly kind: 'trigger';
      readonly issue: IssueRef;
      readonly label: string;
      readonly facts: readonly { readonly account: number; readonly at: string; readonly taken: number }[];
      readonly branches: number;
      readonly people: readonly number[];
    }
  /** The issue and its labels. */
  | { readonly kind: 'issue'; readonly issue: IssueRef; readonly label: string }
  | { readonly kind: 'review'; readonly issue: IssueRef; readonly pullRequest: number; readonly review: number }
  /** Which of these `labeled` events were withdrawn by one of these people. */
  | {
      readonly kind: 'withdrawals';
      readonly issue: IssueRef;
      readonly label: string;
      readonly events: readonly number[];
      readonly people: readonly number[];
    }
  | { readonly kind: 'pull_request'; readonly issue: IssueRef; readonly pullRequest: number }
  | { readonly kind: 'repository'; readonly issue: IssueRef }
  | { readonly kind: 'settings'; readonly repositoryId: number };

/** The value of each kind of read. */
export interface ReadValues {
  /** `settings` are null if the repository is not bound to a project any more. */
  readonly trigger: { readonly issue: GitHubIssueState; readonly settings: RunSettings | null };
  readonly issue: GitHubIssueState;
  readonly review: GitHubReviewState;
  readonly withdrawals: readonly Withdrawal[];
  readonly pull_request: GitHubPullRequestState;
  readonly repository: GitHubRepositoryState;
  readonly settings: RunSettings;
}

/** A value, or the message of the error. */
export type Answer<Value = unknown> = { readonly value: Value } | { readonly failed: string };

/** A read and its answer. */
export interface Reading {
  readonly read: Read;
  readonly answer: Answer;
}
