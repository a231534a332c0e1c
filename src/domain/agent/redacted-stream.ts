/** Redacts what arrives in pieces, such as a conversation (lines of JSON), without holding all of it. */
import type { Redact } from './redaction.ts';

/** Characters that are redacted together, unless a line goes on; at most so many when neither a line nor a JSON string ends. */
const PIECE = 256 * 1024;
const LONGEST_PIECE = 4 * 1024 * 1024;

/** The chunks, UTF-8, with the secrets hidden; other bytes than UTF-8 become U+FFFD. Gives way to other work between pieces. */
export async function* redactedStream(
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  redact: Redact,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  const encoder = new TextEncoder();
  let held = '';
  for await (const chunk of chunks) {
    for (let at = 0; at < chunk.length; at += PIECE) {
      held += decoder.decode(chunk.subarray(at, at + PIECE), { stream: true });
      const end = held.length < PIECE ? 0 : endOfPiece(held);
      if (end === 0) continue;
      yield encoder.encode(redact(held.slice(0, end)));
      held = held.slice(end);
      await new Promise((resolve) => {
        setImmediate(resolve);
      });
    }
  }
  held += decoder.decode();
  if (held !== '') yield encoder.encode(redact(held));
}

/** Where no secret goes on: after a line, or after a JSON string. */
function endOfPiece(text: string): number {
  const line = text.lastIndexOf('\n') + 1;
  if (line > 0) return line;
  const quoted = text.lastIndexOf('"') + 1;
  if (quoted > 0) return quoted;
  return text.length < LONGEST_PIECE ? 0 : text.length;
}
