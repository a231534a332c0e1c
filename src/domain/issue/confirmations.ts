/**
 * Confirms with GitHub what a webhook says before it is acted on. The headers of a webhook are not signed, so anybody who holds
 * an old delivery can send it again under a new id: GitHub's own record counts, not the delivery. Pure functions of what was
 * read.
 */
import type { GitHubIssueState, GitHubReviewState, Withdrawal } from './reads.ts';
import type { PlannedRun } from './state.ts';

/**
 * The events whose label one of these people took off, by GitHub's record. An old `unlabeled` delivery that is sent again
 * withdraws nothing, since a label that was put on later has an event of its own (docs/reliability.md T15).
 */
export function withdrawalsIn(
  github: GitHubIssueState,
  events: readonly number[],
  people: readonly number[],
): Withdrawal[] {
  return github.labeled.flatMap((event) => {
    const { takenOffBy } = event.clearedByPlatform ? (lastOf(github) ?? event) : event;
    const theirs = takenOffBy !== null && people.includes(takenOffBy.id);
    return theirs && events.includes(event.id) ? [{ event: event.id, account: takenOffBy.id }] : [];
  });
}

/**
 * The newest event. When the platform cleared the label of a run's own event at the end of an earlier run, the label that is on
 * now stands for that run: whoever takes it off withdraws the run.
 */
function lastOf({ labeled }: GitHubIssueState): GitHubIssueState['labeled'][number] | undefined {
  return labeled.at(-1);
}

/** Why a queued run must not start any more, and who caused that; undefined when it still may. */
export function whyLabelIsGone(
  run: Pick<PlannedRun, 'trigger' | 'label'>,
  github: GitHubIssueState,
): { readonly actor: string; readonly reason: string } | undefined {
  if (!github.open) return { actor: 'GitHub', reason: 'the issue is closed' };
  const event = github.labeled.find(({ id }) => run.trigger.kind === 'label' && run.trigger.event === id);
  const reason = `the label ${run.label} was removed`;
  if (event?.takenOffBy && !event.clearedByPlatform) return { actor: event.takenOffBy.login, reason };
  const stands = github.labels.some((label) => label.trim().toLowerCase() === run.label);
  // If the label is on although this event's label is off, it belongs to a newer event.
  return event || (stands && github.labeled.length === 0) ? undefined : { actor: 'GitHub', reason };
}

/** The code of the reason why a review does not request changes any more; undefined when it does (docs/reliability.md T19). */
export function whyReviewIsStale(github: GitHubReviewState): string | undefined {
  if (!github.pullRequestOpen) return 'pull_request_closed';
  if (github.state === null) return 'review_gone';
  if (github.state === 'dismissed') return 'review_dismissed';
  if (github.state !== 'changes_requested') return 'review_asks_for_nothing';
  if (github.ofEarlierLife) return 'review_of_earlier_life';
  return github.approvedSince ? 'review_superseded' : undefined;
}
