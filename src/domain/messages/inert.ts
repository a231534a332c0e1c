/** Text that GitHub does nothing about: it mentions nobody, and closes and names no issue of another repository. Pure. */

/** An invisible space, which ends what GitHub would read as a mention, a keyword or a reference. */
const BREAK = '\u200B';

/** "Linking a pull request to an issue", GitHub's documentation; in commit messages they close issues as well. */
const KEYWORD = String.raw`(?<![\p{L}\p{N}])(?:close[sd]?|fix(?:e[sd])?|resolve[sd]?)`;
const REFERENCE = String.raw`(?:[\w.-]+/)?[\w.-]*#\d|GH-\d|https?:`;
const CLOSING = new RegExp(String.raw`${KEYWORD}(?=\s*:?\s*(?:${REFERENCE}))`, 'giu');
const AT_THE_END = new RegExp(String.raw`${KEYWORD}(?=\s*:?\s*$)`, 'giu');
/** All but those of mail addresses. */
const MENTION = /(?<!\w)@(?!\u200B)|@(?!\u200B)(?![\w-]+\.\w)/g;
/** `GH-12`, and `owner#12` and `owner/name#12`, which leave a trace in other repositories. `#12` stays. */
const ELSEWHERE = /(?<![\p{L}\p{N}])GH(?=-\d)|(?<=\w)(?=#\d)/giu;

/** `continues`: whether something follows the text that may be an issue's number, such as a link. */
export function inert(text: string, { continues = false }: { readonly continues?: boolean } = {}): string {
  const open = text.replaceAll(CLOSING, `$&${BREAK}`);
  return (continues ? open.replaceAll(AT_THE_END, `$&${BREAK}`) : open)
    .replaceAll(ELSEWHERE, `$&${BREAK}`)
    .replaceAll(MENTION, `@${BREAK}`);
}

/** Whether GitHub does nothing about a text, such as the message of a commit. */
export function isInert(text: string): boolean {
  return inert(text) === text;
}

/** Of code: nobody is mentioned in it, but its text may become a commit message, in which keywords count. */
export function inertCode(code: string): string {
  return code.replaceAll(CLOSING, `$&${BREAK}`);
}
