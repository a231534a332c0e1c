/** Codex's conversations: one rollout file each, below CODEX_HOME. */
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { KeptConversation } from '../agent-cli.ts';
import { keptFile } from '../kept-file.ts';

const THREAD_ID = /^[A-Za-z0-9-]{1,200}$/;

/** The file of a conversation; undefined if there is none. */
export async function findRollout(codexHome: string, threadId: string): Promise<string | undefined> {
  const sessions = join(codexHome, 'sessions');
  const names = await readdir(sessions, { recursive: true }).catch(() => []);
  const name = names.find((candidate) => candidate.endsWith(`-${threadId}.jsonl`));
  return name === undefined ? undefined : join(sessions, name);
}

/** The conversation, for the port `AgentCli`; undefined if there is none. */
export async function findConversation(codexHome: string, threadId: string): Promise<KeptConversation | undefined> {
  const file = await findRollout(codexHome, threadId);
  if (file === undefined) return undefined;
  return keptFile(file);
}

/** Writes a stored conversation to Codex' path for it and removes an earlier file of it. Returns the path. */
export async function restoreRollout(codexHome: string, threadId: string, content: Buffer): Promise<string> {
  if (!THREAD_ID.test(threadId)) throw new Error('the thread id of the conversation is not valid');
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

/** When the conversation began, from its first line; only used in the file's name. */
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
