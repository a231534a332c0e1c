/**
 * The end of a run's workspace, in the run's status comment. The run's workflow, which renders the comment, has completed by
 * then, so it leaves a marker, which is replaced when the comment is written (as in latest-output.ts).
 */
import type { Locale } from '../locale.ts';
import { plainBy } from './markdown.ts';

/** Types of events about a workspace without an active run, which the issue's workflow records. */
export const WORKSPACE_EVENTS = [
  'run.namespace.cleaned',
  'run.namespace.cleanup_blocked',
  'run.namespace.cleanup_failed',
  'run.namespace.cleanup_skipped',
] as const;

/** One of those events. */
export interface WorkspaceEvent {
  readonly type: (typeof WORKSPACE_EVENTS)[number];
  readonly at: Date;
  readonly payload: Readonly<Record<string, unknown>>;
}

interface Texts {
  readonly removed: string;
  readonly blocked: string;
  readonly failed: string;
  readonly kept: string;
  /** By the reason in the event. */
  readonly reasons: Readonly<Record<string, string>>;
}

const TEXTS: Readonly<Record<Locale, Texts>> = {
  en: {
    removed: 'Workspace removed',
    blocked: 'Workspace not removed yet',
    failed: 'Workspace not removed',
    kept: 'Workspace kept until',
    reasons: {
      issue_closed: 'the issue was closed',
      ttl_expired: 'its lease ran out',
      slot_needed: 'the next run needed a full workspace',
      repository_gone: 'the repository is gone',
    },
  },
  ru: {
    removed: 'Рабочее пространство удалено',
    blocked: 'Рабочее пространство ещё не удалено',
    failed: 'Рабочее пространство не удалено',
    kept: 'Рабочее пространство хранится до',
    reasons: {
      issue_closed: 'issue закрыт',
      ttl_expired: 'истёк срок хранения',
      slot_needed: 'следующему запуску нужно полное рабочее пространство',
      repository_gone: 'репозиторий больше недоступен',
    },
  },
};

/** The marker at the end of the cell that says until when the workspace is kept. */
export function workspaceEndMarker(locale: Locale): string {
  return ` <!-- codex-k8s:workspace-end ${locale} -->`;
}

/** Whether a comment has the marker. */
export function hasWorkspaceEndMarker(body: string): boolean {
  return markerIn(body) !== undefined;
}

/** The comment with the row about the end of the workspace; without an event, as it was rendered. */
export function withWorkspaceEnd(body: string, event: WorkspaceEvent | undefined): string {
  const found = markerIn(body);
  if (!found) return body;
  const { at, marker, locale } = found;
  if (!event) return body.slice(0, at) + body.slice(at + marker.length);
  const start = body.lastIndexOf('\n', at) + 1;
  const end = body.indexOf('\n', at);
  return body.slice(0, start) + row(event, TEXTS[locale]) + (end === -1 ? '' : body.slice(end));
}

/** Texts by people and agents are above the table, so the last marker is the platform's, in any language. */
function markerIn(body: string): { readonly at: number; readonly marker: string; readonly locale: Locale } | undefined {
  const markers = (Object.keys(TEXTS) as Locale[]).map((locale) => {
    const marker = workspaceEndMarker(locale);
    return { at: body.lastIndexOf(marker), marker, locale };
  });
  const last = markers.toSorted((one, other) => other.at - one.at)[0];
  return last && last.at !== -1 ? last : undefined;
}

function row({ type, at, payload }: WorkspaceEvent, texts: Texts): string {
  const reason = texts.reasons[String(payload['reason'])];
  switch (type) {
    case 'run.namespace.cleaned':
      return `| ${texts.removed} | ${minute(at.toISOString())}${reason === undefined ? '' : `, ${reason}`} |`;
    case 'run.namespace.cleanup_blocked':
      return `| ${texts.blocked} | ${minute(at.toISOString())}: ${inCell(payload['held'])} |`;
    case 'run.namespace.cleanup_failed':
      return `| ${texts.failed} | ${minute(at.toISOString())}: ${inCell(payload['error'])} |`;
    case 'run.namespace.cleanup_skipped':
      return `| ${texts.kept} | ${minute(String(payload['until']))} (\`run:debug\`) |`;
  }
}

/** A time to the minute; `iso` is ISO 8601 in UTC. */
export function minute(iso: string): string {
  return `${iso.slice(0, 16).replace('T', ' ')} UTC`;
}

/** Characters of Kubernetes' message that are shown. */
const LONGEST = 300;

/** A text by others, in one line that fits into a cell. */
function inCell(text: unknown): string {
  return plainBy(String(text), LONGEST);
}
