/** Codex's conversations: one rollout file each, below CODEX_HOME. */
import { mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { KeptConversation } from '../agent-cli.ts';

const THREAD_ID = /^[A-Za-z0-9-]{1,200}$/;

/** The file of a conversation, or undefined when it is not there. */
export async function findRollout(codexHome: string, threadId: string): Promise<string | undefined> {
  const sessions = join(codexHome, 'sessions');
  const names = await readdir(sessions, { recursive: true }).catch(() => []);
  const name = names.find((candidate) => candidate.endsWith(`-${threadId}.jsonl`));
  return name === undefined ? undefined : join(sessions, name);
}

/** The conversation as the port wants it; undefined when there is none. */
export async function findConversation(codexHome: string, threadId: string): Promise<KeptConversation | undefined> {
  const file = await findRollout(codexHome, threadId);
  if (file === undefined) return undefined;
  const { mtimeMs, size } = await stat(file);
  return {
    version: `${mtimeMs} ${size}`,
    grownAt: mtimeMs,
    read: async () => wholeLines(await readFile(file, 'utf8')),
  };
}

/** Puts a stored conversation where Codex looks for it; what lies there of the same conversation gives way. */
export async function restoreRollout(codexHome: string, threadId: string, content: Buffer): Promise<string> {
  if (!THREAD_ID.test(threadId)) throw new Error('the id of the conversation is not one');
  const earlier = await findRollout(codexHome, threadId);
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

/** A line that Codex is just writing would make the copy unreadable. */
function wholeLines(content: string): string {
  return content.slice(0, content.lastIndexOf('\n') + 1);
}
