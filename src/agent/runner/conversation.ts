/** Stores the agent's conversation on the platform while the agent works, and restores it for the next attempt or run. */
import type { Redact } from '../../domain/agent/redaction.ts';
import type { AgentCli, KeptConversation } from '../cli/agent-cli.ts';
import type { Log } from '../platform/log-line.ts';
import type { Platform } from '../platform/platform.ts';

const STORE_EVERY_MS = 10_000;

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

/** Stores the conversation at intervals. A failure does not fail the run: the next interval tries again. */
export function keepConversation(options: {
  cli: Pick<AgentCli, 'findConversation'>;
  platform: Pick<Platform, 'storeConversation'>;
  redact: Redact;
  everyMs?: number;
}): ConversationKeeper {
  let threadId: string | undefined;
  let stored = '';
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
    const version = `${threadId} ${now.version}`;
    if (version === stored) return;
    const content = options.redact(await now.read());
    await options.platform.storeConversation(threadId, Buffer.from(content, 'utf8'));
    stored = version;
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

/** Restores the conversation to resume. Returns its thread id; undefined if a new one has to begin. */
export async function restoreConversation(
  threadId: string | null,
  { cli, platform, log }: { cli: AgentCli; platform: Pick<Platform, 'conversation'>; log: Log },
): Promise<string | undefined> {
  if (threadId === null) return undefined;
  const stored = await platform.conversation();
  if (stored) {
    await cli.restoreConversation(threadId, stored);
    return threadId;
  }
  if ((await cli.findConversation(threadId)) !== undefined) return threadId;
  log('runner', 'The conversation to resume is not stored; a new one begins');
  return undefined;
}
