/** The comment that explains why no run was started, in the project's language. */
import type { Locale } from '../locale.ts';
import { commentTexts } from './comment-texts.ts';

/** Why no run was started. */
export interface Refusal {
  readonly reason: string;
  /** Labels that conflict or block, or those that would be possible. */
  readonly labels: readonly string[];
  readonly actor: string;
  /** The refused trigger, for the marker: a delivery, an event or a review. There is one comment for each. */
  readonly subject: string;
}

/** The hidden marker by which the comment is found again. */
export function refusalMarker(refusal: Refusal): string {
  return `<!-- codex-k8s:refusal ${refusal.reason} ${refusal.subject} -->`;
}

/** Renders the whole comment. */
export function renderRefusal(refusal: Refusal, locale: Locale): string {
  const { refused } = commentTexts(locale);
  const lines = [
    refusalMarker(refusal),
    `### ${refused.title}`,
    `@${refusal.actor}: ${refused.reasons[refusal.reason] ?? refused.unknown}`,
  ];
  const lead = leadOf(refusal, refused);
  if (lead !== undefined) lines.push([lead, ...refusal.labels.map((label) => `- \`${label}\``)].join('\n'));
  lines.push(`${refused.code}: \`${refusal.reason}\``);
  return lines.join('\n\n');
}

/** The sentence before the list of labels; undefined if there is nothing to do about them. */
function leadOf(
  { reason, labels }: Refusal,
  { remove, takeOff, possible }: ReturnType<typeof commentTexts>['refused'],
): string | undefined {
  if (labels.length === 0) return undefined;
  if (reason.endsWith('_label_conflict')) return labels.length > 1 ? remove : undefined;
  if (reason === 'state_blocked' || reason === 'needs_input') return takeOff;
  return SUGGESTING.has(reason) ? possible : undefined;
}

const SUGGESTING: ReadonlySet<string> = new Set([
  'stage_not_in_profile',
  'stage_entry_not_met',
  'issue_trigger_candidate_not_found',
  'pull_request_review_stage_ambiguous',
  'pull_request_review_stage_not_resolved',
]);
