/** Progress output of `up` and `demo`: a spinner with the elapsed time on a terminal, plain lines in a pipe. */
import { styleText } from 'node:util';

export interface Terminal {
  readonly interactive: boolean;
  /** Shows the current step. */
  readonly progress: (message: string) => void;
  /** Ends the progress line. */
  readonly done: () => void;
  readonly line: (text: string) => void;
}

const FRAMES = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];
const FRAME_MS = 80;

/** With `quiet`, progress goes to standard error, since standard output is for a program. */
export function createTerminal({ quiet = false }: { quiet?: boolean } = {}): Terminal {
  const stream = quiet ? process.stderr : process.stdout;
  const interactive = stream.isTTY && process.env['TERM'] !== 'dumb';
  // The reader may have closed the pipe: that ends the output, not the work.
  stream.on('error', () => undefined);
  let current: { message: string; since: number; timer: NodeJS.Timeout } | undefined;
  let frame = 0;

  function draw(): void {
    if (!current) return;
    frame = (frame + 1) % FRAMES.length;
    const seconds = ((Date.now() - current.since) / 1000).toFixed(1);
    // One line at most: a wrapped line could not be overwritten.
    const room = Math.max(20, (stream.columns ?? 80) - seconds.length - 6);
    const shown = current.message.length > room ? `${current.message.slice(0, room - 1)}…` : current.message;
    stream.write(`\r\u001B[2K${style('cyan', FRAMES[frame] ?? '')} ${shown} ${style('dim', `${seconds} s`)}`);
  }

  function done(): void {
    if (!current) return;
    clearInterval(current.timer);
    current = undefined;
    stream.write('\r\u001B[2K');
  }

  return {
    interactive,
    progress(message) {
      if (!interactive) return void stream.write(`${message}\n`);
      done();
      current = { message, since: Date.now(), timer: setInterval(draw, FRAME_MS) };
      draw();
    },
    done,
    line(text) {
      done();
      stream.write(`${text}\n`);
    },
  };
}

/** Styles text on a terminal that supports colours. */
export function style(format: Parameters<typeof styleText>[0], text: string): string {
  return styleText(format, text, { stream: process.stdout, validateStream: true });
}
