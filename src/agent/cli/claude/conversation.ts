/** Claude Code's conversations: one file each, below CLAUDE_CONFIG_DIR, in a folder named after the directory it was started in. */
import { mkdir, readdir, realpath, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { KeptConversation } from '../agent-cli.ts';
import { keptFile } from '../kept-file.ts';

const SESSION_ID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** Longer names of folders are cut, and end with a hash that Claude Code computes. */
const FOLDER_CHARACTERS = 200;

/** The file of a conversation; undefined if there is none. */
export async function findTranscript(configDirectory: string, sessionId: string): Promise<string | undefined> {
  const projects = join(configDirectory, 'projects');
  const names = await readdir(projects, { recursive: true }).catch(() => []);
  const name = names.find((candidate) => candidate.endsWith(`/${sessionId}.jsonl`));
  return name === undefined ? undefined : join(projects, name);
}

/** The conversation, for the port `AgentCli`; undefined if there is none. */
export async function findConversation(
  configDirectory: string,
  sessionId: string,
): Promise<KeptConversation | undefined> {
  const file = await findTranscript(configDirectory, sessionId);
  return file === undefined ? undefined : keptFile(file);
}

/**
 * Writes a stored conversation to Claude Code's path for it, for a run in `repository`, and removes an earlier file of it. Returns
 * the path.
 */
export async function restoreTranscript(
  configDirectory: string,
  sessionId: string,
  content: Buffer,
  repository: string,
): Promise<string> {
  if (!SESSION_ID.test(sessionId)) throw new Error('the session id of the conversation is not valid');
  const earlier = await findTranscript(configDirectory, sessionId);
  if (earlier !== undefined) await rm(earlier);
  const file = join(configDirectory, 'projects', folderOf(await realpath(repository)), `${sessionId}.jsonl`);
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, content, { mode: 0o600 });
  return file;
}

/** The folder of a directory's conversations, as Claude Code 2.1 names it. */
function folderOf(directory: string): string {
  const name = directory.replaceAll(/[^a-zA-Z0-9]/g, '-');
  if (name.length > FOLDER_CHARACTERS)
    throw new Error(`the path of the repository is longer than ${FOLDER_CHARACTERS} characters: ${directory}`);
  return name;
}
