/**
 * The one way by which text gets to GitHub: every comment, description and title passes here, around each request. What others
 * wrote (an agent, as a rule) stands marked in the platform's text, and is made safe on the tree of its Markdown: it mentions nobody,
 * closes no issue, loads nothing, hides nothing, and ends where it ends.
 */
import type { Octokit } from '@octokit/rest';
import type { Nodes, Paragraph, Parents, PhrasingContent, Root, RootContent, Text } from 'mdast';
import { fromMarkdown } from 'mdast-util-from-markdown';
import { gfmFromMarkdown, gfmToMarkdown } from 'mdast-util-gfm';
import { toMarkdown } from 'mdast-util-to-markdown';
import { gfm } from 'micromark-extension-gfm';
import { inert, inertCode } from '../../domain/messages/inert.ts';
import { withoutInvisible } from '../../domain/invisible.ts';
import { escaped, quoted, replaceTexts, type TextKind } from '../../domain/messages/markdown.ts';

/** GitHub refuses a text of more than 65,536 characters; this leaves room for the text around it. */
const LONGEST = 20_000;
/** Characters of the same text after marks were escaped. */
const LONGEST_WRITTEN = 30_000;

/** Has a client write nothing that did not pass here. */
export function passOutgoing(octokit: Octokit): void {
  octokit.hook.before('request', (options) => {
    if (options.method === 'GET') return;
    const { body, title } = options as Readonly<Record<string, unknown>>;
    if (typeof body === 'string') Object.assign(options, { body: outgoing(body) });
    if (typeof title === 'string') Object.assign(options, { title: outgoingTitle(title) });
  });
}

/** A text of the platform as it is written to GitHub. One that has passed passes again unchanged. */
export function outgoing(text: string): string {
  return replaceTexts(text, safe);
}

/** A title, whose text GitHub may make the message of a merge commit. */
export function outgoingTitle(title: string): string {
  const visible = withoutInvisible(title).text.trim();
  return visible === '' ? '(untitled)' : inert(visible);
}

function safe(kind: TextKind, theirs: string): string {
  const text = withoutInvisible(theirs.slice(0, LONGEST).toWellFormed()).text;
  const rewritten = rewrite(text);
  if (kind === 'markdown') return rewritten ?? quoted(text, LONGEST);
  return rewritten === undefined || rewritten.includes('\n') ? escaped(text) : rewritten;
}

/** Undefined for what cannot be parsed, such as ten thousand nested quotes, or becomes too long. */
function rewrite(markdown: string): string | undefined {
  try {
    const tree = fromMarkdown(markdown, { extensions: [gfm()], mdastExtensions: [gfmFromMarkdown()] });
    const targets = new Map<string, string>();
    collectTargets(tree, targets);
    rewriteChildren(tree, targets);
    const written = toMarkdown(tree, {
      extensions: [gfmToMarkdown({ tablePipeAlign: false })],
      bullet: '-',
      rule: '-',
      listItemIndent: 'one',
    }).trimEnd();
    return written.length <= LONGEST_WRITTEN ? written : undefined;
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

/** Where references lead: the first definition counts, as on GitHub. */
function collectTargets(node: Nodes, targets: Map<string, string>): void {
  if (node.type === 'definition' && !targets.has(node.identifier)) targets.set(node.identifier, node.url);
  if ('children' in node) for (const child of node.children) collectTargets(child, targets);
}

function rewriteChildren(parent: Parents, targets: ReadonlyMap<string, string>): void {
  const children = parent.children as Nodes[];
  const changed = children.flatMap((child, index) => {
    const follows =
      index < children.length - 1 || ['emphasis', 'strong', 'delete', 'link', 'linkReference'].includes(parent.type);
    return rewritten(child, targets, { follows, inLine: isPhrasing(parent) });
  });
  parent.children = changed as typeof parent.children;
}

/** `follows`: whether something follows in the same line; `inLine`: whether the node is a part of one. */
function rewritten(
  node: Nodes,
  targets: ReadonlyMap<string, string>,
  { follows, inLine }: { readonly follows: boolean; readonly inLine: boolean },
): Nodes[] {
  switch (node.type) {
    case 'text':
      return [{ ...node, value: inert(node.value, { continues: follows }) }];
    case 'inlineCode':
    case 'code':
      return [{ ...node, value: inertCode(node.value) }];
    case 'html':
      return [inLine ? textOf(node.value) : { type: 'paragraph', children: [textOf(node.value)] }];
    case 'image':
      return [linkTo(node.url, node.alt)];
    case 'imageReference':
      return [linkTo(targets.get(node.identifier) ?? '', node.alt)];
    case 'linkReference':
      rewriteChildren(node, targets);
      return [{ type: 'link', url: targets.get(node.identifier) ?? '', children: node.children }];
    case 'link':
      if (!isAddress(node)) rewriteChildren(node, targets);
      return [{ ...node, title: null }];
    case 'definition':
      return [];
    case 'footnoteReference':
      return [textOf(`[^${node.identifier}]`)];
    case 'footnoteDefinition': {
      rewriteChildren(node, targets);
      const name: Paragraph = { type: 'paragraph', children: [textOf(`[^${node.identifier}]:`)] };
      return [name, ...node.children];
    }
    case 'break':
    case 'thematicBreak':
    case 'yaml':
      return [node];
    case 'root':
    case 'paragraph':
    case 'heading':
    case 'blockquote':
    case 'list':
    case 'listItem':
    case 'table':
    case 'tableRow':
    case 'tableCell':
    case 'emphasis':
    case 'strong':
    case 'delete':
      rewriteChildren(node, targets);
      return [node];
  }
}

function textOf(value: string): Text {
  return { type: 'text', value: inert(value) };
}

/** A picture is loaded by whoever looks at it; a link, by nobody. */
function linkTo(url: string, alt: string | null | undefined): PhrasingContent {
  const text = alt === undefined || alt === null || alt === '' ? 'image' : alt;
  return { type: 'link', url, children: [{ type: 'text', value: inert(text, { continues: true }) }] };
}

/** Whether a link shows its own address, in which nothing is a mention. */
function isAddress({
  url,
  children,
}: {
  readonly url: string;
  readonly children: readonly PhrasingContent[];
}): boolean {
  const [only, ...others] = children;
  if (only?.type !== 'text' || others.length > 0) return false;
  return [only.value, `mailto:${only.value}`, `http://${only.value}`].includes(url);
}

function isPhrasing(node: Root | RootContent): boolean {
  return ['paragraph', 'emphasis', 'strong', 'delete', 'link', 'linkReference', 'heading', 'tableCell'].includes(
    node.type,
  );
}
