/** The comment with which a run asks people something, and which shows how that ended. */
import type { Locale } from '../locale.ts';
import { requestNumber, type Request, type RequestedCall } from '../run/requests.ts';
import { embedded, lineBy, plainBy, quoted } from './markdown.ts';
import { requestTexts } from './request-texts.ts';
import { minute } from './workspace-removal.ts';

/** `closed` without an answer: nobody answered in time, or the run ended before. */
export type RequestState = 'open' | 'closed';

/** Characters of an option and of a name that are shown. */
const OPTION_LENGTH = 200;
const NAME_LENGTH = 100;
const REASON_LENGTH = 500;

/** The hidden line by which the comment is found again. */
export function requestMarker(id: string): string {
  return `<!-- codex-k8s:request ${id} -->`;
}

/** Renders the whole comment. */
export function renderRequest(request: Request, state: RequestState, locale: Locale): string {
  const texts = requestTexts(locale);
  const { answer, options, question, runId, call } = request;
  if (request.kind === 'approval' && call) return renderApproval(request, call, state, locale);
  const end = answer
    ? [texts.answered(plainBy(answer.actor, NAME_LENGTH), minute(answer.at)), quoted(answer.text)]
    : state === 'closed'
      ? [texts.closed]
      : [
          texts.how(options.length, runId, minute(request.deadline)),
          ...(call ? [`${texts.command(requestNumber(request.id))} ${texts.approval.who[request.mayAnswer]}`] : []),
        ];
  return [
    requestMarker(request.id),
    `### ${texts.titles[request.kind]}`,
    embedded(question),
    options.map((option, index) => `${index + 1}. ${lineBy(option, OPTION_LENGTH)}`).join('\n'),
    ...end,
  ]
    .filter((part) => part !== '')
    .join('\n\n');
}

function renderApproval(request: Request, call: RequestedCall, state: RequestState, locale: Locale): string {
  const { approval, closed, titles } = requestTexts(locale);
  const { answer, id, deadline, mayAnswer } = request;
  const ended = answer && [
    approval.ended(answer.decision ?? 'denied', plainBy(answer.actor, NAME_LENGTH), minute(answer.at)),
    quoted(answer.text),
  ];
  return [
    requestMarker(id),
    `### ${titles.approval}`,
    approval.what(call.tool, call.action),
    `${approval.args}\n\n${quoted(call.summary, call.summary.length)}`,
    approval.why(lineBy(call.reason, OPTION_LENGTH)),
    ...(ended ??
      (state === 'closed'
        ? [closed]
        : [approval.who[mayAnswer], approval.how(requestNumber(id), id, minute(deadline))])),
  ]
    .filter((part) => part !== '')
    .join('\n\n');
}

/** The comment that says why an answer or a command was refused; `why` is a sentence without a full stop. */
export function renderRefusedAnswer(
  { comment, actor }: { readonly comment: number; readonly actor: string },
  why: string,
  locale: Locale,
): { readonly marker: string; readonly body: string } {
  const marker = `<!-- codex-k8s:answer-refused ${comment} -->`;
  const body = requestTexts(locale).refused(plainBy(actor, NAME_LENGTH), plainBy(why, REASON_LENGTH));
  return { marker, body: `${marker}\n\n${body}` };
}

/** The comment that says why a comment was not taken as an answer. It is found again by its marker. */
export function renderEditedAnswer(
  { comment, actor }: { readonly comment: number; readonly actor: string },
  locale: Locale,
): { readonly marker: string; readonly body: string } {
  const marker = `<!-- codex-k8s:answer-edited ${comment} -->`;
  return { marker, body: `${marker}\n\n${requestTexts(locale).edited(plainBy(actor, NAME_LENGTH))}` };
}
