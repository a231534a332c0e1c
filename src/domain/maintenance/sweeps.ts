/**
 * What sweeps decide (docs/decisions.md, 3 and 10): which failed deliveries are asked for again, what GitHub shows that
 * nobody told of, which runs are lost, which workspaces are nobody's. Pure: times are ISO 8601, spans are milliseconds.
 */
import { isTerminal, type RunStatus } from '../run/runs.ts';
import { parseTrigger, renderTrigger } from '../run/trigger.ts';
import type { Sender } from '../triggers/senders.ts';
import { normalizeLabel, triggerLabel, triggerLabelsIn, type RunKind, type Stage } from '../stages/stages.ts';

/** One attempt of GitHub to hand over a delivery; all attempts of a delivery share its guid. */
export interface DeliveryAttempt {
  readonly id: number;
  readonly guid: string;
  /** ISO 8601. */
  readonly deliveredAt: string;
  /** What the server answered; GitHub's own 502 or 504 when nobody did, 0 when there was no attempt yet. */
  readonly statusCode: number;
  /** Set while GitHub holds a delivery back; it sends it later by itself. */
  readonly throttledAt: string | null;
}

export interface RedeliveryPlan {
  /** The newest failed attempt of each delivery that is to be sent again now, oldest delivery first. */
  readonly resend: readonly DeliveryAttempt[];
  /** Deliveries that are worth another attempt later, or over this sweep's limit. */
  readonly waiting: number;
  /** Deliveries that will not be asked for any more. */
  readonly givenUp: number;
  /** Deliveries that failed and were kept since. */
  readonly recovered: number;
}

/** GitHub keeps a delivery this long, and sends none again that is older. */
export const DELIVERIES_KEPT_MS = 3 * 24 * 3_600_000;

/** A second attempt waits so long after the first, and each further one twice as long as the one before. */
const FIRST_WAIT_MS = 4 * 60_000;
const LONGEST_WAIT_MS = 6 * 3_600_000;

/** What this server refuses it refuses again, unless its secret was being rotated: few attempts, and an end. */
const ATTEMPTS_REFUSED = 3;
const ATTEMPTS = 12;

/** GitHub sends what it has throttled by itself; after this long it is taken for failed. */
const THROTTLED_MS = 30 * 60_000;

/**
 * Which deliveries GitHub is to send again. A delivery counts as arrived when one attempt succeeded or when it was `kept`
 * all the same (an answer can be late). The first attempt is made at once, later ones ever more seldom.
 */
export function planRedelivery(
  attempts: readonly DeliveryAttempt[],
  kept: ReadonlySet<string>,
  { now, limit }: { readonly now: number; readonly limit: number },
): RedeliveryPlan {
  const deliveries = [...Map.groupBy(attempts, ({ guid }) => guid)].map(([guid, tries]) => {
    const ordered = tries.toSorted((one, other) => Date.parse(one.deliveredAt) - Date.parse(other.deliveredAt));
    return { arrived: kept.has(guid) || tries.some(succeeded), tries: ordered, failed: ordered.filter(hasFailed(now)) };
  });
  const failed = deliveries.filter((delivery) => delivery.failed.length > 0);
  const open = failed.filter(({ arrived }) => !arrived);
  const wanted = open.filter(({ failed }) => isWorthIt(failed, now));
  const due = wanted
    .filter((delivery) => delivery.tries.length === delivery.failed.length)
    .filter(({ failed }) => Date.parse(newest(failed).deliveredAt) + waitAfter(failed.length) <= now)
    .toSorted((one, other) => Date.parse(first(one.failed).deliveredAt) - Date.parse(first(other.failed).deliveredAt));
  const resend = due.slice(0, limit).map((delivery) => newest(delivery.failed));
  return {
    resend,
    waiting: wanted.length - resend.length,
    givenUp: open.length - wanted.length,
    recovered: failed.length - open.length,
  };
}

/** Whether GitHub counts an attempt as good. */
function succeeded({ statusCode }: Pick<DeliveryAttempt, 'statusCode'>): boolean {
  return statusCode >= 200 && statusCode < 400;
}

