/** Makes texts by others safe inside a text of the platform. */

/** GitHub refuses a text of more than 65,536 characters; this leaves room for the text around it. */
const LONGEST = 20_000;
/** GitHub's closing keywords: only the platform's own may close an issue. */
const CLOSING = /\b(close[sd]?|fix(?:e[sd])?|resolve[sd]?)(:?\s+)(?=\S*#\d|https?:)/gi;
const MENTION = /(^|[^\w`])@(?=\w)/g;

/**
 * Breaks mentions and closing keywords with an invisible space, so that the text notifies nobody and closes nothing. Closes an
 * open code block, so that the text after it is not code, and disarms HTML comments, so that nothing is hidden and nothing
 * looks like a marker of the platform.
 */
export function embedded(markdown: string): string {
  const text = markdown
    .slice(0, LONGEST)
    .toWellFormed()
    .replaceAll('<!--', '&lt;!--')
    .replaceAll(CLOSING, '$1\u200B$2')
    .replaceAll(MENTION, '$1@\u200B');
  let open: string | undefined;
  for (const line of text.split(/\r\n|\r|\n/)) {
    const [, fence, rest = ''] = /^ {0,3}(`{3,}|~{3,})(.*)$/.exec(line) ?? [];
    if (fence === undefined) continue;
    if (open === undefined) {
      if (fence.startsWith('~') || !rest.includes('`')) open = fence;
    } else if (fence.startsWith(open) && rest.trim() === '') open = undefined;
  }
  return open === undefined ? text : `${text}\n${open}`;
}

/** A text in one line, without invisible characters, cut to so many characters. */
export function inOneLine(text: string, longest: number): string {
  const line = text.replaceAll(/[\s\p{Cc}\p{Cf}]+/gu, ' ').trim();
  return line.length <= longest ? line : `${line.slice(0, longest - 1).toWellFormed()}…`;
}

/** The most characters of a quotation. */
const QUOTED = 1500;

/** A text in a code block that it cannot end: nothing in it is markup, and nobody is mentioned. */
export function quoted(text: string): string {
  if (text.trim() === '') return '';
  const shown = text.length > QUOTED ? `${text.slice(0, QUOTED).toWellFormed()} …` : text;
  const fence = '`'.repeat(Math.max(3, ...[...shown.matchAll(/`+/g)].map((run) => run[0].length + 1)));
  return `${fence}text\n${shown}\n${fence}`;
}
