/**
 * What people see of a Markdown text on GitHub. An agent reads no more: instructions can be hidden in comments of HTML, in definitions
 * that nothing refers to, and in characters that are not shown. What stands in code is seen, and stays.
 */
import type { Nodes } from 'mdast';
import { fromMarkdown } from 'mdast-util-from-markdown';
import { withoutInvisible } from '../../domain/invisible.ts';

/** Without one of these nothing in a text is hidden by its markup. */
const MAY_HIDE = /<[!?]|\]:/;

/** Comments, declarations, instructions and CDATA of HTML; one that is not ended hides the rest of its block. */
const HIDDEN = /<!--(?:[^]*?-->|[^]*$)|<\?(?:[^]*?\?>|[^]*$)|<!\[CDATA\[(?:[^]*?\]\]>|[^]*$)|<![A-Z](?:[^>]*>|[^]*$)/gi;

interface Range {
  readonly start: number;
  readonly end: number;
}

/** The text, and the number of hidden passages and characters that were removed from it. */
export function visibleText(markdown: string): { readonly text: string; readonly removed: number } {
  const { text, removed } = withoutInvisible(markdown);
  const hidden = MAY_HIDE.test(text) ? hiddenRangesOf(text) : [];
  let shown = '';
  let from = 0;
  for (const { start, end } of hidden) {
    shown += text.slice(from, start);
    from = end;
  }
  return { text: shown + text.slice(from), removed: removed + hidden.length };
}

/** A text that cannot be parsed, such as ten thousand nested quotes, is shown without all that would be hidden as HTML. */
function hiddenRangesOf(text: string): Range[] {
  try {
    return hiddenRanges(text);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return htmlRanges(text, 0);
  }
}

function htmlRanges(html: string, from: number): Range[] {
  return [...html.matchAll(HIDDEN)].map(({ index, 0: match }) => ({
    start: from + index,
    end: from + index + match.length,
  }));
}

function hiddenRanges(text: string): Range[] {
  const found: Range[] = [];
  const definitions: (Range & { readonly identifier: string })[] = [];
  const used = new Set<string>();
  walk(fromMarkdown(text), (node) => {
    const start = node.position?.start.offset ?? 0;
    const end = node.position?.end.offset ?? 0;
    if (node.type === 'html') found.push(...htmlRanges(text.slice(start, end), start));
    if (node.type === 'definition') definitions.push({ start, end, identifier: node.identifier });
    if (node.type === 'linkReference' || node.type === 'imageReference') used.add(node.identifier);
  });
  found.push(...definitions.filter(({ identifier }) => !used.has(identifier)));
  return found.toSorted((one, other) => one.start - other.start);
}

function walk(node: Nodes, visit: (node: Nodes) => void): void {
  visit(node);
  if ('children' in node) for (const child of node.children) walk(child, visit);
}
