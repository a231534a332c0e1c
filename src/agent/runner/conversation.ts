/** Stores the agent's conversation on the platform while the agent works, and restores it for the next attempt or run. */
import type { Redact } from '../../domain/agent/redaction.ts';
import type { LostConversation } from '../../domain/run/work-notes.ts';
import type { AgentCli, KeptConversation } from '../cli/agent-cli.ts';
import type { Log } from '../platform/log-line.ts';
import type { Platform } from '../platform/platform.ts';

const STORE_EVERY_MS = 10_000;

/** Bytes before the end of what is stored that have to be the same still, for the rest to be appended. */
const TAIL_BYTES = 4096;

/** What the platform has stored. */
interface Stored {
  readonly threadId: string;
  /** {@link KeptConversation.version} of it. */
  readonly version: string;
  /** What can be appended to; undefined if the next write is whole. */
  readonly tag: string | undefined;
  /** Its end in the program's conversation, and the bytes before that. */
  readonly end: number;
  readonly tail: Buffer;
}

export interface ConversationKeeper {
  /** Sets the conversation, which is stored at intervals from now on. */
  follow(threadId: string): void;
  /** Time of the conversation's last write, in milliseconds since 1970; undefined before it exists. */
  lastGrowth(): Promise<number | undefined>;
  /** Stores it now if it has changed. Rejects if the platform does not take it. */
  store(): Promise<void>;
  /** Stops the timer. */
  close(): void;
}

/** Stores the conversation at intervals, first whole, then what is new. A failure does not fail the run: the next interval tries again. */
export function keepConversation(options: {
  cli: Pick<AgentCli, 'findConversation'>;
  platform: Pick<Platform, 'storeConversation' | 'appendToConversation'>;
  redact: Redact;
  everyMs?: number;
}): ConversationKeeper {
  let threadId: string | undefined;
  let stored: Stored | undefined;
  let storing: Promise<void> = Promise.resolve();
  const timer = setInterval(() => void store().catch(() => undefined), options.everyMs ?? STORE_EVERY_MS);

  async function find(): Promise<KeptConversation | undefined> {
    return threadId === undefined ? undefined : options.cli.findConversation(threadId);
  }

  /** One at a time, so that an older copy never overwrites a newer one. */
  function store(): Promise<void> {
    storing = storing.catch(() => undefined).then(storeNow);
    return storing;
  }

  async function storeNow(): Promise<void> {
    const now = await find();
    if (!now || threadId === undefined) return;
    if (stored?.threadId === threadId && stored.version === now.version) return;
    stored = (await append(now, threadId)) ?? (await storeWhole(now, threadId));
  }

  async function storeWhole(now: KeptConversation, thread: string): Promise<Stored> {
    const { version } = now;
    const content = await now.read(0);
    const tag = await options.platform.storeConversation(thread, redacted(content));
    return { threadId: thread, version, tag, end: content.length, tail: Buffer.from(content.subarray(-TAIL_BYTES)) };
  }

  /** Undefined if it is not what is stored with more after it, or the platform has something else. */
  async function append(now: KeptConversation, thread: string): Promise<Stored | undefined> {
    if (stored?.threadId !== thread || stored.tag === undefined || stored.end === 0) return undefined;
    const { version } = now;
    const { tag, tail, end } = stored;
    const content = await now.read(end - tail.length);
    if (!content.subarray(0, tail.length).equals(tail)) return undefined;
    const lines = content.subarray(tail.length);
    if (lines.length === 0) return { ...stored, version };
    const next = await options.platform.appendToConversation(thread, tag, redacted(lines));
    if (next === undefined) return undefined;
    return {
      threadId: thread,
      version,
      tag: next,
      end: end + lines.length,
      tail: Buffer.from(content.subarray(-TAIL_BYTES)),
    };
  }

  function redacted(lines: Buffer): Buffer {
    return Buffer.from(options.redact(lines.toString('utf8')), 'utf8');
  }

  return {
    follow(id) {
      threadId = id;
    },
    lastGrowth: async () => (await find())?.grownAt,
    store,
    close: () => clearInterval(timer),
  };
}

/** The conversation to resume, or why a new one has to begin; neither for a first one. */
export interface RestoredConversation {
  readonly threadId?: string;
  readonly lost?: LostConversation;
}

/** Restores the conversation to resume. One that is damaged, or that the agent's program does not take, is as good as none. */
export async function restoreConversation(
  threadId: string | null,
  { cli, platform, log }: { cli: AgentCli; platform: Pick<Platform, 'conversation'>; log: Log },
): Promise<RestoredConversation> {
  if (threadId === null) return {};
  const stored = await platform.conversation();
  if (stored === 'damaged') {
    log('runner', 'The stored conversation does not match its checksum; a new one begins');
    return { lost: 'damaged' };
  }
  if (stored) {
    try {
      await cli.restoreConversation(threadId, stored);
      return { threadId };
    } catch (error) {
      log('runner', `The stored conversation cannot be restored (${String(error)}); a new one begins`);
      return { lost: 'refused' };
    }
  }
  if ((await cli.findConversation(threadId)) !== undefined) return { threadId };
  log('runner', 'The conversation to resume is not stored; a new one begins');
  return { lost: 'missing' };
}
