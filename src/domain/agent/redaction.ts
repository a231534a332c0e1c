/**
 * Hides secrets in everything that leaves an agent's container: log lines, reports, the stored conversation, the output of a
 * lost agent. The runner does it, and the server does it again, because an agent holds the run token and can do without a runner.
 */
import { unescaped } from './json-escapes.ts';
import { BASE64_WORD, SECRET_PATTERNS } from './secret-patterns.ts';

export type Redact = (text: string) => string;

const REDACTED = '[redacted]';

/** Known values with fewer characters are words, not secrets. */
const SHORTEST_KNOWN = 8;

/** From `from` up to, not including, `to`. */
interface Range {
  readonly from: number;
  readonly to: number;
}

/** Makes a function that hides these values, also in base64, and everything that looks like a well-known kind of secret. */
export function createRedactor(secrets: readonly string[]): Redact {
  const find = createFinder(secrets);
  return (text) => hide(text, find(text), 0);
}

/**
 * The same for lines that belong together: a secret over several lines (a private key, base64 that was wrapped) is hidden in
 * each of them. Returns as many lines as it gets.
 */
export function createLinesRedactor(secrets: readonly string[]): (lines: readonly string[]) => string[] {
  const find = createFinder(secrets);
  return function redactLines(lines) {
    const found = find(lines.join('\n'));
    if (found.length === 0) return [...lines];
    let start = 0;
    return lines.map((line) => {
      const clean = hide(line, found, start);
      start += line.length + 1;
      return clean;
    });
  };
}

/** A copy of the value with every string in it redacted. */
export function redactDeep<T>(value: T, redact: Redact): T {
  return JSON.parse(JSON.stringify(value), (_key, inner: unknown) =>
    typeof inner === 'string' ? redact(inner) : inner,
  ) as T;
}

/** Finds secrets, also behind JSON's escapes: ranges in their order, none touching another. */
function createFinder(secrets: readonly string[]): (text: string) => Range[] {
  const known = secrets.filter((secret) => secret.length >= SHORTEST_KNOWN).flatMap(knownForms);

  function findIn(text: string): Range[] {
    const found: Range[] = [];
    const patterns = known
      .filter(({ parts }) => parts.some((part) => text.includes(part)))
      .map(({ pattern }) => pattern);
    for (const pattern of [...patterns, ...SECRET_PATTERNS]) {
      for (const { 0: match, index } of text.matchAll(pattern)) found.push({ from: index, to: index + match.length });
    }
    for (const { 0: match, 1: word = '', index } of text.matchAll(BASE64_WORD)) {
      const to = index + match.length;
      if (hidesSecret(word)) found.push({ from: to - word.length, to });
    }
    return found;
  }

  return function find(text) {
    const plain = unescaped(text);
    const behindEscapes = plain ? findIn(plain.text) : [];
    return merged([
      ...findIn(text),
      // An escape is hidden as a whole: the text stays JSON.
      ...behindEscapes.map(({ from, to }) => ({
        from: plain?.originOf(from) ?? from,
        to: plain?.originOf(to) ?? to,
      })),
    ]);
  };
}

/** Whether this is base64 of something that holds a well-known kind of secret. */
function hidesSecret(word: string): boolean {
  const bytes = Buffer.from(word, 'base64').toString('latin1');
  return SECRET_PATTERNS.some((pattern) => bytes.search(pattern) !== -1);
}

/** One form in which a known value may stand. */
interface KnownForm {
  /** Every match holds one of these: a quick look. */
  readonly parts: readonly string[];
  readonly pattern: RegExp;
}

/** The forms of a value: itself, as in URLs and JSON, in another case, in hexadecimal, and in base64. */
function knownForms(secret: string): KnownForm[] {
  const hex = Buffer.from(secret).toString('hex');
  const forms = new Set([
    ...[secret, encodeURIComponent(secret), JSON.stringify(secret).slice(1, -1)].flatMap(inEveryCase),
    hex,
    hex.toUpperCase(),
  ]);
  return [
    ...[...forms].map((form) => ({ parts: [form], pattern: new RegExp(escaped(form), 'g') })),
    ...base64Forms(secret),
  ];
}

function inEveryCase(text: string): string[] {
  const [lower, upper] = [text.toLowerCase(), text.toUpperCase()];
  return [
    text,
    lower,
    upper,
    Array.from(text, (one) => (one === one.toLowerCase() ? one.toUpperCase() : one.toLowerCase())).join(''),
  ];
}

/**
 * What is the same in base64 of all texts with this value, for each of the three places where a group of bytes may begin; in both
 * alphabets, and with the line breaks that the program `base64` makes.
 */
function base64Forms(secret: string): KnownForm[] {
  const bytes = Buffer.from(secret);
  return [0, 1, 2].map((before) => {
    const encoded = Buffer.concat([Buffer.alloc(before), bytes])
      .toString('base64')
      .replaceAll('=', '');
    // The characters at both ends also hold bits of the neighbours.
    const inner = encoded.slice(before === 0 ? 0 : before + 1, (before + bytes.length) % 3 === 0 ? undefined : -1);
    const source = Array.from(inner, (character) => BASE64_CLASSES[character] ?? character).join(BREAK);
    // Parts that are the same in both alphabets. A line break may be in one of them, and then is not in the other.
    const parts = (inner.match(/[^+/]{1,8}/g) ?? []).toSorted((one, other) => other.length - one.length).slice(0, 2);
    return { parts, pattern: new RegExp(source, 'g') };
  });
}

const BASE64_CLASSES: Readonly<Record<string, string>> = { '+': '[+-]', '/': '[/_]' };
const BREAK = String.raw`(?:\r?\n|\\r\\n|\\n)?`;

function escaped(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|/]/g, String.raw`\$&`);
}

function merged(ranges: readonly Range[]): Range[] {
  const result: Range[] = [];
  for (const range of ranges.toSorted((a, b) => a.from - b.from)) {
    const last = result.at(-1);
    if (last && range.from <= last.to) result[result.length - 1] = { from: last.from, to: Math.max(last.to, range.to) };
    else result.push(range);
  }
  return result;
}

/** The text, which begins at `start` of what the ranges mean, without what is in them. */
function hide(text: string, ranges: readonly Range[], start: number): string {
  let clean = '';
  let at = 0;
  for (const range of ranges) {
    const from = Math.max(0, range.from - start);
    const to = Math.min(text.length, range.to - start);
    if (to <= from) continue;
    clean += text.slice(at, from) + REDACTED;
    at = to;
  }
  return clean + text.slice(at);
}