function hasFailed(now: number): (attempt: DeliveryAttempt) => boolean {
  return (attempt) =>
    !succeeded(attempt) && (attempt.throttledAt === null || Date.parse(attempt.throttledAt) + THROTTLED_MS <= now);
}

function isWorthIt(failed: readonly DeliveryAttempt[], now: number): boolean {
  const { statusCode } = newest(failed);
  const refused = statusCode >= 400 && statusCode < 500;
  return (
    failed.length < (refused ? ATTEMPTS_REFUSED : ATTEMPTS) &&
    Date.parse(first(failed).deliveredAt) + DELIVERIES_KEPT_MS > now
  );
}

function waitAfter(attempts: number): number {
  return attempts === 1 ? 0 : Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** (attempts - 2));
}

function first(attempts: readonly DeliveryAttempt[]): DeliveryAttempt {
  return attempts[0] as DeliveryAttempt;
}

function newest(attempts: readonly DeliveryAttempt[]): DeliveryAttempt {
  return attempts.at(-1) as DeliveryAttempt;
}

/** An entry of an issue's or a pull request's history on GitHub. Ids are unique on all of GitHub, and grow. */
export interface HistoryEvent {
  readonly id: number;
  readonly event: 'labeled' | 'unlabeled' | 'closed' | 'reopened';
  /** The label in lower case, for the first two. */
  readonly label: string | null;
  readonly by: Sender;
  /** ISO 8601. */
  readonly at: string;
}

/** An issue as GitHub shows it, with its history, oldest first. */
export interface IssueOnGitHub {
  readonly open: boolean;
  readonly labels: readonly string[];
  readonly history: readonly HistoryEvent[];
}

/** A pull request as GitHub shows it, with its history, oldest first. */
export interface PullRequestOnGitHub {
  readonly open: boolean;
  readonly history: readonly HistoryEvent[];
  /** The newest request for changes of each reviewer that was neither dismissed nor followed by an approval. */
  readonly changeRequests: readonly ChangeRequest[];
}

export interface ChangeRequest {
  readonly id: number;
  readonly by: Sender;
  /** ISO 8601. */
  readonly at: string;
}

/** A delivery that is kept, as far as it says what it told of. */
export interface ReceivedDelivery {
  readonly action: string;
  /** Of the pull request, when it told of one; else null. */
  readonly pullRequest: number | null;
  readonly label: string | null;
  readonly sender: number | null;
  readonly review: number | null;
  /** Whether it was accepted, not ignored. */
  readonly accepted: boolean;
  /** When the issue or pull request had last changed when GitHub told, by GitHub's clock. ISO 8601. */
  readonly changedAt: string | null;
}

/** A run as the read model shows it. */
export interface KnownRun {
  readonly id: string;
  readonly trigger: string;
  readonly stage: Stage;
  readonly kind: RunKind;
  readonly status: RunStatus;
  /** ISO 8601. */
  readonly startedAt: string | null;
}

/** What the platform knows of an issue. */
export interface IssueRecords {
  /** As its workflow last showed it; null when it has none. */
  readonly shown: {
    readonly state: 'working' | 'waiting' | 'closed';
    readonly activeRunId: string | null;
    readonly pullRequest: number | null;
  } | null;
  readonly runs: readonly KnownRun[];
  readonly received: readonly ReceivedDelivery[];
  /** Synthetic deliveries that were made before, see {@link reconcileId}. */
  readonly deliveries: ReadonlySet<string>;
}

/** What counts as missed. Webhooks get the time of `graceMs`; what happened before `since` is none of the platform's. */
export interface Missing {
  readonly now: number;
  readonly graceMs: number;
  /** When the repository was bound, ISO 8601. */
  readonly since: string;
}

/** How the ids of deliveries begin that the platform makes itself, for events that nobody told of. */
const OWN_DELIVERY = 'reconcile-';

/** Whether a delivery's id is one that only the platform gives, never GitHub. */
export function isOwnDeliveryId(id: string): boolean {
  return id.startsWith(OWN_DELIVERY);
}

