/** The agent's conversation: Codex's rollout file, put back before a resume and stored while the agent works. */
import { mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Redact } from '../../../domain/agent/redaction.ts';
import type { Platform } from '../../platform/platform.ts';

const STORE_EVERY_MS = 10_000;
const THREAD_ID = /^[A-Za-z0-9-]{1,200}$/;

/** The file of a conversation below CODEX_HOME, or undefined when it is not there. */
export async function findConversation(codexHome: string, threadId: string): Promise<string | undefined> {
  const sessions = join(codexHome, 'sessions');
  const names = await readdir(sessions, { recursive: true }).catch(() => []);
  const name = names.find((candidate) => candidate.endsWith(`-${threadId}.jsonl`));
  return name === undefined ? undefined : join(sessions, name);
}

/** Puts a stored conversation where Codex looks for it; what lies there of the same conversation gives way. */
export async function restoreConversation(codexHome: string, threadId: string, content: Buffer): Promise<string> {
  if (!THREAD_ID.test(threadId)) throw new Error('the id of the conversation is not one');
  const earlier = await findConversation(codexHome, threadId);
  if (earlier !== undefined) await rm(earlier);
  const started = startOf(content);
  const file = join(
    codexHome,
    'sessions',
    started.slice(0, 10).replaceAll('-', '/'),
    `rollout-${started.slice(0, 19).replaceAll(':', '-')}-${threadId}.jsonl`,
  );
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, content, { mode: 0o600 });
  return file;
}

/** When the conversation began, as its first line says; it only names the file. */
function startOf(content: Buffer): string {
  const end = content.indexOf('\n');
  try {
    const first = JSON.parse(content.subarray(0, end === -1 ? undefined : end).toString('utf8')) as {
      timestamp: string;
    };
    return new Date(first.timestamp).toISOString();
  } catch {
    return new Date().toISOString();
  }
}

export interface ConversationKeeper {
  /** Says which conversation it is; from now on it is stored at intervals. */
  follow(threadId: string): void;
  /** When the conversation last grew, in milliseconds; undefined before it exists. */
  lastGrowth(): Promise<number | undefined>;
  /** Stores it now if it has changed. */
  store(): Promise<void>;
  /** Ends the interval. */
  close(): void;
}

/** Keeps the stored conversation fresh. A failure to store is not the run's failure: the next interval tries again. */
export function keepConversation(options: {
  codexHome: string;
  platform: Pick<Platform, 'storeConversation'>;
  redact: Redact;
  everyMs?: number;
}): ConversationKeeper {
  let threadId: string | undefined;
  let stored = '';
  let storing: Promise<void> = Promise.resolve();
  const timer = setInterval(() => void store().catch(() => undefined), options.everyMs ?? STORE_EVERY_MS);

  async function state(): Promise<{ file: string; mtimeMs: number; size: number } | undefined> {
    const file = threadId === undefined ? undefined : await findConversation(options.codexHome, threadId);
    return file === undefined ? undefined : { file, ...pick(await stat(file)) };
  }

  /** One at a time, so that an older copy never lands after a newer one. */
  function store(): Promise<void> {
    storing = storing.catch(() => undefined).then(storeNow);
    return storing;
  }

  async function storeNow(): Promise<void> {
    const now = await state();
    if (!now || threadId === undefined) return;
    const version = `${threadId} ${now.mtimeMs} ${now.size}`;
    if (version === stored) return;
    const content = await readFile(now.file, 'utf8');
    await options.platform.storeConversation(threadId, Buffer.from(options.redact(wholeLines(content)), 'utf8'));
    stored = version;
  }

  return {
    follow(id) {
      threadId = id;
    },
    lastGrowth: async () => (await state())?.mtimeMs,
    store,
    close: () => clearInterval(timer),
  };
}

function pick({ mtimeMs, size }: { mtimeMs: number; size: number }): { mtimeMs: number; size: number } {
  return { mtimeMs, size };
}

/** A line that Codex is just writing would make the copy unreadable. */
function wholeLines(content: string): string {
  return content.slice(0, content.lastIndexOf('\n') + 1);
}
