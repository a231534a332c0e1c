/** The conversation of an agent: stored whole, then what is new is appended, so that a long one is not redacted again each time. */
import { Hono, type MiddlewareHandler } from 'hono';
import { redactedStream } from '../../src/domain/agent/redacted-stream.ts';
import type { Redact } from '../../src/domain/agent/redaction.ts';
import type { Database } from '../../src/store/connection/database.ts';
import {
  appendToConversation,
  ConversationOvertaken,
  findConversation,
  storeConversation,
  type ConversationState,
} from '../../src/store/runs/conversations.ts';
import { bodyTooLarge, failure } from '../http/errors.ts';
import type { RunEnv } from './run-access.ts';

/** Bytes of a conversation; Codex keeps every tool's output in it. */
const CONVERSATION_LIMIT = 64 * 1024 * 1024;

export interface ConversationRoutes {
  readonly db: Database;
  /** Lets a run's writes pass one after the other, and counts them. */
  readonly oneAtATime: MiddlewareHandler<RunEnv>;
  /** Hides what an agent with this `Authorization` header may not have stored. */
  readonly redactor: (authorization: string | undefined) => Redact;
}

/** `/conversation` of the agent API; the `ETag` of a write is what the next one may append to. */
export function createConversationRoutes({ db, oneAtATime, redactor }: ConversationRoutes): Hono<RunEnv> {
  const app = new Hono<RunEnv>();

  app.get('/conversation', async (c) => {
    const run = c.get('run');
    const conversation =
      (await findConversation(db, run.runId)) ??
      (run.resumeRunId === null ? undefined : await findConversation(db, run.resumeRunId));
    if (!conversation) return failure(c, 404, 'not_found', 'there is no conversation to go on with');
    if (!(await conversation.isIntact()))
      return failure(c, 412, 'failed_precondition', 'the stored conversation does not match its checksum');
    return c.body(streamOf(conversation.parts()), 200, {
      'content-type': 'application/x-ndjson',
      'x-thread-id': conversation.threadId,
    });
  });

  app.on(['PUT', 'PATCH'], '/conversation', oneAtATime, async (c) => {
    const isAppended = c.req.method === 'PATCH';
    const threadId = c.req.header('x-thread-id') ?? '';
    if (!/^[\w-]{1,100}$/.test(threadId))
      return failure(c, 400, 'invalid_argument', 'the header is missing or malformed', 'x-thread-id');
    const state = isAppended ? stateOf(c.req.header('if-match')) : undefined;
    if (isAppended && !state)
      return failure(c, 400, 'invalid_argument', 'the header is missing or malformed', 'if-match');
    const limit = CONVERSATION_LIMIT - (state?.bytes ?? 0);
    if (Number(c.req.header('content-length') ?? 0) > limit) return bodyTooLarge(c);
    const run = c.get('run');
    const pieces = redactedStream(
      counted(c.req.raw.body ?? [], limit, c.get('spend')),
      redactor(c.req.header('authorization')),
    );
    try {
      const now = state
        ? await appendToConversation(db, run.runId, threadId, state, pieces)
        : await storeConversation(db, run, threadId, pieces);
      return c.body(null, 204, { etag: tagOf(now) });
    } catch (error) {
      if (error instanceof TooLarge) return bodyTooLarge(c);
      if (!(error instanceof ConversationOvertaken)) throw error;
      return isAppended
        ? failure(c, 412, 'failed_precondition', error.message, 'if-match')
        : failure(c, 503, 'unavailable', error.message);
    }
  });
  return app;
}

function tagOf({ version, bytes }: ConversationState): string {
  return `"${version}.${bytes}"`;
}

/** The state that a tag names; undefined if it is none. */
function stateOf(tag: string | undefined): ConversationState | undefined {
  const [, version, bytes] = /^"([\w-]{1,50})\.(\d{1,9})"$/.exec(tag ?? '') ?? [];
  return version === undefined ? undefined : { version, bytes: Number(bytes) };
}

/** More bytes than a body may have. */
class TooLarge extends Error {
  override readonly name = 'TooLarge';
}

/** The same chunks, counted. Throws {@link TooLarge}. */
async function* counted(
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  limit: number,
  spend: (bytes: number) => void,
): AsyncGenerator<Uint8Array> {
  let length = 0;
  for await (const chunk of chunks) {
    length += chunk.length;
    if (length > limit) throw new TooLarge();
    spend(chunk.length);
    yield chunk;
  }
}

function streamOf(parts: AsyncGenerator<Uint8Array<ArrayBuffer>>): ReadableStream<Uint8Array<ArrayBuffer>> {
  return new ReadableStream({
    async pull(controller) {
      const { done, value } = await parts.next();
      if (done) controller.close();
      else controller.enqueue(value);
    },
    cancel: async () => void (await parts.return(undefined)),
  });
}
