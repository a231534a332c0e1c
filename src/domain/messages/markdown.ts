/** What others wrote, made fit to stand inside a text of the platform's. */

/** GitHub refuses a text of more than 65,536 characters; this leaves room for what stands around it. */
const LONGEST = 20_000;
/** Words that close an issue when a pull request is merged: only the platform's own may. */
const CLOSING = /\b(close[sd]?|fix(?:e[sd])?|resolve[sd]?)(:?\s+)(?=\S*#\d|https?:)/gi;
const MENTION = /(^|[^\w`])@(?=\w)/g;

/**
 * Calls nobody and closes nothing: mentions and closing keywords are broken by an invisible space. Closes a code block
 * that is left open, so that what follows is no code, and disarms HTML comments, so that nothing hides and nothing looks
 * like a marker of the platform's.
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

/** A text in one line, without what cannot be seen, cut to so many characters. */
export function inOneLine(text: string, longest: number): string {
  const line = text.replaceAll(/[\s\p{Cc}\p{Cf}]+/gu, ' ').trim();
  return line.length <= longest ? line : `${line.slice(0, longest - 1).toWellFormed()}…`;
}

/** What a quotation shows at most. */
const QUOTED = 1500;

/** A text as it is, in a code block that it cannot end: nothing in it is markup, and nobody is mentioned. */
export function quoted(text: string): string {
  if (text.trim() === '') return '';
  const shown = text.length > QUOTED ? `${text.slice(0, QUOTED).toWellFormed()} …` : text;
  const fence = '`'.repeat(Math.max(3, ...[...shown.matchAll(/`+/g)].map((run) => run[0].length + 1)));
  return `${fence}text\n${shown}\n${fence}`;
}
