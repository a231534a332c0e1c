/** Terminal output: colours where they are supported, and no control characters from text that strangers wrote. */
import { styleText } from 'node:util';

export interface Terminal {
  out(line: string): void;
  error(line: string): void;
  readonly color: boolean;
}

type Style = Parameters<typeof styleText>[0];

/** A closed pipe (`| head`) is not an error. */
function endOnClosedPipe(error: NodeJS.ErrnoException): void {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
}

/** The terminal of this process. Colours need a TTY and no NO_COLOR. */
export function processTerminal(env: NodeJS.ProcessEnv = process.env): Terminal {
  if (!process.stdout.listeners('error').includes(endOnClosedPipe)) process.stdout.on('error', endOnClosedPipe);
  return {
    out: (line) => void process.stdout.write(`${line}\n`),
    error: (line) => void process.stderr.write(`${line}\n`),
    color: process.stdout.isTTY && (env['NO_COLOR'] ?? '') === '',
  };
}

/** Styles text, where colours are supported. */
export function paint(terminal: Terminal, style: Style, text: string): string {
  return terminal.color ? styleText(style, text, { validateStream: false }) : text;
}

/** Removes control characters except tabs and line breaks: titles and logs contain text that strangers wrote. */
export function plain(text: string): string {
  return text.replaceAll('\r\n', '\n').replaceAll(/[^\P{Cc}\t\n]/gu, '');
}
