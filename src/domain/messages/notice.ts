/** The comment by which an agent notifies people (`user.notify`). */
import type { Locale } from '../locale.ts';
import { embedded, lineBy, plainBy } from './markdown.ts';

export interface Notice {
  readonly kind: 'completion' | 'next_step' | 'status_update' | 'warning';
  readonly summary: string;
  readonly details?: string | undefined;
  readonly action?: { readonly label: string; readonly url: string } | undefined;
}

const SUMMARY = 300;
const LABEL = 80;
const ADDRESS = 500;

const TITLES: Readonly<Record<Locale, Readonly<Record<Notice['kind'], string>>>> = {
  en: {
    completion: 'The agent says that something is done',
    next_step: 'The agent suggests a next step',
    status_update: 'The agent reports',
    warning: 'The agent warns',
  },
  ru: {
    completion: 'Агент сообщает о готовности',
    next_step: 'Агент предлагает следующий шаг',
    status_update: 'Агент сообщает',
    warning: 'Агент предупреждает',
  },
};

/** The hidden line by which the comment is found again. */
export function noticeMarker(key: string): string {
  return `<!-- codex-k8s:notice ${key} -->`;
}

/** Nothing in it by the agent hides where it leads: an address is shown as it is. */
export function renderNotice(key: string, { kind, summary, details, action }: Notice, locale: Locale): string {
  return [
    noticeMarker(key),
    `### ${TITLES[locale][kind]}`,
    lineBy(summary, SUMMARY),
    ...(details === undefined ? [] : [embedded(details)]),
    ...(action === undefined ? [] : [`${plainBy(action.label, LABEL)}: ${lineBy(action.url, ADDRESS)}`]),
  ]
    .filter((part) => part !== '')
    .join('\n\n');
}
