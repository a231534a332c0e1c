/** Splits a stream of bytes into lines, holding at most one line of bounded length. */
import { StringDecoder } from 'node:string_decoder';

/** Codex puts the whole output of a command (at most 1 MiB, more when escaped) into one line of JSON. */
const LONGEST_LINE = 16 * 1024 * 1024;

export interface LineSplitter {
  push(chunk: Buffer): void;
  /** Emits the last line if it has no line break. */
  end(): void;
}

/** A line longer than `longestLine` characters is dropped and its length is passed to `onTooLong`. */
export function createLineSplitter(options: {
  onLine: (line: string) => void;
  onTooLong: (characters: number) => void;
  longestLine?: number;
}): LineSplitter {
  const longest = options.longestLine ?? LONGEST_LINE;
  const decoder = new StringDecoder('utf8');
  let pieces: string[] = [];
  let length = 0;

  function add(text: string): void {
    length += text.length;
    if (length > longest) pieces = [];
    else pieces.push(text);
  }

  function finish(): void {
    if (length > longest) options.onTooLong(length);
    else if (length > 0) options.onLine(pieces.join(''));
    pieces = [];
    length = 0;
  }

  function take(text: string): void {
    let from = 0;
    for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', from)) {
      add(text.slice(from, at));
      finish();
      from = at + 1;
    }
    add(text.slice(from));
  }

  return {
    push: (chunk) => take(decoder.write(chunk)),
    end() {
      take(decoder.end());
      finish();
    },
  };
}
