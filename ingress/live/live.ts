/**
 * Server-sent events: one listener per process on Postgres' notifications, fanned out to the streams of browsers. A
 * notification is only a change signal: a stream reads the tables itself, also at each heartbeat, so a lost signal costs seconds.
 * A database error ends the stream, and the browser reconnects with the id of the last event.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Context } from 'hono';
import type postgres from 'postgres';
import { listenForChanges, type Change } from '../../src/store/connection/changes.ts';
import { failure } from '../http/errors.ts';
import { openEventStream, type EventStream } from './event-stream.ts';

/** The content of a stream. */
export interface Feed {
  /** True if a change may have new content for this feed. */
  concerns(change: Change): boolean;
  /** Writes what is new since the last time. Called at the start, after changes and at heartbeats, never twice at once. */
  write(stream: EventStream): Promise<'open' | 'over'>;
}

export interface LiveOptions {
  /** The client that listens; it opens a connection of its own for that. */
  readonly sql: postgres.Sql;
  readonly onError: (error: unknown) => void;
  readonly maxStreams?: number;
  /** Bytes buffered for a client that does not read. */
  readonly maxBufferedBytes?: number;
  readonly heartbeatMs?: number;
}

export interface Live {
  /** Answers with a stream of the feed, or with 429 if there are too many. */
  stream(c: Context, feed: Feed): Response;
  /** The number of open streams. */
  open(): number;
  /** Ends all streams and the listener. */
  close(): Promise<void>;
}

/** Milliseconds within which change signals count as one. */
const SETTLE_MS = 150;
const LISTEN_AGAIN_MS = 2000;

/** Starts to listen, with retries while the database is unavailable. */
export function createLive({ sql, onError, ...limits }: LiveOptions): Live {
  const maxStreams = limits.maxStreams ?? 200;
  const closing = new AbortController();
  const open = new Set<{ feed: Feed; refresh: () => void; stream: EventStream }>();
  const heartbeat = setInterval(beat, limits.heartbeatMs ?? 15_000);
  const listening = listen();

  async function listen(): Promise<(() => Promise<void>) | undefined> {
    while (!closing.signal.aborted) {
      try {
        return await listenForChanges(
          sql,
          (change) => {
            for (const { feed, refresh } of open) if (feed.concerns(change)) refresh();
          },
          () => {
            for (const { refresh } of open) refresh();
          },
        );
      } catch (error) {
        onError(error);
        await sleep(LISTEN_AGAIN_MS, undefined, { signal: closing.signal }).catch(() => undefined);
      }
    }
    return undefined;
  }

  function beat(): void {
    for (const { stream, refresh } of open) {
      stream.comment('still here');
      refresh();
    }
  }

  return {
    stream(c, feed) {
      if (open.size >= maxStreams || closing.signal.aborted) {
        c.header('Retry-After', '10');
        return failure(
          c,
          429,
          'resource_exhausted',
          'too many live pages are open; the page works without live updates',
        );
      }
      const stream = openEventStream(c, { maxBufferedBytes: limits.maxBufferedBytes ?? 1024 * 1024 });
      const entry = { feed, stream, refresh: refreshing(feed, stream, onError) };
      open.add(entry);
      void stream.closed.then(() => open.delete(entry));
      entry.refresh();
      return stream.response;
    },
    open: () => open.size,
    async close() {
      closing.abort();
      clearInterval(heartbeat);
      for (const { stream } of open) stream.end();
      const unlisten = await listening;
      await unlisten?.().catch(onError);
    },
  };
}

/** Returns a function that has the feed write, one write at a time; an error ends the stream. */
function refreshing(feed: Feed, stream: EventStream, onError: (error: unknown) => void): () => void {
  let asked = false;
  let busy = false;

  async function rounds(): Promise<void> {
    while (asked && !stream.isClosed()) {
      asked = false;
      if ((await feed.write(stream)) === 'over') return stream.end();
      await sleep(SETTLE_MS, undefined, { ref: false });
    }
  }

  return function refresh() {
    asked = true;
    if (busy) return;
    busy = true;
    rounds()
      .catch((error: unknown) => {
        onError(error);
        stream.end();
      })
      .finally(() => {
        busy = false;
        if (asked && !stream.isClosed()) refresh();
      });
  };
}
