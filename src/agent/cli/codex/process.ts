/** The Codex program: finding it, starting it in a process group of its own, and ending it. */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { createLineSplitter } from '../../platform/line-splitter.ts';
import { endProcesses, GRACE_MS, signalOne } from '../../process-tree.ts';

const STDERR_TAIL = 4_000;

export interface CodexExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** The end of what it wrote on standard error. */
  readonly stderr: string;
}

export interface CodexProcess {
  readonly exited: Promise<CodexExit>;
  /** Ends it and everything that it started; at most five seconds until force. */
  stop(): Promise<void>;
}

/** The program of the npm package `@openai/codex`. */
export function findCodex(): string {
  const manifest = createRequire(import.meta.url).resolve('@openai/codex/package.json');
  const { bin } = JSON.parse(readFileSync(manifest, 'utf8')) as { bin: { codex: string } };
  return join(dirname(manifest), bin.codex);
}

/** Starts Codex with the prompt on its standard input and hands over every line of its standard output. */
export function startCodex(options: {
  codexPath: string;
  args: readonly string[];
  cwd: string;
  env: Record<string, string>;
  codexHome: string;
  prompt: string;
  onLine: (line: string) => void;
  onTooLong: (characters: number) => void;
}): CodexProcess {
  const [program, ...first] = /\.[cm]?js$/.test(options.codexPath)
    ? [process.execPath, options.codexPath]
    : [options.codexPath];
  const child = spawn(program, [...first, ...options.args], {
    cwd: options.cwd,
    env: options.env,
    detached: true,
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const lines = createLineSplitter(options);
  let stderr = '';
  child.stdout.on('data', (chunk: Buffer) => lines.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => {
    stderr = (stderr + chunk.toString('utf8')).slice(-STDERR_TAIL);
  });
  child.stdin.on('error', () => undefined); // it may end before it has read everything; its exit says why
  child.stdin.end(options.prompt);

  const exited = new Promise<CodexExit>((resolve, reject) => {
    let swept: Promise<void> = Promise.resolve();
    child.once('error', reject);
    // A server that the agent left running would hold the pipes open, and work on in the repository.
    child.once('exit', () => {
      swept = endProcesses(options.codexHome);
    });
    child.once('close', (code, signal) => {
      lines.end();
      swept.then(() => resolve({ code, signal, stderr }), reject);
    });
  });
  return { exited, stop: () => stop(child.pid, exited, options.codexHome) };
}

async function stop(pid: number | undefined, exited: Promise<CodexExit>, codexHome: string): Promise<void> {
  if (pid === undefined) return;
  const force = setTimeout(() => signalOne(-pid, 'SIGKILL'), GRACE_MS);
  try {
    signalOne(-pid, 'SIGTERM');
    await endProcesses(codexHome);
    await exited.catch(() => undefined);
  } finally {
    clearTimeout(force);
  }
}
