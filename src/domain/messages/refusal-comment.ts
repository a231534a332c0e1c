/** The comment that says why a label started no run, in the project's language. */
import type { Locale } from '../locale.ts';
import { commentTexts } from './comment-texts.ts';

/** Why nothing was started, and what caused it. */
export interface Refusal {
  readonly reason: string;
  /** Labels that stand against each other or in the way, or those that would be possible. */
  readonly labels: readonly string[];
  readonly actor: string;
  /** What it is about, for the marker: a delivery, an event, a review. Said once for each. */
  readonly subject: string;
}

/** The hidden line by which the comment is found again. */
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

/** What is to be done with the labels; undefined where none are named, or one that stands in nobody's way. */
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
