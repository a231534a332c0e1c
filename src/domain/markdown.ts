/** Markdown that an agent wrote, made fit to stand inside a text of the platform's. */

/**
 * Closes a code block that is left open, so that what follows is no code, and disarms HTML comments, so that nothing hides
 * and nothing looks like a marker of the platform's.
 */
export function embedded(markdown: string): string {
  const text = markdown.toWellFormed().replaceAll('<!--', '&lt;!--');
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
