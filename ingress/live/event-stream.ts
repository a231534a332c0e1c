/** One stream of server-sent events, which is closed if the client does not read. */
import type { HttpBindings } from '@hono/node-server';
import type { Context } from 'hono';

export interface ServerSentEvent {
  readonly event: string;
  readonly data: string;
  /** The id that the browser sends as `Last-Event-ID` when it reconnects. */
  readonly id?: string;
}

export interface EventStream {
  readonly response: Response;
  send(event: ServerSentEvent): void;
  /** Sends a comment line, which keeps the connection alive. */
  comment(text: string): void;
  /** Resolves when the client has read most of the buffer; closes the stream if that takes too long. */
  room(): Promise<void>;
  /** Ends the stream after the buffer was read. */
  end(): void;
  isClosed(): boolean;
  readonly closed: Promise<void>;
}

/** Milliseconds after which a browser reconnects. */
const RETRY_MS = 2000;
const ROOM_LIMIT_MS = 30_000;

/** Opens a stream as the answer to a request. */
export function openEventStream(c: Context, { maxBufferedBytes }: { maxBufferedBytes: number }): EventStream {
  const encoder = new TextEncoder();
  const over = Promise.withResolvers<void>();
  let isClosed = false;
  let waiting: (() => void)[] = [];
  let controller: ReadableStreamDefaultController<Uint8Array> | undefined;

  const body = new ReadableStream<Uint8Array>(
    {
      start(given) {
        controller = given;
      },
      pull() {
        if (buffered() > maxBufferedBytes / 4) return;
        for (const resume of waiting.splice(0)) resume();
      },
      cancel: finish,
    },
    new ByteLengthQueuingStrategy({ highWaterMark: maxBufferedBytes }),
  );

  function buffered(): number {
    return maxBufferedBytes - (controller?.desiredSize ?? maxBufferedBytes);
  }

  function finish(): void {
    isClosed = true;
    for (const resume of waiting.splice(0)) resume();
    over.resolve();
  }

  function push(text: string): void {
    if (isClosed) return;
    if (buffered() > maxBufferedBytes) return abandon();
    controller?.enqueue(encoder.encode(text));
  }

  /** Closes the connection of a client that does not read, and drops the buffer. */
  function abandon(): void {
    if (isClosed) return;
    finish();
    const { outgoing } = (c.env ?? {}) as Partial<HttpBindings>;
    if (outgoing) outgoing.destroy();
    else controller?.error(new Error('event stream closed: the client does not read'));
  }

  push(`retry: ${RETRY_MS}\n\n`);
  return {
    response: c.body(body, 200, {
      'Content-Type': 'text/event-stream; charset=utf-8',
      'Cache-Control': 'no-store',
      'X-Accel-Buffering': 'no',
    }),
    send({ event, data, id }) {
      const lines = data.split(/\r\n|\r|\n/).map((line) => `data: ${line}\n`);
      push(`${id === undefined ? '' : `id: ${id}\n`}event: ${event}\n${lines.join('')}\n`);
    },
    comment: (text) => push(`: ${text}\n\n`),
    async room() {
      if (isClosed || buffered() <= maxBufferedBytes / 4) return;
      const limit = setTimeout(abandon, ROOM_LIMIT_MS);
      await new Promise<void>((resolve) => {
        waiting.push(resolve);
      });
      clearTimeout(limit);
    },
    end() {
      if (isClosed) return;
      finish();
      controller?.close();
    },
    isClosed: () => isClosed,
    closed: over.promise,
  };
}
