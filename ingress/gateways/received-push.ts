/** Receives a push into a file, so that it can be looked into before it is sent on. */
import { createReadStream } from 'node:fs';
import { mkdtemp, open, rm, stat, type FileHandle } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';

/** Disk for pushes that are under way. */
export interface SpoolBudget {
  /** Bytes. */
  left: number;
}

/** A push in files of its own. */
export interface SpooledPush {
  /** A directory that nothing else uses; its files are readable by this user only. */
  readonly directory: string;
  /** The file of the pack, without the commands before it. */
  readonly pack: string;
  /** Why not all of it was stored; the rest was read and dropped, because git reads no answer before. */
  readonly cut?: 'too_large' | 'no_space';
  /** The push as it came, for GitHub. */
  send(): Promise<{ readonly body: ReadableStream<Uint8Array>; readonly length: number }>;
  remove(): Promise<void>;
}

/**
 * Stores `first` (the start of the pack) and the rest of the stream, up to `limit` bytes and as long as the budget has room.
 * `head`: the push's commands.
 */
export async function spool(
  head: Buffer,
  first: Buffer,
  rest: ReadableStreamDefaultReader<Uint8Array> | undefined,
  limit: number,
  budget: SpoolBudget,
): Promise<SpooledPush> {
  const directory = await mkdtemp(join(tmpdir(), 'codex-k8s-push-'));
  const pack = join(directory, 'pack');
  let length = 0;
  let cut: SpooledPush['cut'];
  async function remove(): Promise<void> {
    budget.left += length;
    length = 0;
    await rm(directory, { recursive: true, force: true, maxRetries: 3 });
  }

  async function store(file: FileHandle, chunk: Uint8Array): Promise<void> {
    if (length + chunk.length > limit) cut ??= 'too_large';
    else if (chunk.length > budget.left) cut ??= 'no_space';
    if (cut) return;
    length += chunk.length;
    budget.left -= chunk.length;
    await file.write(chunk);
  }

  try {
    const file = await open(pack, 'wx', 0o600);
    try {
      await store(file, first);
      for (let next = await rest?.read(); next && !next.done; next = await rest?.read()) await store(file, next.value);
    } finally {
      await file.close();
    }
    return {
      directory,
      pack,
      ...(cut && { cut }),
      remove,
      async send() {
        const { size } = await stat(pack);
        async function* content(): AsyncGenerator<Uint8Array> {
          yield new Uint8Array(head);
          yield* createReadStream(pack);
        }
        return {
          body: Readable.toWeb(Readable.from(content(), { objectMode: false })) as ReadableStream<Uint8Array>,
          length: head.length + size,
        };
      },
    };
  } catch (error) {
    await remove();
    throw error;
  }
}
