/** Sends log lines to the platform, one batch at a time; buffers a bounded number while the platform is unavailable. */
import { fitLine, type Log } from './log-line.ts';
import { PlatformRefused } from './platform.ts';
import { LOG_LINE_CHARACTERS, type LogBatch, type LogLine } from './protocol.ts';

const FLUSH_AFTER_MS = 250;
const BATCH_LINES = 100;
const HELD_LINES = 20_000;
const HELD_CHARACTERS = 16 * 1024 * 1024;

export interface LogShipper {
  write: Log;
  /** Number of the first line, so that the log of an interrupted agent continues. Call it before the first line. */
  continueFrom(line: number): void;
  /** Resolves when all lines so far have been sent, or never can be. */
  drain(): Promise<void>;
}

/** Starts a log. `send` sends one batch with its own retries; once it throws, no more lines are sent. */
export function createLogShipper(options: {
  send: (batch: LogBatch) => Promise<void>;
  /** Hides secrets in lines that belong together; returns as many lines. */
  redact: (lines: readonly string[]) => string[];
  heldLines?: number;
}): LogShipper {
  const heldLines = options.heldLines ?? HELD_LINES;
  const held: LogLine[] = [];
  let heldCharacters = 0;
  let next = 0;
  let dropped: { first: LogLine; count: number } | undefined;
  let timer: NodeJS.Timeout | undefined;
  let sending: Promise<void> | undefined;
  let closed = false;

  function write(kind: LogLine['kind'], text: string): void {
    if (closed) return;
    // The rest is redacted with the lines after it; what is cut is redacted as a whole.
    const whole = text.length > LOG_LINE_CHARACTERS ? options.redact([text]).join('\n') : text;
    const line = { n: next++, at: new Date().toISOString(), kind, text: fitLine(whole) };
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
    // What is written together may hold one secret over the ends of batches: all of it first.
    await Promise.resolve();
    const lines = takeBatch();
    if (lines.length === 0) return;
    try {
      await options.send({ lines });
    } catch (error) {
      if (error instanceof PlatformRefused) return;
      closed = true;
      held.length = 0;
    }
  }

  function takeBatch(): LogLine[] {
    const notice = dropped && [noticeOf(dropped)];
    dropped = undefined;
    redactHeld();
    const lines = held.splice(0, BATCH_LINES);
    for (const line of lines) heldCharacters -= line.text.length;
    return [...(notice ?? []), ...lines];
  }

  /** A secret over several lines, such as a private key: it may go on in the next batch. */
  function redactHeld(): void {
    const clean = options.redact(held.slice(0, 2 * BATCH_LINES).map(({ text }) => text));
    for (const [index, text] of clean.entries()) {
      const line = held[index];
      if (!line || line.text === text) continue;
      heldCharacters += text.length - line.text.length;
      held[index] = { ...line, text: fitLine(text) };
    }
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

/** The notice has the number of the first dropped line, so that it explains the gap in the numbers. */
function noticeOf({ first, count }: { first: LogLine; count: number }): LogLine {
  const lines = count === 1 ? '1 log line was' : `${count.toLocaleString('en-US')} log lines were`;
  return { n: first.n, at: first.at, kind: 'runner', text: `${lines} dropped while the platform was unavailable` };
}
