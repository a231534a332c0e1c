/**
 * The last things that an agent said, in the status comment of its run. The workflow renders the comment
 * and does not know them: it leaves a place, which is filled where the comment is written.
 */
import type { Locale } from '../locale.ts';
import { inOneLine, quoted } from './markdown.ts';
import type { RunStatus } from '../run/runs.ts';

/** Something that an agent said. */
export interface OutputLine {
  readonly at: Date;
  readonly text: string;
}

/** So many are shown. */
export const LATEST_OUTPUT = 3;

const LONGEST = 200;

const TITLES: Readonly<Record<Locale, string>> = {
  en: 'Latest output of the agent (UTC)',
  ru: 'Последние сообщения агента (UTC)',
};

const SHOWN: ReadonlySet<RunStatus> = new Set(['working', 'publishing', 'failed']);

/** Where they will stand; empty where they are not shown. */
export function latestOutputMarker(status: RunStatus, locale: Locale): string {
  return SHOWN.has(status) ? placeOf(locale) : '';
}

function placeOf(locale: Locale): string {
  return `<!-- codex-k8s:latest-output ${locale} -->`;
}

/** The comment with what the agent said last, the newest below; `words` oldest first. */
export function withLatestOutput(body: string, words: readonly OutputLine[]): string {
  for (const locale of Object.keys(TITLES) as Locale[]) {
    const place = `\n\n${placeOf(locale)}`;
    // What people and agents wrote stands above the place: the last one is the platform's.
    const start = body.lastIndexOf(place);
    if (start === -1) continue;
    const lines = words.map(({ at, text }) => `${at.toISOString().slice(11, 19)}  ${inOneLine(text, LONGEST)}`);
    const section = lines.length === 0 ? '' : `\n\n**${TITLES[locale]}**\n\n${quoted(lines.join('\n'))}`;
    return body.slice(0, start) + section + body.slice(start + place.length);
  }
  return body;
}
