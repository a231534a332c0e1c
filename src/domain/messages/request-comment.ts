/** The comment with which a run asks people something, and which shows how that ended. */
import type { Locale } from '../locale.ts';
import type { Request } from '../run/requests.ts';
import { embedded, lineBy, plainBy, quoted } from './markdown.ts';
import { requestTexts } from './request-texts.ts';
import { minute } from './workspace-removal.ts';

/** `closed` without an answer: nobody answered in time, or the run ended before. */
export type RequestState = 'open' | 'closed';

/** Characters of an option and of a name that are shown. */
const OPTION_LENGTH = 200;
const NAME_LENGTH = 100;

/** The hidden line by which the comment is found again. */
export function requestMarker(id: string): string {
  return `<!-- codex-k8s:request ${id} -->`;
}

/** Renders the whole comment. */
export function renderRequest(request: Request, state: RequestState, locale: Locale): string {
  const texts = requestTexts(locale);
  const { answer, options, question, runId } = request;
  const end = answer
    ? [texts.answered(plainBy(answer.actor, NAME_LENGTH), minute(answer.at)), quoted(answer.text)]
    : [state === 'closed' ? texts.closed : texts.how(options.length, runId, minute(request.deadline))];
  return [
    requestMarker(request.id),
    `### ${texts.title}`,
    embedded(question),
    options.map((option, index) => `${index + 1}. ${lineBy(option, OPTION_LENGTH)}`).join('\n'),
    ...end,
  ]
    .filter((part) => part !== '')
    .join('\n\n');
}

/** The comment that says why a comment was not taken as an answer. It is found again by its marker. */
export function renderEditedAnswer(
  { comment, actor }: { readonly comment: number; readonly actor: string },
  locale: Locale,
): { readonly marker: string; readonly body: string } {
  const marker = `<!-- codex-k8s:answer-edited ${comment} -->`;
  return { marker, body: `${marker}\n\n${requestTexts(locale).edited(plainBy(actor, NAME_LENGTH))}` };
}
