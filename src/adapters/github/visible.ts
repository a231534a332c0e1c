/**
 * What people see of a Markdown text on GitHub. An agent reads no more: instructions can be hidden in comments and attributes of HTML,
 * in texts for pictures that do not load, in titles of links, in definitions that nothing refers to, in cells outside of a table's
 * columns, in `data:` addresses, and in characters that are not shown (docs/reliability.md T63). What stands in code is seen, and stays.
 */
import type { Nodes, TableRow } from 'mdast';
import { fromMarkdown } from 'mdast-util-from-markdown';
import { gfmFromMarkdown } from 'mdast-util-gfm';
import { gfm } from 'micromark-extension-gfm';
import { withoutInvisible } from '../../domain/invisible.ts';

/** Without one of these nothing in a text is hidden by its markup. */
const MAY_HIDE = /<[!?a-z]|\]|\|/i;

/** Comments, declarations, instructions and CDATA of HTML; one that is not ended hides the rest of its block. */
const HIDDEN_HTML =
  /<!--(?:[^]*?-->|[^]*$)|<\?(?:[^]*?\?>|[^]*$)|<!\[CDATA\[(?:[^]*?\]\]>|[^]*$)|<![A-Z](?:[^>]*>|[^]*$)/gi;

/** Comments as above, or the value of an attribute. */
const HTML_PARTS = new RegExp(String.raw`${HIDDEN_HTML.source}|(?<==\s*)(?:"[^"]*"|'[^']*')`, 'gi');

/** The names that GitHub gives to what people upload, and names of files: they say nothing. */
const FILE_NAME = /^(?:\S{0,60}|(?:screenshot|screen shot|снимок экрана)[\s\d.:_()atвpmfro-]{0,40})$/iu;

/** Addresses that are links by themselves hide nothing, and looking for them takes seconds in a long description of a picture. */
const GFM = [gfm(), { disable: { null: ['wwwAutolink', 'protocolAutolink', 'emailAutolink'] } }];

/** A passage that is not seen, and what stays of it. */
interface Hidden {
  readonly start: number;
  readonly end: number;
  readonly rest: string;
}

/** The text, and the number of hidden passages and characters that were removed from it. Letters with accents become one character each (NFC). */
export function visibleText(markdown: string): { readonly text: string; readonly removed: number } {
  const { text, removed } = withoutInvisible(markdown.normalize('NFC'));
  const hidden = MAY_HIDE.test(text) ? hiddenIn(text) : [];
  let shown = '';
  let from = 0;
  let passages = 0;
  for (const { start, end, rest } of hidden) {
    // Inside of one that is gone already.
    if (start < from) continue;
    passages += 1;
    shown += text.slice(from, start) + rest;
    from = end;
  }
  return { text: shown + text.slice(from), removed: removed + passages };
}

/** A text that cannot be parsed, such as ten thousand nested quotes, is shown without all that would be hidden as HTML. */
function hiddenIn(text: string): Hidden[] {
  try {
    return hiddenInMarkdown(text);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return hiddenInHtml(text, 0);
  }
}

function hiddenInHtml(html: string, from: number): Hidden[] {
  return [...html.matchAll(HTML_PARTS)].flatMap(({ index, 0: match }) => {
    const isValue = /^["']/.test(match);
    if (isValue && FILE_NAME.test(match.slice(1, -1)) && !isData(match.slice(1))) return [];
    return [{ start: from + index, end: from + index + match.length, rest: isValue ? '""' : '' }];
  });
}

function hiddenInMarkdown(text: string): Hidden[] {
  const found: Hidden[] = [];
  const definitions: { readonly identifier: string; readonly node: Nodes }[] = [];
  const used = new Set<string>();
  walk(fromMarkdown(text, { extensions: GFM, mdastExtensions: [gfmFromMarkdown()] }), (node) => {
    if (node.type === 'definition') definitions.push({ identifier: node.identifier, node });
    else if (node.type === 'footnoteDefinition') definitions.push({ identifier: `^${node.identifier}`, node });
    else if (node.type === 'footnoteReference') used.add(`^${node.identifier}`);
    else if (node.type === 'linkReference' || node.type === 'imageReference') used.add(node.identifier);
    found.push(...hiddenInNode(node, text));
  });
  found.push(...definitions.filter(({ identifier }) => !used.has(identifier)).map(({ node }) => without(node)));
  // Of two that begin together the longer one counts, and of two that are the same the one of which nothing stays.
  return found.toSorted(
    (one, other) => one.start - other.start || other.end - one.end || one.rest.length - other.rest.length,
  );
}

/** What is hidden by a node itself, whatever is in it. */
function hiddenInNode(node: Nodes, text: string): Hidden[] {
  const { start, end } = placeOf(node);
  if (node.type === 'html') return hiddenInHtml(text.slice(start, end), start);
  if (node.type === 'table')
    return node.children.flatMap((row) => cellsOutside(row, node.children[0]).map((c) => without(c)));
  if (node.type === 'imageReference')
    return node.referenceType === 'full' && !FILE_NAME.test(node.alt ?? '')
      ? [without(node, `![][${node.label ?? ''}]`)]
      : [];
  if (node.type !== 'definition' && node.type !== 'image' && node.type !== 'link') return [];
  const says = node.title !== null && node.title !== undefined && node.title !== '';
  const address = addressOf(node.url);
  if (node.type === 'image') {
    const shown = FILE_NAME.test(node.alt ?? '') ? (node.alt ?? '') : undefined;
    return says || isData(node.url) || shown === undefined ? [without(node, `![${shown ?? ''}](${address})`)] : [];
  }
  if (node.type === 'link' && node.children.length === 0) return [without(node)];
  if (!says && !isData(node.url)) return [];
  if (node.type === 'definition') return [without(node, `[${node.label ?? node.identifier}]: ${address}`)];
  const last = node.children.at(-1);
  const tail = last ? placeOf(last).end : end;
  return text.startsWith('](', tail) ? [{ start: tail, end, rest: `](${address})` }] : [];
}

function without(node: Nodes, rest = ''): Hidden {
  return { ...placeOf(node), rest };
}

/** Cells that have no column: GitHub ignores them. */
function cellsOutside(row: TableRow, head: TableRow | undefined): TableRow['children'] {
  return row.children.slice(head?.children.length ?? 0);
}

function isData(url: string): boolean {
  return /^\s*data:/i.test(url);
}

/** An address as a link has it; nothing stays of one that contains its data, which GitHub does not show. */
function addressOf(url: string): string {
  if (isData(url)) return '';
  return /[\s()<>]/.test(url) ? `<${url.replaceAll(/[<>\s]/g, encodeURIComponent)}>` : url;
}

function placeOf(node: Nodes): { readonly start: number; readonly end: number } {
  return { start: node.position?.start.offset ?? 0, end: node.position?.end.offset ?? 0 };
}

function walk(node: Nodes, visit: (node: Nodes) => void): void {
  visit(node);
  if ('children' in node) for (const child of node.children) walk(child, visit);
}
