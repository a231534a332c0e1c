/** The comment that says why a label started no run (requirements.md 2.2 rows 3, 7-9), in the project's language. */
import { commentTexts, type Locale } from './comment-texts.ts';

/** Why nothing was started, and what caused it. */
export interface Refusal {
  readonly reason: string;
  /** Labels that stand against each other, if that is the reason. */
  readonly labels: readonly string[];
  readonly by: string;
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
    `@${refusal.by}: ${refused.reasons[refusal.reason] ?? refused.unknown}`,
  ];
  if (refusal.labels.length > 1)
    lines.push([refused.remove, ...refusal.labels.map((label) => `- \`${label}\``)].join('\n'));
  lines.push(`${refused.code}: \`${refusal.reason}\``);
  return lines.join('\n\n');
}
