/** Runs git on a bare repository without the machine's git configuration. */
import { execa } from 'execa';

/** The environment of every git process here: no user or system configuration, no prompts. */
export function gitEnvironment(extra: Record<string, string> = {}): Record<string, string> {
  return {
    PATH: process.env['PATH'] ?? '/usr/bin:/bin',
    HOME: '/nonexistent',
    LC_ALL: 'C',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_TERMINAL_PROMPT: '0',
    ...extra,
  };
}

export interface GitOptions {
  input?: string;
  env?: Record<string, string>;
  /** Exit codes, besides 0, that are not failures. */
  allow?: readonly number[];
}

export interface GitResult {
  stdout: string;
  exitCode: number;
}

/** Runs one git command in `directory` and returns its output without the last line feed. */
export async function git(directory: string, args: readonly string[], options: GitOptions = {}): Promise<GitResult> {
  const result = await execa('git', ['-C', directory, ...args], {
    env: gitEnvironment(options.env),
    extendEnv: false,
    reject: false,
    maxBuffer: 1 << 30,
    input: options.input ?? '',
  });
  const exitCode = result.exitCode ?? -1;
  if (exitCode !== 0 && !options.allow?.includes(exitCode)) {
    throw new Error(`git ${args.join(' ')} failed (${exitCode}): ${result.stderr}`, { cause: result });
  }
  return { stdout: result.stdout, exitCode };
}

/** Runs one git command whose output is bytes. */
export async function gitBytes(directory: string, args: readonly string[], input: string): Promise<Buffer> {
  const env = gitEnvironment();
  const run = await execa('git', ['-C', directory, ...args], {
    env,
    extendEnv: false,
    input,
    encoding: 'buffer',
    maxBuffer: 1 << 30,
  });
  return Buffer.from(run.stdout);
}
