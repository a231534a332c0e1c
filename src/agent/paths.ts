/** Paths in the workspace, and the environment variables of the agent. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';

export interface Paths {
  readonly workspace: string;
  readonly repository: string;
  /** The agent's HOME, so that its installs and caches stay in its workspace and no dotfile of the host is read. */
  readonly home: string;
  /** Git config for the agent's own commands: the author, and no credential. */
  readonly gitConfig: string;
}

/** The paths below the workspace. */
export function pathsIn(workspace: string): Paths {
  const root = resolve(workspace);
  return {
    workspace: root,
    repository: join(root, 'repo'),
    home: join(root, 'home'),
    gitConfig: join(root, 'gitconfig'),
  };
}

/** Creates the files and directories that cloning does not. */
export async function preparePaths(paths: Paths, author: { name: string; email: string }): Promise<void> {
  await mkdir(paths.home, { recursive: true });
  const quote = (value: string): string => `"${value.replace(/["\\]/g, '\\$&').replace(/[\r\n]/g, ' ')}"`;
  const lines = [
    '[user]',
    `name = ${quote(author.name)}`,
    `email = ${quote(author.email)}`,
    '[init]',
    'defaultBranch = main',
  ];
  await writeFile(paths.gitConfig, `${lines.join('\n')}\n`);
}

/**
 * The file of the authorities that sign the gateways' certificate, if they are not well-known ones. Node itself trusts them by
 * NODE_EXTRA_CA_CERTS, which is read when it starts.
 */
export function authorities(): string | undefined {
  return process.env['CODEXK8S_AGENT_CA_FILE'];
}

/** Variables that programs need and that hold no secret; no other variable of the runner is passed on. */
const INHERITED = ['PATH', 'LANG', 'LC_ALL', 'TERM', 'TMPDIR', 'TZ'] as const;

/** The allow-listed environment of every process that the runner starts. */
export function baseEnvironment(paths: Paths): Record<string, string> {
  const environment: Record<string, string> = { HOME: paths.home, GIT_CONFIG_NOSYSTEM: '1', GIT_TERMINAL_PROMPT: '0' };
  for (const name of INHERITED) {
    const value = process.env[name];
    if (value !== undefined) environment[name] = value;
  }
  return environment;
}

/** The environment of the agent's program; its adapter adds the program's own variables. */
export function agentEnvironment(paths: Paths): Record<string, string> {
  return { ...baseEnvironment(paths), GIT_CONFIG_GLOBAL: paths.gitConfig };
}
