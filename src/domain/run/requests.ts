/** What a run asks of people. A question of its agent is the first kind; approvals will be others. Pure. */

export const REQUEST_KINDS = ['question'] as const;
export type RequestKind = (typeof REQUEST_KINDS)[number];

/** The surfaces by which a request is answered. */
export const ANSWER_SURFACES = ['comment', 'command_line', 'dashboard', 'api'] as const;
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
  /** Whether a text of one's own is an answer: where there are no options. */
  readonly freeText: boolean;
  /** The least role in the project that may answer. */
  readonly mayAnswer: 'read_write';
  /** ISO 8601. */
  readonly askedAt: string;
  /** ISO 8601. */
  readonly deadline: string;
  readonly answer: RequestAnswer | null;
}

export interface RequestAnswer {
  /** The text of the option, or the free text. */
  readonly text: string;
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

/** The id of a run's n-th request, n from 1. */
export function requestId(runId: string, n: number): string {
  return `${runId}.${n}`;
}

/** The request that an agent's question opens. `askedAt` and `deadline` are ISO 8601. */
export function openRequest(
  { text, options }: Question,
  at: { readonly runId: string; readonly n: number; readonly askedAt: string; readonly deadline: string },
): Request {
  return {
    id: requestId(at.runId, at.n),
    kind: 'question',
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

function withoutQuotes(text: string): string {
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
