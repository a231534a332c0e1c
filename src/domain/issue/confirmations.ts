/**
 * What GitHub itself says, asked before a webhook is acted on. A webhook's headers are not signed, so anybody who holds an
 * old delivery can send it again under a new id: what ends a run, or starts one, is believed of GitHub and not of the delivery.
 * Pure functions of what was read.
 */
import type { GitHubIssueState, GitHubReviewState, Withdrawal } from './reads.ts';
import type { PlannedRun } from './state.ts';

/**
 * Those of the clicks that one of these people took back, by GitHub's own record: an old `unlabeled` that is sent
 * again takes back nothing, since a label that was put on since has an event of its own (reliability.md T15).
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
 * The newest click. A run whose own click the platform has cleared, at the end of an earlier run, stands under it: whoever takes
 * the label off then means that run.
 */
function lastOf({ labeled }: GitHubIssueState): GitHubIssueState['labeled'][number] | undefined {
  return labeled.at(-1);
}

/** Why a run that waited under a label must not start any more, and who saw to it; undefined when it still may. */
export function whyLabelIsGone(
  run: Pick<PlannedRun, 'trigger' | 'label'>,
  github: GitHubIssueState,
): { readonly actor: string; readonly reason: string } | undefined {
  if (!github.open) return { actor: 'GitHub', reason: 'the issue is closed' };
  const event = github.labeled.find(({ id }) => run.trigger.kind === 'label' && run.trigger.event === id);
  const reason = `the label ${run.label} was removed`;
  if (event?.takenOffBy && !event.clearedByPlatform) return { actor: event.takenOffBy.login, reason };
  const stands = github.labels.some((label) => label.trim().toLowerCase() === run.label);
  // What stands there while this click does not is somebody's newer one.
  return event || (stands && github.labeled.length === 0) ? undefined : { actor: 'GitHub', reason };
}

/** Why a review does not ask for changes any more, as a code; undefined when it does (reliability.md T19). */
export function whyReviewIsStale(github: GitHubReviewState): string | undefined {
  if (!github.pullRequestOpen) return 'pull_request_closed';
  if (github.state === null) return 'review_gone';
  if (github.state === 'dismissed') return 'review_dismissed';
  if (github.state !== 'changes_requested') return 'review_asks_for_nothing';
  if (github.ofEarlierLife) return 'review_of_earlier_life';
  return github.approvedSince ? 'review_superseded' : undefined;
}
