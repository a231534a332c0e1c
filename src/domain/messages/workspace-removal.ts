/**
 * What became of a run's workspace after the run, in its status comment. The run's workflow, which
 * renders the comment, has ended by then: it leaves a place, which is filled where the comment is written, as for the last
 * words of the agent.
 */
import type { Locale } from '../locale.ts';
import { embedded, inOneLine } from './markdown.ts';

/** What the issue's workflow tells of a workspace that no run works in, as types of events. */
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
  /** By the reasons that the issue's workflow gives. */
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
      ttl_expired: 'its time was over',
      slot_needed: 'the next run needed a whole one',
      repository_gone: 'the repository is gone',
    },
  },
  ru: {
    removed: 'Рабочее пространство удалено',
    blocked: 'Рабочее пространство ещё не удалено',
    failed: 'Рабочее пространство не удалено',
    kept: 'Рабочее пространство хранится до',
    reasons: {
      issue_closed: 'задача закрыта',
      ttl_expired: 'вышел срок',
      slot_needed: 'следующему запуску нужно полное рабочее пространство',
      repository_gone: 'репозитория больше нет',
    },
  },
};

/** Stands at the end of the cell that says until when the workspace is kept. */
export function workspaceEndMarker(locale: Locale): string {
  return ` <!-- codex-k8s:workspace-end ${locale} -->`;
}

/** Whether a comment has a place for it. */
export function hasWorkspaceEndMarker(body: string): boolean {
  return placeIn(body) !== undefined;
}

/** The comment with the row that says what became of the workspace; without an event, as it was rendered. */
export function withWorkspaceEnd(body: string, event: WorkspaceEvent | undefined): string {
  const found = placeIn(body);
  if (!found) return body;
  const { at, place, locale } = found;
  if (!event) return body.slice(0, at) + body.slice(at + place.length);
  const start = body.lastIndexOf('\n', at) + 1;
  const end = body.indexOf('\n', at);
  return body.slice(0, start) + row(event, TEXTS[locale]) + (end === -1 ? '' : body.slice(end));
}

/** What people and agents wrote stands above the table: the last place is the platform's, in whatever language. */
function placeIn(body: string): { readonly at: number; readonly place: string; readonly locale: Locale } | undefined {
  const places = (Object.keys(TEXTS) as Locale[]).map((locale) => {
    const place = workspaceEndMarker(locale);
    return { at: body.lastIndexOf(place), place, locale };
  });
  const last = places.toSorted((one, other) => other.at - one.at)[0];
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

/** To the minute; `iso` is ISO 8601 in UTC. */
export function minute(iso: string): string {
  return `${iso.slice(0, 16).replace('T', ' ')} UTC`;
}

/** What people read of Kubernetes' words. */
const LONGEST = 300;

/** A text of others, in one line that ends no cell. */
function inCell(text: unknown): string {
  return embedded(inOneLine(String(text), LONGEST).replaceAll(/[|`[\]*_~\\]|<(?!!--)/g, String.raw`\$&`));
}
