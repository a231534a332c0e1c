/**
 * Texts by others inside a text of the platform. A workflow, which must not parse what an agent wrote, only marks where they are;
 * src/adapters/github/outgoing.ts makes them safe when the text is written to GitHub, and no text gets there without it.
 */
import { inert, inertCode } from './inert.ts';

/** `markdown`: of any length; `line`: Markdown in one line. */
export type TextKind = 'markdown' | 'line';

const LETTERS: Readonly<Record<TextKind, string>> = { markdown: 'm', line: 'l' };
/** The length comes first, so that nothing in a text can end it. Characters of private use, which no text of the platform has. */
const FRAME = /\uE0F0([ml])(\d+)\uE0F1/g;

/** Markdown by others: an agent's summary. */
export function embedded(markdown: string): string {
  return framed('markdown', markdown);
}

/** One line of Markdown by others, cut to so many characters. */
export function lineBy(text: string, longest: number): string {
  return framed('line', inOneLine(text, longest));
}

/** A name or a message by others, in one line, cut to so many characters: nothing in it is markup. */
export function plainBy(text: string, longest: number): string {
  return escaped(inOneLine(text, longest));
}

function framed(kind: TextKind, text: string): string {
  return text === '' ? '' : `\uE0F0${LETTERS[kind]}${text.length}\uE0F1${text}`;
}

/** A text of the platform with the texts by others in it replaced. */
export function replaceTexts(text: string, replace: (kind: TextKind, theirs: string) => string): string {
  let shown = '';
  let from = 0;
  FRAME.lastIndex = 0;
  for (let frame = FRAME.exec(text); frame; frame = FRAME.exec(text)) {
    const [mark, letter = '', length] = frame;
    const start = frame.index + mark.length;
    const end = start + Number(length);
    shown += text.slice(from, frame.index) + replace(letter === 'm' ? 'markdown' : 'line', text.slice(start, end));
    from = end;
    FRAME.lastIndex = end;
  }
  return shown + text.slice(from);
}

/** A text in one line, without invisible characters, cut to so many characters. */
export function inOneLine(text: string, longest: number): string {
  const line = text.replaceAll(/[\s\p{Cc}\p{Cf}]+/gu, ' ').trim();
  return line.length <= longest ? line : `${line.slice(0, longest - 1).toWellFormed()}…`;
}

/** A text in one line in which no character is markup, also in a cell of a table. */
export function escaped(text: string): string {
  return inert(text.replaceAll(/\s+/g, ' '))
    .replaceAll(/[\\`*_[\]<>|~&#!$]/g, String.raw`\$&`)
    .replace(/^[-+=]/, String.raw`\$&`);
}

/** A command in one line of code. */
export function codeLine(code: string, longest: number): string {
  return `\`${inertCode(inOneLine(code, longest).replaceAll('`', "'"))}\``;
}

/** The most characters of a quotation. */
const QUOTED = 1500;

/** A text in a code block that it cannot end: nothing in it is markup, and nobody is mentioned. */
export function quoted(text: string, longest = QUOTED): string {
  if (text.trim() === '') return '';
  const shown = inertCode(text.length > longest ? `${text.slice(0, longest).toWellFormed()} …` : text);
  const fence = '`'.repeat(Math.max(3, ...[...shown.matchAll(/`+/g)].map((run) => run[0].length + 1)));
  return `${fence}text\n${shown}\n${fence}`;
}
