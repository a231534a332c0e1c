/** A conversation that an agent's program keeps as one file of lines. */
import { readFile, stat } from 'node:fs/promises';
import type { KeptConversation } from './agent-cli.ts';

/** The file as a conversation, for the port `AgentCli`. */
export async function keptFile(file: string): Promise<KeptConversation> {
  const { mtimeMs, size } = await stat(file);
  return {
    version: `${mtimeMs} ${size}`,
    grownAt: mtimeMs,
    read: async () => wholeLines(await readFile(file, 'utf8')),
  };
}

/** Drops a line that the program is still writing, which would make the copy unreadable. */
function wholeLines(content: string): string {
  return content.slice(0, content.lastIndexOf('\n') + 1);
}
