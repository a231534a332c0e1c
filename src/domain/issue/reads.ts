/** What a decision asks of GitHub and of the platform's own records, as data, and what they answer. */
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
  /** Whether the platform took the label off since: at the end of an earlier run, and not because anybody asked. */
  readonly clearedByPlatform: boolean;
  /** Who took the label off again, the platform included; null while nobody has. */
  readonly takenOffBy: Account | null;
}

/** What GitHub itself says of an issue and a label, read just before a launch. */
export interface GitHubIssueState {
  readonly open: boolean;
  readonly title: string;
  readonly labels: readonly string[];
  /** What the read model knows of an earlier life of the issue. */
  readonly prior?: PriorIssueState | null;
  /** People who put a label on and may not start runs any more, by account id, with the reason (reliability.md T26). */
  readonly refused?: Readonly<Record<string, string>>;
  /** The issue's pull requests, where the label's stage needs to know. */
  readonly candidates?: Candidates;
  /** All `labeled` events of the label in question since the issue was last closed or reopened, oldest first. */
  readonly labeled: readonly LabeledEvent[];
}

/** What GitHub says of a pull request. */
export interface GitHubPullRequestState {
  readonly open: boolean;
  readonly merged: boolean;
}

/** What GitHub says of a repository that it shows. */
export interface GitHubRepositoryState {
  /** Nothing in it can be changed. */
  readonly archived: boolean;
}

/** What GitHub says of a review that asked for changes. */
export interface GitHubReviewState {
  readonly pullRequestOpen: boolean;
  /** GitHub's state of the review in lower case; null when it is gone. */
  readonly state: string | null;
  /** Whether the same person has approved the pull request since. */
  readonly approvedSince: boolean;
  /** Whether it was submitted before the issue was last closed or reopened: it belongs to an earlier life of the issue. */
  readonly ofEarlierLife: boolean;
}

/** A click whose label was taken off again, by its event, and by whom, by account id. */
export interface Withdrawal {
  readonly event: number;
  readonly account: number;
}

/** Something that has to be known before it can be decided. `issue` may be a pull request of the issue. */
export type Read =
  /** All that is asked before a launch, in one step; GitHub may list the clicks of `facts` some seconds late. */
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
  /** Which of these clicks were taken back by one of these people. */
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

/** What each kind of read gives. */
export interface ReadValues {
  /** `settings` are null for a repository that is bound to no project any more. */
  readonly trigger: { readonly issue: GitHubIssueState; readonly settings: RunSettings | null };
  readonly issue: GitHubIssueState;
  readonly review: GitHubReviewState;
  readonly withdrawals: readonly Withdrawal[];
  readonly pull_request: GitHubPullRequestState;
  readonly repository: GitHubRepositoryState;
  readonly settings: RunSettings;
}

/** A value, or the words in which it was refused. */
export type Answer<Value = unknown> = { readonly value: Value } | { readonly failed: string };

/** A read and its answer: what `decide` is given as what GitHub says. */
export interface Reading {
  readonly read: Read;
  readonly answer: Answer;
}
