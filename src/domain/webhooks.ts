/** What of GitHub's webhooks the policy looks at, free of GitHub's spelling and of everything else. */
import type { IssueRef } from './facts.ts';
import type { Sender } from './senders.ts';
import { readStatusMarkers } from './status-comment.ts';

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
  | {
      readonly name: 'pull_request';
      readonly pullRequest: PullRequestFacts;
      /** The label that was put on or taken off. */
      readonly label: string | null;
    }
  | {
      readonly name: 'issue_comment';
      readonly issue: {
        readonly number: number;
        readonly title: string;
        readonly url: string;
        readonly labels: readonly string[];
        /** GitHub tells of comments on pull requests as of comments on issues. */
        readonly isPullRequest: boolean;
      };
      readonly comment: {
        readonly id: number;
        readonly body: string;
        /** Who wrote it, where the payload says it. */
        readonly author: number | null;
        /** Before it was edited. */
        readonly before: string | null;
        /** When it was made, ISO 8601. */
        readonly at: string;
      };
    }
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
  | {
      readonly name: 'label';
      /** As it is called, and as it was called before it was renamed. */
      readonly label: string;
      readonly before: string | null;
    }
  | { readonly name: 'push'; readonly ref: string; readonly deleted: boolean }
  | { readonly name: 'other' }
);

/** The run whose status comment somebody else than its author has edited or deleted, and the run's issue. */
export function changedStatusComment({
  action,
  sender,
  comment,
}: Extract<WebhookEvent, { name: 'issue_comment' }>): ReturnType<typeof readStatusMarkers> {
  const changed = action === 'deleted' || action === 'edited';
  if (!changed || (sender !== null && sender.id === comment.author)) return undefined;
  return readStatusMarkers(comment.before ?? '') ?? readStatusMarkers(comment.body);
}

/** The issue that an event is about: the issue itself, or the one whose branch the pull request brings. */
export function issueNumberOf(
  event: WebhookEvent,
  ofBranch: (branch: string) => number | undefined,
): number | undefined {
  if (event.name === 'issues') return event.issue.number;
  if (event.name === 'issue_comment') return issueOfComment(event);
  if (event.name !== 'pull_request' && event.name !== 'pull_request_review') return undefined;
  if (event.pullRequest.headRepositoryId !== event.repository?.id) return undefined;
  return ofBranch(event.pullRequest.headRef);
}

/** Of comments only two kinds are about an issue's runs: what people say on it, and what becomes of the platform's own. */
function issueOfComment(event: Extract<WebhookEvent, { name: 'issue_comment' }>): number | undefined {
  const { action, issue, comment } = event;
  const changed = changedStatusComment(event);
  if (changed) return changed.issue ?? issue.number;
  const said = action === 'created' && !issue.isPullRequest && !comment.body.startsWith('<!-- codex-k8s:');
  return said ? issue.number : undefined;
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
