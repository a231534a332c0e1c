/**
 * The stateless half of the trigger policy (requirements.md 2.2): what a webhook means, judged at the edge from the
 * delivery and from what the read model knows. Binding and sender come before anything that could make the platform
 * speak on GitHub (9.2 B13).
 */
import type { Account, Fact } from './facts.ts';
import { issueOfBranch } from './names.ts';
import { authorize, type Authorization, type Sender, type Standing } from './senders.ts';
import { normalizeLabel, stageRow, triggerLabelsIn, triggerOfLabel } from './stages.ts';
import { issueNumberOf, type WebhookEvent } from './webhooks.ts';

/** What the read model says of the repository and the sender. */
export interface Knowledge {
  readonly bound: boolean;
  readonly standing: Standing;
}

/** Given by the caller, so that judging stays pure. */
export interface DeliveryIdentity {
  readonly delivery: string;
  readonly receivedAt: string;
  /** The run's id, should the delivery ask for one. */
  readonly runId: string;
}

export interface Judgement {
  readonly status: 'accepted' | 'ignored';
  readonly reason: string;
  /** What the issue's workflow is to be told, if anything. */
  readonly fact: Fact | null;
}

const NOBODY: Sender = { id: 0, login: '', type: 'User' };

/** Judges one delivery. Total: every event has an answer. */
export function judge(event: WebhookEvent, knowledge: Knowledge, identity: DeliveryIdentity): Judgement {
  switch (event.name) {
    case 'issues':
      return judgeIssue(event, knowledge, identity);
    case 'pull_request':
      return judgePullRequest(event, knowledge, identity);
    case 'pull_request_review':
      return judgeReview(event, knowledge, identity);
    case 'push':
      return judgePush(event, knowledge);
    case 'other':
      return accepted('recorded');
  }
}

/** An issue that is deleted or moved away is over here as one that is closed; GitHub is asked which (reliability.md T17). */
const ENDINGS = new Set(['closed', 'deleted', 'transferred']);

function judgeIssue(
  event: Extract<WebhookEvent, { name: 'issues' }>,
  { bound, standing }: Knowledge,
  identity: DeliveryIdentity,
): Judgement {
  const sender = event.sender ?? NOBODY;
  const from = { delivery: identity.delivery, at: identity.receivedAt, by: account(sender) };
  const noTrigger = 'issue_event_not_trigger_label';

  if (ENDINGS.has(event.action)) return ignored(noTrigger, bound ? { ...from, kind: 'issue_closed' } : null);
  if (event.action === 'reopened') return ignored(noTrigger, bound ? { ...from, kind: 'issue_reopened' } : null);

  const label = event.label === null ? '' : normalizeLabel(event.label);
  const target = triggerOfLabel(label);
  if (!target) return ignored(noTrigger);

  if (event.action === 'unlabeled') {
    const counts = bound && authorize(sender, standing).permitted;
    return ignored(noTrigger, counts ? { ...from, kind: 'trigger_label_removed', label } : null);
  }
  if (event.action !== 'labeled') return ignored(noTrigger);

  if (!bound) return ignored('repository_not_bound_for_issue_label');
  const authorization = authorize(sender, standing);
  const refuse = (reason: string, labels: readonly string[]): Judgement =>
    ignored(reason, { ...from, kind: 'trigger_refused', label, reason, labels });

  if (!authorization.permitted) return refusedSender(authorization, refuse);
  const onIssue = triggerLabelsIn([...event.issue.labels, label]);
  if (onIssue.length > 1) return refuse('issue_trigger_label_conflict', onIssue);
  if (!stageRow(target.stage).launchable) return refuse('stage_not_launchable', [label]);
  return {
    status: 'accepted',
    reason: authorization.reason,
    fact: { ...from, kind: 'trigger_label_added', label, target, runId: identity.runId },
  };
}

/** A stranger is refused in silence; somebody the platform knows is told why. */
function refusedSender(
  authorization: Extract<Authorization, { permitted: false }>,
  refuse: (reason: string, labels: readonly string[]) => Judgement,
): Judgement {
  return authorization.known ? refuse(authorization.reason, []) : ignored(authorization.reason);
}

function judgePullRequest(
  event: Extract<WebhookEvent, { name: 'pull_request' }>,
  { bound }: Knowledge,
  identity: DeliveryIdentity,
): Judgement {
  if (event.action !== 'closed' || !bound || issueNumberOf(event, issueOfBranch) === undefined)
    return accepted('recorded');
  return {
    status: 'accepted',
    reason: 'recorded',
    fact: {
      kind: 'pull_request_closed',
      delivery: identity.delivery,
      at: identity.receivedAt,
      by: account(event.sender ?? NOBODY),
      pullRequest: event.pullRequest.number,
      merged: event.pullRequest.merged,
    },
  };
}

function judgeReview(
  event: Extract<WebhookEvent, { name: 'pull_request_review' }>,
  { bound, standing }: Knowledge,
  identity: DeliveryIdentity,
): Judgement {
  if (event.action !== 'submitted' || event.review.state !== 'changes_requested') return accepted('recorded');
  if (!bound) return ignored('repository_not_bound_for_issue_label');
  if (issueNumberOf(event, issueOfBranch) === undefined) return ignored('pull_request_review_stage_not_resolved');
  const sender = event.sender ?? NOBODY;
  const authorization = authorize(sender, standing);
  if (!authorization.permitted) return ignored(authorization.reason);
  return {
    status: 'accepted',
    reason: authorization.reason,
    fact: {
      kind: 'changes_requested',
      delivery: identity.delivery,
      at: identity.receivedAt,
      by: account(sender),
      pullRequest: event.pullRequest.number,
      pullRequestUrl: short(event.pullRequest.url),
      review: event.review.id,
      labels: triggerLabelsIn(event.pullRequest.labels),
      runId: identity.runId,
      ...(isOutdated(event) ? { outdated: true } : {}),
    },
  };
}

function judgePush(event: Extract<WebhookEvent, { name: 'push' }>, { bound }: Knowledge): Judgement {
  const toMain = event.ref === 'refs/heads/main' || event.ref === 'refs/heads/master';
  if (toMain && !event.deleted && !bound) return ignored('repository_not_bound_for_push_main');
  return accepted('recorded');
}

/** Whether the review is of a commit that somebody pushed over before it was submitted. */
function isOutdated({ review, pullRequest }: Extract<WebhookEvent, { name: 'pull_request_review' }>): boolean {
  const { commit } = review;
  const { headSha } = pullRequest;
  return typeof commit === 'string' && typeof headSha === 'string' && commit !== headSha;
}

function account({ id, login }: Sender): Account {
  return { id, login: short(login) };
}

/** Longer than any login or address that GitHub gives out; a hundred facts are to fit one signal (reliability.md T34). */
const SHORT_CHARACTERS = 300;

function short(text: string): string {
  return text.length <= SHORT_CHARACTERS ? text : text.slice(0, SHORT_CHARACTERS).toWellFormed();
}

function accepted(reason: string): Judgement {
  return { status: 'accepted', reason, fact: null };
}

function ignored(reason: string, fact: Fact | null = null): Judgement {
  return { status: 'ignored', reason, fact };
}
