/** Where things lie in the workspace, and the environment variables that the agent gets. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';

export interface Paths {
  readonly workspace: string;
  readonly repository: string;
  /** The agent's home: what it installs or caches stays in its workspace, and no dotfile of the host is read. */
  readonly home: string;
  /** Git's settings for the agent's own commands: who commits. No credential. */
  readonly gitConfig: string;
}

/** Names every place below the workspace. */
export function pathsIn(workspace: string): Paths {
  const root = resolve(workspace);
  return {
    workspace: root,
    repository: join(root, 'repo'),
    home: join(root, 'home'),
    gitConfig: join(root, 'gitconfig'),
  };
}

/** Makes the directories that are not made by cloning. */
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

/** Variables that say nothing secret and that programs need; everything else of the runner's environment stays out. */
const INHERITED = ['PATH', 'LANG', 'LC_ALL', 'TERM', 'TMPDIR', 'TZ'] as const;

/** What every process started by the runner inherits: an allow-list. */
export function baseEnvironment(paths: Paths): Record<string, string> {
  const environment: Record<string, string> = { HOME: paths.home, GIT_CONFIG_NOSYSTEM: '1', GIT_TERMINAL_PROMPT: '0' };
  for (const name of INHERITED) {
    const value = process.env[name];
    if (value !== undefined) environment[name] = value;
  }
  return environment;
}

/** The environment of the agent's program; its adapter adds what the program wants. */
export function agentEnvironment(paths: Paths): Record<string, string> {
  return { ...baseEnvironment(paths), GIT_CONFIG_GLOBAL: paths.gitConfig };
}
