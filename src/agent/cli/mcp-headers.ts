/** How an agent's program gets the run token for the platform's MCP server: from a command that reads the token's file. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * Writes a program that prints the headers as JSON, and returns the command that runs it. So no environment, argument or settings
 * file holds the token.
 */
export async function writeMcpHeaders(directory: string, tokenFile: string): Promise<string> {
  const program = join(directory, 'mcp-headers.sh');
  await writeFile(program, `printf '{"Authorization":"Bearer %s"}' "$(cat ${quoted(tokenFile)})"\n`, { mode: 0o600 });
  return `sh ${quoted(program)}`;
}

function quoted(path: string): string {
  return `'${path.replaceAll("'", String.raw`'\''`)}'`;
}
