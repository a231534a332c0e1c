/** Which events on GitHub no webhook reported: the decisions of the reconcile sweep (docs/decisions.md, 3). Pure. */
import { isTerminal, type RunStatus } from '../run/runs.ts';
import { parseTrigger, renderTrigger } from '../run/trigger.ts';
import type { Sender } from '../triggers/senders.ts';
import { normalizeLabel, triggerLabel, triggerLabelsIn, type RunKind, type Stage } from '../stages/stages.ts';

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

/** A stored delivery, reduced to what identifies the event that it reported. */
export interface ReceivedDelivery {
  readonly action: string;
  /** The number of the pull request, if the event is about one. */
  readonly pullRequest: number | null;
  readonly label: string | null;
  readonly sender: number | null;
  readonly review: number | null;
  /** Whether it was accepted, not ignored. */
  readonly accepted: boolean;
  /** The `updated_at` of the issue or pull request in the payload, ISO 8601. */
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

/** The platform's records of an issue. */
export interface IssueRecords {
  /** Its row in the read model; null when it has no workflow. */
  readonly shown: {
    readonly state: 'working' | 'waiting' | 'closed';
    readonly activeRunId: string | null;
    readonly pullRequest: number | null;
  } | null;
  readonly runs: readonly KnownRun[];
  readonly received: readonly ReceivedDelivery[];
  /** Ids of deliveries that the platform has made itself before ({@link reconcileId}). */
  readonly deliveries: ReadonlySet<string>;
}

/** What counts as missed: events older than `graceMs` (webhooks may be late) and newer than `since`. */
export interface Missing {
  readonly now: number;
  readonly graceMs: number;
  /** When the repository was bound, ISO 8601. */
  readonly since: string;
  /**
   * Since when (ISO 8601) a label is known to have its name: GitHub may show an earlier event of the label that had another name
   * then under the present one. Missing: since the repository was bound.
   */
  readonly namedSince?: Readonly<Record<string, string>>;
}

/** The prefix of ids of deliveries that the platform makes itself, for events that no webhook reported. */
const OWN_DELIVERY = 'reconcile-';

/** True for the id of a delivery that the platform made itself; GitHub never gives such an id. */
export function isOwnDeliveryId(id: string): boolean {
  return id.startsWith(OWN_DELIVERY);
}

/** The delivery id for an event that no webhook reported; always the same for the same event. */
export function reconcileId(event: Pick<HistoryEvent, 'id'>): string {
  return `${OWN_DELIVERY}${event.id}`;
}

/** The delivery id for a review that no webhook reported; always the same for the same review. */
export function reconcileReviewId(review: Pick<ChangeRequest, 'id'>): string {
  return `${OWN_DELIVERY}review-${review.id}`;
}

/**
 * Events of an issue that no webhook reported: the `labeled` event of each trigger label that is on, the removal of the
 * label of a run that works or waits, and the close.
 */
export function missedOnIssue(truth: IssueOnGitHub, records: IssueRecords, when: Missing): readonly HistoryEvent[] {
  const { shown, runs } = records;
  const lastStateChange = truth.history.findLast(({ event }) => event === 'closed' || event === 'reopened');
  if (!truth.open) {
    const lives = shown !== null && shown.state !== 'closed';
    return lives && lastStateChange?.event === 'closed' && isMissed(lastStateChange, null, records, when)
      ? [lastStateChange]
      : [];
  }
  const applied = triggerLabelsIn(truth.labels).flatMap((label) => {
    const labeled = truth.history.findLast(({ event, label: name }) => event === 'labeled' && name === label);
    const isOld = lastStateChange !== undefined && labeled !== undefined && labeled.id < lastStateChange.id;
    const hadOtherName =
      labeled !== undefined && Date.parse(labeled.at) <= Date.parse(when.namedSince?.[label] ?? when.since);
    const hasRun = runs.some((run) => labeled !== undefined && labelEventOf(run) === labeled.id);
    return labeled && !isOld && !hadOtherName && !hasRun && isMissedLabel(labeled, records, when) ? [labeled] : [];
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
  return [...removals, ...applied];
}

/** GitHub's id of the `labeled` event that asked for a run; undefined for other triggers. */
function labelEventOf({ trigger }: KnownRun): number | undefined {
  const asked = parseTrigger(trigger);
  return asked?.kind === 'label' ? asked.event : undefined;
}

/** A `labeled` event that was accepted and has no run after so many grace periods is reported once more, with its id. */
const ACCEPTED_GRACE_PERIODS = 10;

/**
 * A `labeled` event that a webhook reported is known, even if it was ignored. If it was accepted, there should be a run; the
 * issue's workflow, which knows the events that it has processed, decides whether it was lost.
 */
function isMissedLabel(labeled: HistoryEvent, records: IssueRecords, when: Missing): boolean {
  if (isMissed(labeled, null, records, when)) return true;
  const ignored = records.received.filter(({ accepted }) => !accepted);
  return isMissed(
    labeled,
    null,
    { ...records, received: ignored },
    { ...when, graceMs: ACCEPTED_GRACE_PERIODS * when.graceMs },
  );
}

/** The close of the issue's pull request, if no webhook reported it. */
export function missedOnPullRequest(
  number: number,
  truth: PullRequestOnGitHub,
  records: IssueRecords,
  when: Missing,
): readonly HistoryEvent[] {
  const lastStateChange = truth.history.findLast(({ event }) => event === 'closed' || event === 'reopened');
  const waitsForIt = records.shown?.pullRequest === number && records.shown.state !== 'closed';
  if (truth.open || !waitsForIt || lastStateChange?.event !== 'closed') return [];
  return isMissed(lastStateChange, number, records, when) ? [lastStateChange] : [];
}

/**
 * Requests for changes that no webhook reported. A revise reads every review that exists when it starts, so earlier ones are
 * answered, reported or not.
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

/** GitHub's times are in whole seconds. An event that is taken for missed by mistake is dropped by the workflow, as a duplicate. */
function seconds(at: string): number {
  return Math.floor(Date.parse(at) / 1000);
}

/** The event that a stored delivery reported, from its parsed body; null for kinds of events that are not reconciled. */
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
