/** Webhook events for the policy's tests: the plainest of each kind, changed where a test needs it. */
import type { Membership } from '../../src/domain/triggers/senders.ts';
import type { DeliveryIdentity, TriggerContext } from '../../src/domain/triggers/triggers.ts';
import type { WebhookEvent } from '../../src/domain/triggers/webhooks.ts';

type IssuesEvent = Extract<WebhookEvent, { name: 'issues' }>;
type PullRequestEvent = Extract<WebhookEvent, { name: 'pull_request' }>;
type ReviewEvent = Extract<WebhookEvent, { name: 'pull_request_review' }>;

export const OLIVIA = { id: 11, login: 'olivia', type: 'User' };
export const REPOSITORY = { id: 4242, owner: 'acme', name: 'demo' };
export const IDENTITY: DeliveryIdentity = {
  delivery: '6c9b2a2e-0000-4000-8000-000000000001',
  receivedAt: '2026-11-21T10:00:00.000Z',
  runId: '0f0f0f0f-0000-4000-8000-000000000002',
};

export const MEMBER: Membership = { platformRole: null, projectRole: 'read_write', known: true };
export const STRANGER: Membership = { platformRole: null, projectRole: null, known: false };

export function knowing(membership: Membership, bound: boolean): TriggerContext {
  return { bound, membership };
}

/** `issues` with an action; the label put on is on the issue as well, as GitHub shows it. */
export function issuesEvent(action: string, label: string | null, more: Partial<IssuesEvent> = {}): IssuesEvent {
  return {
    name: 'issues',
    action,
    repository: REPOSITORY,
    sender: OLIVIA,
    issue: {
      number: 7,
      title: 'Count words',
      url: 'https://github.com/acme/demo/issues/7',
      labels: label !== null && action === 'labeled' ? [label] : [],
    },
    label,
    ...more,
  };
}

/** `labeled` on an issue that carries these labels. */
export function labeled(label: string, onIssue: readonly string[] = [label]): IssuesEvent {
  const event = issuesEvent('labeled', label);
  return { ...event, issue: { ...event.issue, labels: onIssue } };
}

export function pullRequestEvent(
  action: string,
  more: Partial<PullRequestEvent['pullRequest']> = {},
): PullRequestEvent {
  return {
    name: 'pull_request',
    action,
    label: null,
    repository: REPOSITORY,
    sender: OLIVIA,
    pullRequest: {
      number: 8,
      url: 'https://github.com/acme/demo/pull/8',
      headRef: 'codex/issue-7',
      headRepositoryId: REPOSITORY.id,
      labels: [],
      merged: false,
      ...more,
    },
  };
}

export function reviewEvent(
  state: string,
  more: Partial<ReviewEvent['pullRequest']> = {},
  action = 'submitted',
): ReviewEvent {
  const { pullRequest, ...common } = pullRequestEvent(action, more);
  return { ...common, name: 'pull_request_review', pullRequest, review: { id: 99, state } };
}

export function pushEvent(ref: string, deleted: boolean): WebhookEvent {
  return { name: 'push', action: '', repository: REPOSITORY, sender: OLIVIA, ref, deleted };
}
