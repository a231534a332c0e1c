/**
 * The stateless half of the trigger policy: evaluates a webhook with the repository's binding and the sender's membership,
 * which are checked before anything that could make the platform write on GitHub.
 */
import type { Account, Fact } from '../issue/facts.ts';
import { LABELS } from '../stages/labels.ts';
import { issueOfBranch } from '../issue/names.ts';
import { authorize, type Authorization, type Sender, type Membership } from './senders.ts';
import {
  MODE_DISCUSSION,
  NEED_REVIEWER,
  normalizeLabel,
  triggerLabelsIn,
  triggerOfLabel,
  type TriggerTarget,
} from '../stages/stages.ts';
import { changedStatusComment, goneRepositories, issueNumberOf, type WebhookEvent } from './webhooks.ts';

/** What the store and the read model have of the repository and the sender. */
export interface TriggerContext {
  readonly bound: boolean;
  readonly membership: Membership;
  /** The number of open issues in bound repositories that the delivery reports as gone; set only for such deliveries. */
  readonly openIssues?: number;
  /** Whether a run of the issue waits for an answer. */
  readonly openRequest?: boolean;
}

/** Given by the caller, so that the evaluation stays pure. */
export interface DeliveryIdentity {
  readonly delivery: string;
  readonly receivedAt: string;
  /** The id of the run, if the delivery asks for one. */
  readonly runId: string;
  /** The login under which agents act: a trigger by it needs a person to confirm it. */
  readonly agentLogin?: string;
}

export interface DeliveryDecision {
  readonly status: 'accepted' | 'ignored';
  readonly reason: string;
  /** The fact for the issue's workflow, or for every open issue of a repository that is gone; null if there is none. */
  readonly fact: Fact | null;
}

/** A discussion is led by the role of intake. */
const DISCUSSION: TriggerTarget = { stage: 'intake', kind: 'discussion' };

const NOBODY: Sender = { id: 0, login: '', type: 'User' };

/** Evaluates one delivery. Total: every event has a decision. */
export function evaluate(event: WebhookEvent, context: TriggerContext, identity: DeliveryIdentity): DeliveryDecision {
  switch (event.name) {
    case 'issues':
      return evaluateIssue(event, context, identity);
    case 'pull_request':
      return evaluatePullRequest(event, context, identity);
    case 'pull_request_review':
      return evaluateReview(event, context, identity);
    case 'issue_comment':
      return evaluateComment(event, context, identity);
    case 'label':
      return evaluateLabel(event, context);
    case 'push':
      return evaluatePush(event, context);
    case 'repository':
    case 'installation':
    case 'installation_repositories':
      return evaluateGone(event, context, identity);
    case 'other':
      return accepted('recorded');
  }
}

/** An issue that is deleted or transferred counts as closed (docs/reliability.md T17). */
function goneBy(action: string): 'deleted' | 'transferred' | undefined {
  return action === 'deleted' || action === 'transferred' ? action : undefined;
}

function evaluateIssue(
  event: Extract<WebhookEvent, { name: 'issues' }>,
  { bound, membership }: TriggerContext,
  identity: DeliveryIdentity,
): DeliveryDecision {
  const sender = event.sender ?? NOBODY;
  const from = { delivery: identity.delivery, at: identity.receivedAt, by: account(sender) };
  const noTrigger = 'issue_event_not_trigger_label';

  const gone = goneBy(event.action);
  if (gone) return ignored(noTrigger, bound ? { ...from, kind: 'issue_closed', gone } : null);
  if (event.action === 'closed') return ignored(noTrigger, bound ? { ...from, kind: 'issue_closed' } : null);
  if (event.action === 'reopened') return ignored(noTrigger, bound ? { ...from, kind: 'issue_reopened' } : null);

  const label = event.label === null ? '' : normalizeLabel(event.label);
  const target = triggerOfLabel(label) ?? (label === MODE_DISCUSSION ? DISCUSSION : undefined);
  if (!target) return ignored(noTrigger);

  if (event.action === 'unlabeled') {
    const counts = bound && authorize(sender, membership).permitted;
    return ignored(noTrigger, counts ? { ...from, kind: 'trigger_label_removed', label } : null);
  }
  if (event.action !== 'labeled') return ignored(noTrigger);

  if (!bound) return ignored('repository_not_bound_for_issue_label');
  const refuse = (reason: string, labels: readonly string[]): DeliveryDecision =>
    ignored(reason, { ...from, kind: 'trigger_refused', label, reason, labels });
  if (identity.agentLogin !== undefined && sender.login === identity.agentLogin) return refuse('trigger_by_agent', []);
  const authorization = authorize(sender, membership);
  if (!authorization.permitted) return refusedSender(authorization, refuse);
  const onIssue = triggerLabelsIn([...event.issue.labels, label]);
  if (target.kind === 'discussion' ? onIssue.length > 0 : onIssue.length > 1) {
    const reason =
      target.kind === 'discussion' ? 'discussion_mode_trigger_label_conflict' : 'issue_trigger_label_conflict';
    return refuse(reason, onIssue);
  }
  return {
    status: 'accepted',
    reason: authorization.reason,
    fact: { ...from, kind: 'trigger_label_added', label, target, runId: identity.runId },
  };
}