/** The id of the one delivery that ever stands for an event that nobody told of. */
export function reconcileId(event: Pick<HistoryEvent, 'id'>): string {
  return `${OWN_DELIVERY}${event.id}`;
}

/** The id of the one delivery that ever stands for a review that nobody told of. */
export function reconcileReviewId(review: Pick<ChangeRequest, 'id'>): string {
  return `${OWN_DELIVERY}review-${review.id}`;
}

/**
 * The events of an issue that the platform should have been told of and was not: of each trigger label that stands the
 * click that put it there, the removal of a label whose run works or waits, and the close.
 */
export function missedOnIssue(truth: IssueOnGitHub, records: IssueRecords, when: Missing): readonly HistoryEvent[] {
  const { shown, runs } = records;
  const lastTurn = truth.history.findLast(({ event }) => event === 'closed' || event === 'reopened');
  if (!truth.open) {
    const lives = shown !== null && shown.state !== 'closed';
    return lives && lastTurn?.event === 'closed' && isMissed(lastTurn, null, records, when) ? [lastTurn] : [];
  }
  const clicks = triggerLabelsIn(truth.labels).flatMap((label) => {
    const click = truth.history.findLast(({ event, label: name }) => event === 'labeled' && name === label);
    const isOld = lastTurn !== undefined && click !== undefined && click.id < lastTurn.id;
    const hasRun = runs.some((run) => click !== undefined && labelEventOf(run) === click.id);
    return click && !isOld && !hasRun && isMissedLabel(click, records, when) ? [click] : [];
  });
  const removals = runs.flatMap((run) => {
    const asked = labelEventOf(run);
    if (asked === undefined || isTerminal(run.status)) return [];
    const label = triggerLabel(run);
    const removal = truth.history.find(
      ({ id, event, label: name }) => event === 'unlabeled' && name === label && id > asked,
    );
    return removal && isMissed(removal, null, records, when) ? [removal] : [];
  });
  return [...removals, ...clicks];
}

/** GitHub's event of the label that asked for a run; undefined when a review did. */
function labelEventOf({ trigger }: KnownRun): number | undefined {
  const asked = parseTrigger(trigger);
  return asked?.kind === 'label' ? asked.event : undefined;
}

/** A click that was accepted and led to nothing in so many times the grace is told of once more, by its event's id. */
const PATIENCE = 10;

/**
 * A click that was told of is known, also when it was refused. One that was accepted should have a run: whether it got lost
 * after all is decided by the issue's workflow, which knows what it has taken up.
 */
function isMissedLabel(click: HistoryEvent, records: IssueRecords, when: Missing): boolean {
  if (isMissed(click, null, records, when)) return true;
  const refused = records.received.filter(({ accepted }) => !accepted);
  return isMissed(click, null, { ...records, received: refused }, { ...when, graceMs: PATIENCE * when.graceMs });
}

/** The close of the issue's pull request, if it was missed. */
export function missedOnPullRequest(
  number: number,
  truth: PullRequestOnGitHub,
  records: IssueRecords,
  when: Missing,
): readonly HistoryEvent[] {
  const lastTurn = truth.history.findLast(({ event }) => event === 'closed' || event === 'reopened');
  const waitsForIt = records.shown?.pullRequest === number && records.shown.state !== 'closed';
  if (truth.open || !waitsForIt || lastTurn?.event !== 'closed') return [];
  return isMissed(lastTurn, number, records, when) ? [lastTurn] : [];
}

/**
 * The requests for changes that were missed. A revise reads all reviews that stand when it starts, so a review before its
 * start is answered already, also when nobody told of it.
 */
