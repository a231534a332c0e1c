/** What a run asks of people: the answer to a question, the approval of a tool call, or whether it may spend more. Pure. */
import type { ParkedCall } from '../approvals/parked-call.ts';

export type RequestKind = 'question' | 'approval' | 'budget';

/** The surfaces by which a request is answered; `policy`: a changed policy needs nobody's approval any more. */
export const ANSWER_SURFACES = ['comment', 'command_line', 'dashboard', 'api', 'callback', 'policy'] as const;
export type AnswerSurface = (typeof ANSWER_SURFACES)[number];

/** A question has no options, and then free text answers it, or two to five. */
export const FEWEST_OPTIONS = 2;
export const MOST_OPTIONS = 5;

/** An answer has at most this many characters. */
export const ANSWER_CHARACTERS = 10_000;

/** Something that a run asks of people. Plain JSON. */
export interface Request {
  /** `<run id>.<n>`; n counts the requests of the run from 1. */
  readonly id: string;
  readonly kind: RequestKind;
  readonly runId: string;
  readonly question: string;
  /** None, or two to five. */
  readonly options: readonly string[];
  /** Whether a text of one's own is an answer: where there are no options, or besides them. */
  readonly freeText: boolean;
  /**
   * `read_write`: whoever may start runs. `owner`: an owner or administrator. `delegated`: a member who did not start the run. Who
   * may decide on a call is judged anew by the policy of the moment of the decision.
   */
  readonly mayAnswer: 'read_write' | 'delegated' | 'owner';
  /** ISO 8601. */
  readonly askedAt: string;
  /** ISO 8601. */
  readonly deadline: string;
  readonly answer: RequestAnswer | null;
  /** The tool call that waits for this request, with the person who started its run; missing for a question of the agent's answer. */
  readonly call?: RequestedCall;
}

export interface RequestedCall extends ParkedCall {
  readonly requester: { readonly id: number; readonly login: string };
}

/** What people decide on an approval. */
export type Verdict = 'approved' | 'denied';

export interface RequestAnswer {
  /** The text of the option, or the free text; of a decision, its reason, which may be empty. */
  readonly text: string;
  /** Of an approval. */
  readonly decision?: Verdict;
  /** The option's place, from 0; null for free text. */
  readonly option: number | null;
  /** Who answered: a login, or the name given at another surface. */
  readonly actor: string;
  /** ISO 8601. */
  readonly at: string;
  readonly surface: AnswerSurface;
}

/** What an agent asks. */
export interface Question {
  readonly text: string;
  readonly options: readonly string[];
}

interface Opening {
  readonly runId: string;
  readonly n: number;
  readonly askedAt: string;
  readonly deadline: string;
}

/** The id of a run's n-th request, n from 1. */
export function requestId(runId: string, n: number): string {
  return `${runId}.${n}`;
}

/** The number of a request in its run. */
export function requestNumber(id: string): string {
  return id.slice(id.lastIndexOf('.') + 1);
}

/** The request that a question opens. `askedAt` and `deadline` are ISO 8601. */
export function openRequest({ text, options }: Question, at: Opening, kind: RequestKind = 'question'): Request {
  return {
    id: requestId(at.runId, at.n),
    kind,
    runId: at.runId,
    question: text,
    options,
    freeText: options.length === 0,
    mayAnswer: 'read_write',
    askedAt: at.askedAt,
    deadline: at.deadline,
    answer: null,
  };
}

/** The request that a parked call opens: its tool's question, or its approval. */
export function openCallRequest(call: RequestedCall, at: Opening): Request {
  const { asks } = call;
  if (asks) {
    const { text, options, freeText, owner } = asks;
    return { ...openRequest({ text, options }, at), freeText, mayAnswer: owner ? 'owner' : 'read_write', call };
  }
  const question = `May the platform call \`${call.tool}\` (${call.action}) for the agent?`;
  return {
    ...openRequest({ text: question, options: [] }, at),
    kind: 'approval',
    freeText: false,
    mayAnswer: call.mode,
    call,
  };
}

