/**
 * An agent's latest messages, in the status comment of its run. The workflow that renders the comment does not have them, so it
 * leaves a marker, which is replaced when the comment is written.
 */
import type { Locale } from '../locale.ts';
import { inOneLine, quoted } from './markdown.ts';
import type { RunStatus } from '../run/runs.ts';

/** A message of an agent. */
export interface OutputLine {
  readonly at: Date;
  readonly text: string;
}

/** The number of messages that are shown. */
export const LATEST_OUTPUT = 3;

const LONGEST = 200;

const TITLES: Readonly<Record<Locale, string>> = {
  en: 'Latest output of the agent (UTC)',
  ru: 'Последние сообщения агента (UTC)',
};

const STATUS_TITLES: Readonly<Record<Locale, string>> = {
  en: 'What the agent is doing (UTC)',
  ru: 'Чем занят агент (UTC)',
};

const SHOWN: ReadonlySet<RunStatus> = new Set(['working', 'publishing', 'failed']);

/** The marker that is replaced by them; empty in states in which they are not shown. */
export function latestOutputMarker(status: RunStatus, locale: Locale): string {
  return SHOWN.has(status) ? markerOf(locale) : '';
}

function markerOf(locale: Locale): string {
  return `<!-- codex-k8s:latest-output ${locale} -->`;
}

/** The comment with the statuses that the agent reported and its latest messages; both oldest first. */
export function withLatestOutput(
  body: string,
  messages: readonly OutputLine[],
  statuses: readonly OutputLine[] = [],
): string {
  for (const locale of Object.keys(TITLES) as Locale[]) {
    const marker = `\n\n${markerOf(locale)}`;
    // Texts by people and agents are above the marker, so the last one is the platform's.
    const start = body.lastIndexOf(marker);
    if (start === -1) continue;
    const shown = section(STATUS_TITLES[locale], statuses) + section(TITLES[locale], messages);
    return body.slice(0, start) + shown + body.slice(start + marker.length);
  }
  return body;
}

function section(title: string, said: readonly OutputLine[]): string {
  if (said.length === 0) return '';
  const lines = said.map(({ at, text }) => `${at.toISOString().slice(11, 19)}  ${inOneLine(text, LONGEST)}`);
  return `\n\n**${title}**\n\n${quoted(lines.join('\n'))}`;
}
