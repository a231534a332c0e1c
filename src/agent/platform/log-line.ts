/** One line of the run log, as the protocol accepts it. */
import { LOG_LINE_CHARACTERS, type LogLine } from './protocol.ts';

type LogKind = LogLine['kind'];
export interface LogEntry {
  readonly kind: LogKind;
  readonly text: string;
}
export type Log = (kind: LogKind, text: string) => void;

/** Cuts a text that is too long, with a notice of its length; replaces characters that JSON or Postgres cannot hold. */
export function fitLine(text: string): string {
  return cut(text).toWellFormed().replaceAll('\0', '\uFFFD');
}

function cut(text: string): string {
  if (text.length <= LOG_LINE_CHARACTERS) return text;
  const notice = `… (${text.length.toLocaleString('en-US')} characters, cut)`;
  return text.slice(0, LOG_LINE_CHARACTERS - notice.length) + notice;
}
