/** Brings log lines to the platform in batches, one batch at a time, and holds a bounded number while it is away. */
import type { Redact } from '../../domain/agent/redaction.ts';
import { fitLine, type Log } from './log-line.ts';
import { PlatformRefused } from './platform.ts';
import type { LogBatch, LogLine } from './protocol.ts';

const FLUSH_AFTER_MS = 250;
const BATCH_LINES = 100;
const HELD_LINES = 20_000;
const HELD_CHARACTERS = 16 * 1024 * 1024;

export interface LogShipper {
  write: Log;
  /** Numbers the lines from here on: the log of an interrupted agent goes on. Called before the first line. */
  continueFrom(line: number): void;
  /** Resolves when everything written so far has been delivered, or can never be. */
  drain(): Promise<void>;
}

/** Starts a log. `send` delivers one batch and repeats it by itself; when it throws, nobody listens any more. */
export function createLogShipper(options: {
  send: (batch: LogBatch) => Promise<void>;
  redact: Redact;
  heldLines?: number;
}): LogShipper {
  const heldLines = options.heldLines ?? HELD_LINES;
  const held: LogLine[] = [];
  let heldCharacters = 0;
  let next = 0;
  let dropped: { first: LogLine; count: number } | undefined;
  let timer: NodeJS.Timeout | undefined;
  let sending: Promise<void> | undefined;
  let deaf = false;

  function write(kind: LogLine['kind'], text: string): void {
    if (deaf) return;
    const line = { n: next++, at: new Date().toISOString(), kind, text: fitLine(options.redact(text)) };
    held.push(line);
    heldCharacters += line.text.length;
    while (held.length > heldLines || heldCharacters > HELD_CHARACTERS) dropOldest();
    schedule();
  }

  function dropOldest(): void {
    const line = held.shift();
    if (!line) return;
    heldCharacters -= line.text.length;
    dropped = { first: dropped?.first ?? line, count: (dropped?.count ?? 0) + 1 };
  }

  function schedule(): void {
    if (sending) return;
    if (held.length >= BATCH_LINES) return start();
    timer ??= setTimeout(start, FLUSH_AFTER_MS);
  }

  function start(): void {
    clearTimeout(timer);
    timer = undefined;
    sending ??= sendOne().finally(() => {
      sending = undefined;
      if (held.length > 0) schedule();
    });
  }

  async function sendOne(): Promise<void> {
    const lines = takeBatch();
    if (lines.length === 0) return;
    try {
      await options.send({ lines });
    } catch (error) {
      if (error instanceof PlatformRefused) return;
      deaf = true;
      held.length = 0;
    }
  }

  function takeBatch(): LogLine[] {
    const notice = dropped && [noticeOf(dropped)];
    dropped = undefined;
    const lines = held.splice(0, BATCH_LINES);
    for (const line of lines) heldCharacters -= line.text.length;
    return [...(notice ?? []), ...lines];
  }

  async function drain(): Promise<void> {
    while (held.length > 0 || sending) {
      start();
      await sending;
    }
  }

  function continueFrom(line: number): void {
    next = line;
  }

  return { write, continueFrom, drain };
}

/** Takes the number of the first line that is missing, so that the gap in the numbers explains itself. */
function noticeOf({ first, count }: { first: LogLine; count: number }): LogLine {
  const lines = count === 1 ? '1 log line was' : `${count.toLocaleString('en-US')} log lines were`;
  return { n: first.n, at: first.at, kind: 'runner', text: `${lines} dropped while the platform was away` };
}