/** Refuses a sender: the refusal of somebody known becomes a fact and is explained, that of a stranger is not. */
function refusedSender(
  authorization: Extract<Authorization, { permitted: false }>,
  refuse: (reason: string, labels: readonly string[]) => DeliveryDecision,
): DeliveryDecision {
  return authorization.known ? refuse(authorization.reason, []) : ignored(authorization.reason);
}

function evaluatePullRequest(
  event: Extract<WebhookEvent, { name: 'pull_request' }>,
  { bound, membership }: TriggerContext,
  identity: DeliveryIdentity,
): DeliveryDecision {
  if (event.label !== null && normalizeLabel(event.label) === NEED_REVIEWER)
    return evaluateReviewerLabel(event, { bound, membership }, identity);
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

/** A label on a pull request never starts work; `need:reviewer` starts a reviewer. */
function evaluateReviewerLabel(
  event: Extract<WebhookEvent, { name: 'pull_request' }>,
  { bound, membership }: TriggerContext,
  identity: DeliveryIdentity,
): DeliveryDecision {
  if (event.action !== 'labeled' && event.action !== 'unlabeled') return accepted('recorded');
  if (!bound || issueNumberOf(event, issueOfBranch) === undefined) return accepted('recorded');
  const sender = event.sender ?? NOBODY;
  const about = {
    delivery: identity.delivery,
    at: identity.receivedAt,
    by: account(sender),
    label: NEED_REVIEWER,
    pullRequest: event.pullRequest.number,
  };
  if (sender.login === identity.agentLogin) return ignored('trigger_by_agent');
  const authorization = authorize(sender, membership);
  if (!authorization.permitted) {
    const { reason, known } = authorization;
    const isExplained = known && event.action === 'labeled';
    return ignored(reason, isExplained ? { ...about, kind: 'trigger_refused', reason, labels: [] } : null);
  }
  const { reason } = authorization;
  if (event.action === 'unlabeled')
    return { status: 'accepted', reason, fact: { ...about, kind: 'trigger_label_removed' } };
  const target: TriggerTarget = { stage: 'dev', kind: 'review' };
  return { status: 'accepted', reason, fact: { ...about, kind: 'trigger_label_added', target, runId: identity.runId } };
}

/** A comment continues a discussion if the issue has its label, and may answer the open request of a run. */
function evaluateComment(
  event: Extract<WebhookEvent, { name: 'issue_comment' }>,
  { bound, membership, openRequest = false }: TriggerContext,
  identity: DeliveryIdentity,
): DeliveryDecision {
  const { issue, comment } = event;
  const about = { delivery: identity.delivery, at: identity.receivedAt, by: account(event.sender ?? NOBODY) };
  const mirrored = bound ? changedStatusComment(event) : undefined;
  if (mirrored) {
    const fact: Fact = { ...about, kind: 'status_comment_changed', runId: mirrored.runId };
    return { status: 'accepted', reason: 'recorded', fact };
  }
  const discussed = issue.labels.some((label) => normalizeLabel(label) === MODE_DISCUSSION) && !issue.isPullRequest;
  if (!bound || event.action !== 'created' || (!discussed && !openRequest)) return accepted('recorded');
  const sender = event.sender ?? NOBODY;
  const refuse = (reason: string): DeliveryDecision => (openRequest ? ignored(reason) : accepted('recorded'));
  if (sender.login === identity.agentLogin) return refuse('comment_by_agent');
  const authorization = authorize(sender, membership);
  if (!authorization.permitted) return refuse(authorization.reason);
  return {
    status: 'accepted',
    reason: authorization.reason,
    fact: {
      kind: 'comment_added',
      delivery: identity.delivery,
      at: identity.receivedAt,
      by: account(sender),
      comment: comment.id,
      sha256: comment.sha256,
      createdAt: comment.at,
      runId: identity.runId,
    },
  };
}

function evaluateReview(
  event: Extract<WebhookEvent, { name: 'pull_request_review' }>,
  { bound, membership }: TriggerContext,
  identity: DeliveryIdentity,
): DeliveryDecision {
  if (event.action !== 'submitted' || event.review.state !== 'changes_requested') return accepted('recorded');
  if (!bound) return ignored('repository_not_bound_for_issue_label');
  if (issueNumberOf(event, issueOfBranch) === undefined) return ignored('pull_request_review_stage_not_resolved');
  const sender = event.sender ?? NOBODY;
  if (sender.login === identity.agentLogin) return ignored('trigger_by_agent');
  const authorization = authorize(sender, membership);
  const from = { delivery: identity.delivery, at: identity.receivedAt, by: account(sender) };
  if (!authorization.permitted) {
    const { reason, known } = authorization;
    const about = { pullRequest: event.pullRequest.number, review: event.review.id };
    return ignored(reason, known ? { ...from, ...about, kind: 'review_refused', reason } : null);
  }
  return {
    status: 'accepted',
    reason: authorization.reason,
    fact: {
      ...from,
      kind: 'changes_requested',
      pullRequest: event.pullRequest.number,
      pullRequestUrl: short(event.pullRequest.url),
      branch: short(event.pullRequest.headRef),
      review: event.review.id,
      labels: triggerLabelsIn(event.pullRequest.labels),
      runId: identity.runId,
      ...(isOutdated(event) ? { outdated: true } : {}),
    },
  };
}

/**
 * A label of the platform was renamed or deleted in the repository (docs/reliability.md T16): active runs continue, and the new
 * name means nothing. `labels sync` creates the label again.
 */
function evaluateLabel(event: Extract<WebhookEvent, { name: 'label' }>, { bound }: TriggerContext): DeliveryDecision {
  const lost = event.action === 'deleted' ? event.label : event.before;
  const matters = bound && lost !== null && LABELS.some(({ name }) => name === normalizeLabel(lost));
  return accepted(matters ? 'label_catalogue_drift' : 'recorded');
}

function evaluatePush(event: Extract<WebhookEvent, { name: 'push' }>, { bound }: TriggerContext): DeliveryDecision {
  const toMain = event.ref === 'refs/heads/main' || event.ref === 'refs/heads/master';
  if (toMain && !event.deleted && !bound) return ignored('repository_not_bound_for_push_main');
  return accepted('recorded');
}

const GONE = {
  archived: 'repository_archived',
  deleted: 'repository_deleted',
  app_removed: 'app_removed',
  app_suspended: 'app_suspended',
} as const;

/**
 * A repository in which nothing can be done any more (docs/reliability.md T21): every open issue there gets the fact. GitHub
 * itself reports it, so the sender need not be known.
 */
function evaluateGone(
  event: Extract<WebhookEvent, { name: 'repository' | 'installation' | 'installation_repositories' }>,
  { openIssues = 0 }: TriggerContext,
  identity: DeliveryIdentity,
): DeliveryDecision {
  const gone = goneRepositories(event);
  if (!gone) return accepted('recorded');
  if (openIssues === 0) return ignored('no_open_issue_concerned');
  const { reason } = gone;
  const by = account(event.sender ?? NOBODY);
  return {
    status: 'accepted',
    reason: GONE[reason],
    fact: { kind: 'repository_gone', delivery: identity.delivery, at: identity.receivedAt, by, reason },
  };
}

/** Whether somebody pushed after the reviewed commit and before the review was submitted. */
function isOutdated({ review, pullRequest }: Extract<WebhookEvent, { name: 'pull_request_review' }>): boolean {
  const { commit } = review;
  const { headSha } = pullRequest;
  return typeof commit === 'string' && typeof headSha === 'string' && commit !== headSha;
}

function account({ id, login }: Sender): Account {
  return { id, login: short(login) };
}

/** Longer than any login or URL of GitHub; bounded so that a hundred facts fit into one signal (docs/reliability.md T34). */
const SHORT_CHARACTERS = 300;

function short(text: string): string {
  return text.length <= SHORT_CHARACTERS ? text : text.slice(0, SHORT_CHARACTERS).toWellFormed();
}

function accepted(reason: string): DeliveryDecision {
  return { status: 'accepted', reason, fact: null };
}

function ignored(reason: string, fact: Fact | null = null): DeliveryDecision {
  return { status: 'ignored', reason, fact };
}
