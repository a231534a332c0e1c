/** What of GitHub's webhooks the policy looks at, free of GitHub's spelling and of everything else. */
import type { GoneReason, IssueRef } from '../issue/facts.ts';
import type { Sender } from './senders.ts';
import { readStatusMarkers } from '../messages/status-comment.ts';

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
  | { readonly name: 'repository' }
  | {
      /** What the platform's app may see of an account's repositories. */
      readonly name: 'installation' | 'installation_repositories';
      /** The account that it is installed for. */
      readonly account: string | null;
      /** Those that it is taken away from, by id; null where GitHub names none, and all of the account's are meant. */
      readonly repositories: readonly number[] | null;
    }
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
  if (changed) return changed.issue;
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

/** Repositories in which nothing can be done any more: these, or all of an owner's. */
export interface GoneRepositories {
  readonly reason: Exclude<GoneReason, 'not_shown'>;
  readonly repositories: readonly number[];
  readonly owner: string | null;
}

/**
 * The repositories in which nothing can be done any more by what an event says (docs/reliability.md T21). One that moved to another
 * owner is the same one under another name (T20).
 */
export function goneRepositories(event: WebhookEvent): GoneRepositories | undefined {
  const { action } = event;
  if (event.name === 'repository') {
    const ended = action === 'archived' || action === 'deleted';
    return ended && event.repository ? { reason: action, repositories: [event.repository.id], owner: null } : undefined;
  }
  if (event.name !== 'installation' && event.name !== 'installation_repositories') return undefined;
  const { name, repositories, account } = event;
  const removed = name === 'installation' ? action === 'deleted' : action === 'removed';
  if (!removed && !(name === 'installation' && action === 'suspend')) return undefined;
  const reason = removed ? 'app_removed' : 'app_suspended';
  return { reason, repositories: repositories ?? [], owner: repositories === null ? account : null };
}
