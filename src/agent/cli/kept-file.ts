/** A conversation that an agent's program keeps as one file of lines. */
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import type { KeptConversation } from './agent-cli.ts';

/** The file as a conversation, for the port `AgentCli`. */
export async function keptFile(file: string): Promise<KeptConversation> {
  const { mtimeMs, size } = await stat(file);
  return {
    version: `${mtimeMs} ${size}`,
    grownAt: mtimeMs,
    read: async (from) => wholeLines(await readFrom(file, from)),
  };
}

/** Drops a line that the program is still writing, which would make the copy unreadable. */
function wholeLines(content: Buffer): Buffer {
  return content.subarray(0, content.lastIndexOf('\n') + 1);
}

async function readFrom(file: string, from: number): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of createReadStream(file, { start: from })) pieces.push(piece as Buffer);
  return Buffer.concat(pieces);
}
