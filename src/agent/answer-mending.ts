/** Mends the form of an agent's answer, so that finished work is not lost over it. */
import { FEWEST_OPTIONS, MOST_OPTIONS } from '../domain/run/requests.ts';
import { ANSWER_LIMITS } from './platform/protocol.ts';

type Fields = Readonly<Record<string, unknown>>;

/** The value with what is too long cut, and without what does not belong there. What is missing stays missing. */
export function mendedAnswer(value: unknown): unknown {
  if (!isFields(value)) return value;
  const summary = cut(value['summary'], ANSWER_LIMITS.summary) ?? cut(value['title'], ANSWER_LIMITS.summary);
  const title = oneLine(value['title'], ANSWER_LIMITS.title) ?? oneLine(firstLine(summary), ANSWER_LIMITS.title);
  return {
    summary,
    title,
    checks: entries(value['checks']).flatMap(mendedCheck).slice(0, ANSWER_LIMITS.checks),
    answers: entries(value['answers']).flatMap(mendedReply).slice(0, ANSWER_LIMITS.answers),
    back_to: oneLine(value['back_to'], ANSWER_LIMITS.backTo) ?? '',
    learning: entries(value['learning']).flatMap(mendedExplanation).slice(0, ANSWER_LIMITS.explanations),
    question: mendedQuestion(value['question']),
  };
}

function mendedCheck(check: Fields): { command: string; passed: boolean }[] {
  const command = cut(check['command'], ANSWER_LIMITS.command);
  return command !== undefined && typeof check['passed'] === 'boolean' ? [{ command, passed: check['passed'] }] : [];
}

function mendedExplanation(entry: Fields): { path: string; line: number | null; explanation: string }[] {
  const path = oneLine(entry['path'], ANSWER_LIMITS.path);
  const explanation = cut(entry['explanation'], ANSWER_LIMITS.explanation);
  const line = Number(entry['line']);
  const isLine = Number.isSafeInteger(line) && line > 0 && line <= 10_000_000;
  return path === undefined || explanation === undefined ? [] : [{ path, line: isLine ? line : null, explanation }];
}

function mendedReply(reply: Fields): { comment_id: number; answer: string }[] {
  const id = Number(reply['comment_id'] ?? Number.NaN);
  const answer = cut(reply['answer'], ANSWER_LIMITS.answer);
  return Number.isSafeInteger(id) && answer !== undefined ? [{ comment_id: id, answer }] : [];
}

/** Options that are too few, too many, too long or the same become a list in the text, which is answered freely. */
function mendedQuestion(question: unknown): unknown {
  if (question === undefined || question === null || question === '') return null;
  const fields = typeof question === 'string' ? { text: question } : question;
  if (!isFields(fields)) return fields;
  const text = cut(fields['text'], ANSWER_LIMITS.question);
  const options = Array.isArray(fields['options'])
    ? fields['options'].flatMap((option) => cut(option, ANSWER_LIMITS.question) ?? [])
    : [];
  if (text === undefined) return { text, options: [] };
  const different = new Set(options.map((option) => option.toLowerCase())).size === options.length;
  const fit = options.length >= FEWEST_OPTIONS && options.length <= MOST_OPTIONS && different;
  if (options.length === 0 || (fit && options.every((option) => option.length <= ANSWER_LIMITS.option)))
    return { text, options };
  const list = [...new Set(options)].map((option) => `- ${option}`).join('\n');
  return { text: cut(`${text}\n\n${list}`, ANSWER_LIMITS.question), options: [] };
}

/** A text without surrounding space that Postgres and JSON can hold; undefined if there is none. */
function cut(value: unknown, longest: number): string | undefined {
  if (typeof value !== 'string') return undefined;
  const whole = value.toWellFormed().replaceAll('\0', '\u{FFFD}').trim();
  if (whole === '') return undefined;
  return whole.length <= longest ? whole : `${whole.slice(0, longest - 1).trimEnd()}…`.toWellFormed();
}

function oneLine(value: unknown, longest: number): string | undefined {
  return typeof value === 'string' ? cut(value.replaceAll(/\s+/g, ' '), longest) : undefined;
}

function firstLine(text: string | undefined): string | undefined {
  return text?.split('\n', 1)[0]?.replace(/^[#\s]+/, '');
}

function entries(value: unknown): readonly Fields[] {
  return Array.isArray(value) ? value.filter((entry) => isFields(entry)) : [];
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
