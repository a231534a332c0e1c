/** Links to pages of the dashboard, GitHub and Temporal Web. */
import { html } from 'hono/html';
import type { Html } from './layout.ts';
import { runWorkflowId } from '../../../workflows/messages.ts';

/** URLs without a slash at their end. */
export interface Urls {
  readonly githubUrl: string;
  /** Temporal Web; without it there are no links to it. */
  readonly temporalWebUrl?: string | undefined;
  readonly temporalNamespace: string;
}

interface IssueName {
  readonly repository: string | null;
  readonly number: number;
}

/** The path of the issue's page; undefined if its repository's name is unknown. */
export function issuePath({ repository, number }: IssueName): string | undefined {
  return repository === null ? undefined : `/issues/${repository}/${number}`;
}

/** `owner/name#12`, linked to its page if there is one. */
export function issueLink(issue: IssueName): Html {
  const path = issuePath(issue);
  const name = `${issue.repository ?? 'unknown repository'}#${issue.number}`;
  return path === undefined ? html`${name}` : html`<a href="${path}">${name}</a>`;
}

/** A run by the first characters of its id. */
export function runLink(id: string): Html {
  return html`<a href="/runs/${id}"><code>${id.slice(0, 8)}</code></a>`;
}

/** A link to another site; plain text if `url` is not http(s). */
export function outsideLink(url: string, text: string): Html {
  return /^https?:\/\//i.test(url) ? html`<a href="${url}" rel="noreferrer">${text}</a>` : html`${text}`;
}

/** A pull request on GitHub. */
export function pullRequestLink(urls: Urls, repository: string | null, number: number, url: string | null): Html {
  const address = url ?? (repository === null ? '' : `${urls.githubUrl}/${repository}/pull/${number}`);
  return outsideLink(address, `#${number}`);
}

/** The URL of a workflow's history in Temporal Web; undefined if Temporal Web's URL is unknown. */
export function workflowUrl({ temporalWebUrl, temporalNamespace }: Urls, workflowId: string): string | undefined {
  if (temporalWebUrl === undefined) return undefined;
  return `${temporalWebUrl}/namespaces/${encodeURIComponent(temporalNamespace)}/workflows/${encodeURIComponent(workflowId)}`;
}

/** The URL of the history of a run's workflow. */
export function runWorkflowUrl(urls: Urls, runId: string): string | undefined {
  return workflowUrl(urls, runWorkflowId(runId));
}