/** An answer as it arrives: to a question its text; to an approval the verdict, with a reason as its text. */
export interface GivenAnswer {
  readonly text: string;
  readonly decision?: Verdict | undefined;
}

/** What an answer means for a request. `problem` says what would be an answer, in a sentence for people. */
export function readAnswer(
  request: Pick<Request, 'id' | 'kind' | 'options' | 'freeText'>,
  { text, decision }: GivenAnswer,
): Pick<RequestAnswer, 'option' | 'text' | 'decision'> | { readonly problem: string } {
  if (request.kind !== 'approval') {
    if (decision === undefined) return readAnswerText(request, text);
    return { problem: `Request ${request.id} is a question: it takes an answer, and is neither approved nor denied` };
  }
  if (decision === undefined) return { problem: `Request ${request.id} waits for an approval: approve or deny it` };
  if (text.length > ANSWER_CHARACTERS)
    return { problem: `The reason is longer than ${ANSWER_CHARACTERS.toLocaleString('en-US')} characters` };
  return { option: null, text: text.trim(), decision };
}

/**
 * Reads a text as an answer to a request: the number of an option from 1, or the option's text without regard to case and white
 * space; any text where free text answers. A bare number that is both is refused. Lines that quote somebody else (`>`) are left out. `problem` says what would be
 * an answer, in a sentence for people.
 */
export function readAnswerText(
  { options, freeText }: Pick<Request, 'options' | 'freeText'>,
  text: string,
): { readonly option: number | null; readonly text: string } | { readonly problem: string } {
  const said = withoutQuotes(text);
  const twice = ambiguous(options, said);
  if (twice) return { problem: twice };
  const option = optionOf(options, said);
  const chosen = option === undefined ? undefined : options[option];
  if (option !== undefined && chosen !== undefined) return { option, text: chosen };
  if (!freeText) return { problem: `The answer must be one of these, or its number: ${listed(options)}` };
  if (said === '') return { problem: 'The answer is empty' };
  if (said.length > ANSWER_CHARACTERS)
    return { problem: `The answer is longer than ${ANSWER_CHARACTERS.toLocaleString('en-US')} characters` };
  return { option: null, text: said };
}

/** A bare number may be one option's number and another's text: `#` before it says that the number is meant. */
function ambiguous(options: readonly string[], said: string): string | undefined {
  const number = /^\d{1,2}$/.test(said) ? Number(said) : 0;
  const index = options.findIndex((option) => plain(option) === said);
  if (index === -1 || number < 1 || number > options.length || index === number - 1) return undefined;
  return `“${said}” is the number of “${options[number - 1]}” and the text of option ${index + 1}: answer #${number} or #${index + 1}`;
}

function optionOf(options: readonly string[], said: string): number | undefined {
  const number = /^#?(\d{1,2})[.)]?$/.exec(said)?.[1];
  if (number !== undefined && Number(number) >= 1 && Number(number) <= options.length) return Number(number) - 1;
  const index = options.findIndex((option) => plain(option) === plain(said));
  return index === -1 ? undefined : index;
}

function plain(text: string): string {
  return text.replaceAll(/\s+/g, ' ').trim().toLowerCase();
}

/** A text without the lines that quote somebody else. */
export function withoutQuotes(text: string): string {
  return text
    .split(/\r?\n/)
    .filter((line) => !line.startsWith('>'))
    .join('\n')
    .trim();
}

/** A comment's text as it is compared with itself at another time: without what only its transport changes. */
export function comparable(text: string): string {
  return text.toWellFormed().replaceAll('\0', '\u{FFFD}').replaceAll(/\r\n?/g, '\n').trimEnd();
}

function listed(options: readonly string[]): string {
  return options.map((option, index) => `${index + 1}. ${option}`).join('; ');
}
