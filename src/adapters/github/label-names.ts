/**
 * Labels under the names that an installation gives them (src/domain/stages/label-names.ts). Exchanged around every request and
 * answer, so that no caller of GitHub can forget it: whoever uses the client sees canonical names only.
 */
import type { Octokit } from '@octokit/rest';
import type { LabelNames } from '../../domain/stages/label-names.ts';
import { LABELS } from '../../domain/stages/labels.ts';

/** Has a client speak canonical names. */
export function exchangeLabelNames(octokit: Octokit, names: LabelNames): void {
  if (!names.overridden) return;
  octokit.hook.wrap('request', async (request, options) => {
    const response = await request(Object.assign(options, asked(options, names), worded(options['body'], names)));
    return { ...response, data: answered(response.data, isOfLabels(options.url), names) };
  });
}

/** What the platform says on GitHub for people: its comments, by how they begin, and the last line of its pull requests. */
const OURS = /^<!-- codex-k8s:[^]*|<sub>[^\n]*\[codex-k8s\]\([^\n]*<\/sub>$/;

const CANONICAL: ReadonlySet<string> = new Set(LABELS.map(({ name }) => name));

/**
 * What the platform says to people names labels as they are called there. Only names in code, as the platform writes them: a text
 * of an agent's can have the same words in a sentence. What others wrote is left as it is.
 */
function worded(body: unknown, { onGitHub }: LabelNames): { readonly body?: string } {
  return inOurs(body, (word) => (CANONICAL.has(word) ? onGitHub(word) : word));
}

/** The platform's own text as it was before it was written, so that it is found unchanged. */
function unworded(body: unknown, { canonical, onGitHub }: LabelNames): { readonly body?: string } {
  return inOurs(body, (word) => {
    const name = canonical(word);
    return CANONICAL.has(name) && onGitHub(name) === word ? name : word;
  });
}

function inOurs(body: unknown, exchange: (word: string) => string): { readonly body?: string } {
  if (typeof body !== 'string' || !OURS.test(body)) return {};
  const inCode = (text: string): string =>
    text.replaceAll(/`([^`\n]+)`/g, (_span, word: string) => `\`${exchange(word)}\``);
  return { body: body.replace(OURS, inCode) };
}

/**
 * Requests name labels in a list, and by themselves where the route is a label's own. A filter by labels is not looked at: it
 * is part of an address when pages are read, and nothing here asks for one.
 */
function asked(options: Readonly<Record<string, unknown>>, { onGitHub }: LabelNames): Record<string, unknown> {
  const { labels, name, url } = options;
  const exchanged: Record<string, unknown> = {};
  if (Array.isArray(labels))
    exchanged['labels'] = labels.map((label: unknown) => (typeof label === 'string' ? onGitHub(label) : label));
  if (typeof name === 'string' && isOfLabels(String(url))) exchanged['name'] = onGitHub(name);
  return exchanged;
}

/** `…/labels`, `…/labels/{name}`, and the address of a further page. */
function isOfLabels(url: string): boolean {
  return /\/labels(\/\{name\})?$/.test(url.split('?')[0] ?? '');
}

/** Answers hold labels as such, in `labels`, in the `label` of an event, and in the platform's own texts. */
function answered(data: unknown, ofLabels: boolean, names: LabelNames): unknown {
  if (Array.isArray(data))
    return data.map((entry: unknown) => (ofLabels ? labelOf(entry, names) : answered(entry, false, names)));
  if (typeof data !== 'object' || data === null) return data;
  if (ofLabels) return labelOf(data, names);
  const { labels, label, body } = data as Readonly<Record<'labels' | 'label' | 'body', unknown>>;
  return {
    ...data,
    ...unworded(body, names),
    ...(Array.isArray(labels) ? { labels: labels.map((entry: unknown) => labelOf(entry, names)) } : {}),
    ...(typeof label === 'object' && label !== null ? { label: labelOf(label, names) } : {}),
  };
}

function labelOf(label: unknown, { canonical }: LabelNames): unknown {
  if (typeof label === 'string') return canonical(label);
  const { name } = (label ?? {}) as { readonly name?: unknown };
  return typeof name === 'string' ? { ...(label as object), name: canonical(name) } : label;
}
