/**
 * What GitHub itself says, asked before a webhook is acted on. A webhook's headers are not signed, so anybody who holds an
 * old delivery can send it again under a new id (reliability.md, finding 1): what ends a run, or starts one, is believed of
 * GitHub and not of the delivery. Pure functions of what was read.
 */
import type { LabelTruth, PlannedRun } from './issue-life.ts';

/** What GitHub says of a pull request. */
export interface PullRequestTruth {
  readonly open: boolean;
  readonly merged: boolean;
}

/** What GitHub says of a repository that it shows. */
export interface RepositoryTruth {
  /** Nothing in it can be changed. */
  readonly archived: boolean;
}

/** What GitHub says of a review that asked for changes. */
export interface ReviewTruth {
  readonly pullRequestOpen: boolean;
  /** GitHub's state of the review in lower case; null when it is gone. */
  readonly state: string | null;
  /** Whether the same person has approved the pull request since. */
  readonly approvedSince: boolean;
  /** Whether it was submitted before the issue was last closed or reopened: it belongs to an earlier life of the issue. */
  readonly ofEarlierLife: boolean;
}

/** A run whose label was taken off, and by whom, by account id. */
export interface Withdrawal {
  readonly trigger: string;
  readonly by: number;
}

/**
 * Those of the runs whose very click one of these people took back, by GitHub's own record: an old `unlabeled` that is sent
 * again takes back nothing, since a label that was put on since has an event of its own (reliability.md T15).
 */
export function withdrawalsIn(truth: LabelTruth, triggers: readonly string[], people: readonly number[]): Withdrawal[] {
  return truth.labeled.flatMap((event) => {
    const trigger = `label:${event.id}`;
    const { takenOffBy } = event.clearedByPlatform ? (lastOf(truth) ?? event) : event;
    const theirs = takenOffBy !== null && people.includes(takenOffBy.id);
    return theirs && triggers.includes(trigger) ? [{ trigger, by: takenOffBy.id }] : [];
  });
}

/**
 * The newest click. A run whose own click the platform has cleared, at the end of an earlier run, stands under it: whoever takes
 * the label off then means that run.
 */
function lastOf({ labeled }: LabelTruth): LabelTruth['labeled'][number] | undefined {
  return labeled.at(-1);
}

/** Why a run that waited under a label must not start any more, and who saw to it; undefined when it still may. */
export function whyLabelIsGone(
  run: Pick<PlannedRun, 'trigger' | 'label'>,
  truth: LabelTruth,
): { readonly by: string; readonly reason: string } | undefined {
  if (!truth.open) return { by: 'GitHub', reason: 'the issue is closed' };
  const event = truth.labeled.find(({ id }) => run.trigger === `label:${id}`);
  const reason = `the label ${run.label} was removed`;
  if (event?.takenOffBy && !event.clearedByPlatform) return { by: event.takenOffBy.login, reason };
  const stands = truth.labels.some((label) => label.trim().toLowerCase() === run.label);
  // What stands there while this click does not is somebody's newer one.
  return event || (stands && truth.labeled.length === 0) ? undefined : { by: 'GitHub', reason };
}

/** Why a review does not ask for changes any more, as a code; undefined when it does (reliability.md T19). */
export function whyReviewIsStale(truth: ReviewTruth): string | undefined {
  if (!truth.pullRequestOpen) return 'pull_request_closed';
  if (truth.state === null) return 'review_gone';
  if (truth.state === 'dismissed') return 'review_dismissed';
  if (truth.state !== 'changes_requested') return 'review_asks_for_nothing';
  if (truth.ofEarlierLife) return 'review_of_earlier_life';
  return truth.approvedSince ? 'review_superseded' : undefined;
}
