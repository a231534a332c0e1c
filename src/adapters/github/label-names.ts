/**
 * Labels under the names that an installation gives them (src/domain/label-names.ts). Exchanged around every request and
 * answer, so that no caller of GitHub can forget it: whoever uses the client sees canonical names only.
 */
import type { Octokit } from '@octokit/rest';
import type { LabelNames } from '../../domain/label-names.ts';

/** Has a client speak canonical names. */
export function exchangeLabelNames(octokit: Octokit, names: LabelNames): void {
  if (!names.overridden) return;
  octokit.hook.wrap('request', async (request, options) => {
    const response = await request(Object.assign(options, asked(options, names)));
    return { ...response, data: answered(response.data, isOfLabels(options.url), names) };
  });
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

/** Answers hold labels as such, in `labels`, and in the `label` of an event. */
function answered(data: unknown, ofLabels: boolean, names: LabelNames): unknown {
  if (Array.isArray(data))
    return data.map((entry: unknown) => (ofLabels ? labelOf(entry, names) : answered(entry, false, names)));
  if (typeof data !== 'object' || data === null) return data;
  if (ofLabels) return labelOf(data, names);
  const { labels, label } = data as { readonly labels?: unknown; readonly label?: unknown };
  return {
    ...data,
    ...(Array.isArray(labels) ? { labels: labels.map((entry: unknown) => labelOf(entry, names)) } : {}),
    ...(typeof label === 'object' && label !== null ? { label: labelOf(label, names) } : {}),
  };
}

function labelOf(label: unknown, { canonical }: LabelNames): unknown {
  if (typeof label === 'string') return canonical(label);
  const { name } = (label ?? {}) as { readonly name?: unknown };
  return typeof name === 'string' ? { ...(label as object), name: canonical(name) } : label;
}
