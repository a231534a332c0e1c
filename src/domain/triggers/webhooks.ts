/** The parts of GitHub's webhooks that the policy evaluates. */
import type { GoneReason, IssueRef } from '../issue/facts.ts';
import type { Sender } from './senders.ts';
import { readStatusMarkers } from '../messages/status-comment.ts';

export interface RepositoryName {
  readonly id: number;
  readonly owner: string;
  readonly name: string;
  /** If the payload names it. */
  readonly defaultBranch?: string;
}

interface PullRequestFacts {
  readonly number: number;
  readonly url: string;
  readonly headRef: string;
  /** The commit at the head, if the payload names it. */
  readonly headSha?: string | null;
  /** Null when the fork is gone. A branch in a fork is never the platform's. */
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
        /** GitHub sends comments on pull requests as comments on issues. */
        readonly isPullRequest: boolean;
      };
      readonly comment: {
        readonly id: number;
        readonly body: string;
        /** Of the body, as hex; see `comparable` of src/domain/run/requests.ts. */
        readonly sha256: string;
        /** The author's account id, if the payload names it. */
        readonly author: number | null;
        /** Before it was edited. */
        readonly before: string | null;
        /** `created_at`, ISO 8601. */
        readonly at: string;
      };
    }
  | {
      readonly name: 'pull_request_review';
      readonly pullRequest: PullRequestFacts;
      readonly review: {
        readonly id: number;
        readonly state: string;
        /** The reviewed commit, if the payload names it. */
        readonly commit?: string | null;
      };
    }
  | {
      readonly name: 'label';
      /** The label's name, and its name before a rename. */
      readonly label: string;
      /** GitHub's id of the label, if the payload names it. */
      readonly labelId?: number;
      readonly before: string | null;
    }
  | { readonly name: 'push'; readonly ref: string; readonly deleted: boolean }
  | { readonly name: 'repository' }
  | {
      /** A change of the repositories that the platform's app has access to. */
      readonly name: 'installation' | 'installation_repositories';
      /** The account that the app is installed for. */
      readonly account: string | null;
      /**
       * The ids of the repositories that it lost access to; null if the payload names none and all of the account's are meant.
       */
      readonly repositories: readonly number[] | null;
    }
  | { readonly name: 'other' }
);

/** The run and issue of a status comment that somebody other than its author has edited or deleted. */
export function changedStatusComment({
  action,
  sender,
  comment,
}: Extract<WebhookEvent, { name: 'issue_comment' }>): ReturnType<typeof readStatusMarkers> {
  const changed = action === 'deleted' || action === 'edited';
  if (!changed || (sender !== null && sender.id === comment.author)) return undefined;
  return readStatusMarkers(comment.before ?? '') ?? readStatusMarkers(comment.body);
}

/** The number of the event's issue: the issue itself, or that of the pull request's branch. */
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

/** A comment is about an issue's runs if somebody created it on the issue, or if it is a status comment that was changed. */
function issueOfComment(event: Extract<WebhookEvent, { name: 'issue_comment' }>): number | undefined {
  const { action, issue, comment } = event;
  const changed = changedStatusComment(event);
  if (changed) return changed.issue;
  const said = action === 'created' && !issue.isPullRequest && !comment.body.startsWith('<!-- codex-k8s:');
  return said ? issue.number : undefined;
}

/** The reference of the event's issue, if it has one. */
export function issueRefOf(
  event: WebhookEvent,
  ofBranch: (branch: string) => number | undefined,
): IssueRef | undefined {
  const number = issueNumberOf(event, ofBranch);
  if (number === undefined || !event.repository) return undefined;
  return { repositoryId: event.repository.id, owner: event.repository.owner, name: event.repository.name, number };
}

/** Repositories that are gone: those listed, or all of an owner's. */
export interface GoneRepositories {
  readonly reason: Exclude<GoneReason, 'not_shown'>;
  readonly repositories: readonly number[];
  readonly owner: string | null;
}

/**
 * The repositories that an event reports as gone (docs/reliability.md T21). A repository that was transferred to another owner
 * is the same one under another name (T20).
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
