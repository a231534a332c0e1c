/** Runs the programs of the operating system that make a cluster. */
import { execa } from 'execa';

const LIMIT_MS = 10 * 60_000;

export interface CommandOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string;
  readonly limitMs?: number;
}

/** Runs a program and returns its output; if it fails, throws an error with the end of its output. */
export async function run(program: string, args: readonly string[], options: CommandOptions = {}): Promise<string> {
  const { limitMs = LIMIT_MS, input, ...settings } = options;
  const result = await execa(program, args, {
    ...settings,
    ...(input === undefined ? { stdin: 'ignore' as const } : { input }),
    timeout: limitMs,
    reject: false,
    maxBuffer: 64 * 1024 * 1024,
  });
  if (!result.failed) return result.stdout;
  const words = (result.stderr || result.shortMessage || '').trim().slice(-1000);
  throw new Error(`${[program, ...args].join(' ').slice(0, 200)}: ${words}`);
}

/** Runs a program; true if it succeeds. Its output is ignored. */
export async function succeeds(program: string, args: readonly string[]): Promise<boolean> {
  const { failed } = await execa(program, args, { stdin: 'ignore', reject: false, timeout: LIMIT_MS });
  return !failed;
}
