/** What of GitHub's webhooks the policy looks at, free of GitHub's spelling and of everything else. */
import type { IssueRef } from './facts.ts';
import type { Sender } from './senders.ts';

export interface RepositoryName {
  readonly id: number;
  readonly owner: string;
  readonly name: string;
}

interface PullRequestFacts {
  readonly number: number;
  readonly url: string;
  readonly headRef: string;
  /** The commit at the head, where the payload says it. */
  readonly headSha?: string | null;
  /** Null when the fork is gone. A branch of ours in somebody's fork is not ours. */
  readonly headRepositoryId: number | null;
  readonly labels: readonly string[];
  readonly merged: boolean;
}

export type WebhookEvent = {
  readonly action: string;
  readonly repository: RepositoryName | null;
  readonly sender: Sender | null;
} & (
  | {
      readonly name: 'issues';
      readonly issue: {
        readonly number: number;
        readonly title: string;
        readonly url: string;
        readonly labels: readonly string[];
      };
      /** The label that was put on or taken off. */
      readonly label: string | null;
    }
  | { readonly name: 'pull_request'; readonly pullRequest: PullRequestFacts }
  | {
      readonly name: 'pull_request_review';
      readonly pullRequest: PullRequestFacts;
      readonly review: {
        readonly id: number;
        readonly state: string;
        /** The commit that was reviewed, where the payload says it. */
        readonly commit?: string | null;
      };
    }
  | { readonly name: 'push'; readonly ref: string; readonly deleted: boolean }
  | { readonly name: 'other' }
);

/** The issue that an event is about: the issue itself, or the one whose branch the pull request brings. */
export function issueNumberOf(
  event: WebhookEvent,
  ofBranch: (branch: string) => number | undefined,
): number | undefined {
  if (event.name === 'issues') return event.issue.number;
  if (event.name !== 'pull_request' && event.name !== 'pull_request_review') return undefined;
  if (event.pullRequest.headRepositoryId !== event.repository?.id) return undefined;
  return ofBranch(event.pullRequest.headRef);
}

/** The full reference of the event's issue, when it has one. */
export function issueRefOf(
  event: WebhookEvent,
  ofBranch: (branch: string) => number | undefined,
): IssueRef | undefined {
  const number = issueNumberOf(event, ofBranch);
  if (number === undefined || !event.repository) return undefined;
  return { repositoryId: event.repository.id, owner: event.repository.owner, name: event.repository.name, number };
}