export function missedReviews(
  truth: PullRequestOnGitHub,
  { shown, runs, received, deliveries }: IssueRecords,
  when: Missing,
): readonly ChangeRequest[] {
  if (!truth.open || shown === null || shown.state === 'closed') return [];
  return truth.changeRequests.filter((review) => {
    const isKnown =
      deliveries.has(reconcileReviewId(review)) ||
      received.some((delivery) => delivery.review === review.id) ||
      runs.some(({ trigger }) => trigger === renderTrigger({ kind: 'review', review: review.id }));
    const isAnswered = runs.some(
      ({ kind, status, startedAt }) =>
        kind === 'revise' &&
        status !== 'failed' &&
        status !== 'canceled' &&
        (startedAt === null || Date.parse(startedAt) > Date.parse(review.at)),
    );
    return !isKnown && !isAnswered && isDue(review.at, when);
  });
}

function isMissed(
  event: HistoryEvent,
  pullRequest: number | null,
  { received, deliveries }: IssueRecords,
  when: Missing,
): boolean {
  if (deliveries.has(reconcileId(event)) || !isDue(event.at, when)) return false;
  return !received.some(
    (delivery) =>
      delivery.action === event.event &&
      delivery.pullRequest === pullRequest &&
      (event.label === null || (delivery.label === event.label && delivery.sender === event.by.id)) &&
      delivery.changedAt !== null &&
      seconds(delivery.changedAt) >= seconds(event.at),
  );
}

function isDue(at: string, { now, graceMs, since }: Missing): boolean {
  return Date.parse(at) <= now - graceMs && Date.parse(at) > Date.parse(since);
}

/** GitHub's times are in whole seconds. Held for untold wrongly, an event is matched by the workflow, and dropped there. */
function seconds(at: string): number {
  return Math.floor(Date.parse(at) / 1000);
}

/** What a kept delivery tells of, by its parsed body; null for one that tells of nothing that could be missed. */
export function receivedOf(
  { event, action, status }: { readonly event: string; readonly action: string | null; readonly status: string },
  body: unknown,
): ReceivedDelivery | null {
  const {
    issue,
    pull_request: pull,
    label,
    sender,
    review,
  } = body as {
    issue?: { updated_at?: string };
    pull_request?: { number?: number; updated_at?: string };
    label?: { name?: string };
    sender?: { id?: number };
    review?: { id?: number };
  };
  const isReview = event === 'pull_request_review';
  if (!isReview && event !== 'issues' && event !== 'pull_request') return null;
  return {
    action: action ?? '',
    pullRequest: pull?.number ?? null,
    label: label?.name === undefined ? null : normalizeLabel(label.name),
    sender: sender?.id ?? null,
    review: isReview ? (review?.id ?? null) : null,
    accepted: status === 'accepted',
    changedAt: (pull ?? issue)?.updated_at ?? null,
  };
}

/** A workflow as Temporal shows it. */
export type WorkflowStatus =
  | { readonly status: 'open' }
  | { readonly status: 'closed'; readonly closedAt: string }
  | { readonly status: 'absent' };

/**
 * Whether a run that the read model shows at work is lost. Its end takes a moment to be shown, and its beginning too, so
 * that neither is taken for a loss within the grace.
 */
export function isLostRun(
  workflow: WorkflowStatus,
  shownAt: string,
  { now, graceMs }: Pick<Missing, 'now' | 'graceMs'>,
): boolean {
  if (workflow.status === 'open') return false;
  const since = workflow.status === 'closed' ? workflow.closedAt : shownAt;
  return Date.parse(since) <= now - graceMs && Date.parse(shownAt) <= now - graceMs;
}

/** A workspace as a runtime lists it: only such that this platform has made. */
export interface ListedWorkspace {
  readonly name: string;
  /** The issue's key. */
  readonly owner: string;
  /** Runs that ever worked in it. */
  readonly runs: readonly string[];
  /** When it was made, or a run last began in it. ISO 8601. */
  readonly usedAt: string;
}

/** Whether nobody can want a workspace any more: it is old, and neither its issue nor any of its runs has an open workflow. */
export function isOrphan(
  { usedAt }: ListedWorkspace,
  workflows: readonly WorkflowStatus[],
  { now, ageMs }: { readonly now: number; readonly ageMs: number },
): boolean {
  return Date.parse(usedAt) <= now - ageMs && workflows.every(({ status }) => status !== 'open');
}
