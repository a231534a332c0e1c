/** CLAUDE_CONFIG_DIR: Claude Code's settings, written anew for every run; only the conversations in `projects` stay. */
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { MCP_SERVER_NAME } from '../../../domain/tools/catalogue.ts';
import { writeMcpHeaders } from '../mcp-headers.ts';
import { quoteForShell } from './shell.ts';

/** Files of a repository in which it says how agents are to work there. */
const INSTRUCTIONS = ['AGENTS.md', 'CLAUDE.md'];

/** Empties the directory except for the conversations, and writes the settings and the user's CLAUDE.md. */
export async function prepareConfigDirectory(options: {
  configDirectory: string;
  temporary: string;
  repository: string;
  tokenFile: string;
  mcpUrl: string | undefined;
}): Promise<void> {
  const { configDirectory, temporary, repository, tokenFile, mcpUrl } = options;
  await mkdir(configDirectory, { recursive: true, mode: 0o700 });
  for (const name of await readdir(configDirectory)) {
    if (name !== 'projects') await rm(join(configDirectory, name), { recursive: true, force: true });
  }
  await mkdir(temporary, { mode: 0o700 });
  await writeFile(join(configDirectory, 'settings.json'), JSON.stringify(settings(options)), { mode: 0o600 });
  const headersHelper = await writeMcpHeaders(configDirectory, tokenFile);
  const mcpServers = mcpUrl === undefined ? {} : { [MCP_SERVER_NAME]: { type: 'http', url: mcpUrl, headersHelper } };
  await writeFile(mcpConfigOf(configDirectory), JSON.stringify({ mcpServers }), { mode: 0o600 });
  await writeFile(join(configDirectory, 'CLAUDE.md'), instructions(repository));
}

/** The file that names the platform's MCP server. */
export function mcpConfigOf(configDirectory: string): string {
  return join(configDirectory, 'mcp.json');
}

/**
 * Claude Code gets the token from `apiKeyHelper`: it runs `cat TOKEN_FILE` and keeps the token in memory, so that no environment,
 * argument or settings file holds it.
 */
function settings({ tokenFile }: { tokenFile: string }): object {
  return {
    apiKeyHelper: `cat ${quoteForShell(tokenFile)}`,
    attribution: { commit: '', pr: '' },
    autoMemoryEnabled: false,
    skipDangerousModePermissionPrompt: true,
  };
}

/**
 * Only these settings are read (`--setting-sources user`), since a repository's own could start programs and name another model's
 * address. Its instructions are read with theirs: they are imported here.
 */
function instructions(repository: string): string {
  const escaped = repository.replaceAll(' ', String.raw`\ `);
  return INSTRUCTIONS.map((name) => `@${escaped}/${name}\n`).join('');
}
