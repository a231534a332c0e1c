/** The agent's program in a process group of its own: started, read line by line, and stopped. */
import { spawn } from 'node:child_process';
import { createLineSplitter } from '../platform/line-splitter.ts';
import { endProcesses, GRACE_MS, signalOne } from '../process-tree.ts';

const STDERR_TAIL = 4_000;

export interface CliExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** The end of its standard error. */
  readonly stderr: string;
}

export interface CliProcess {
  readonly exited: Promise<CliExit>;
  /** Terminates it and all its descendants; SIGKILL follows SIGTERM after {@link GRACE_MS}. */
  stop(): Promise<void>;
}

/** Starts the program with the prompt on its standard input; `onLine` gets each line of its standard output. */
export function startCli(options: {
  /** A JavaScript file is run by this Node. */
  program: string;
  args: readonly string[];
  cwd: string;
  env: Record<string, string>;
  /** `NAME=value` of `env`, by which all descendants of the program are found. */
  mark: string;
  prompt: string;
  onLine: (line: string) => void;
  onTooLong: (characters: number) => void;
}): CliProcess {
  const [program, ...first] = /\.[cm]?js$/.test(options.program)
    ? [process.execPath, options.program]
    : [options.program];
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
  child.stdin.on('error', () => undefined); // EPIPE if it exits before it has read everything; its exit says why
  child.stdin.end(options.prompt);

  const exited = new Promise<CliExit>((resolve, reject) => {
    let swept: Promise<void> = Promise.resolve();
    child.once('error', reject);
    // A server that the agent left running would keep the pipes open and keep working in the repository.
    child.once('exit', () => {
      swept = endProcesses(options.mark);
    });
    child.once('close', (code, signal) => {
      lines.end();
      swept.then(() => resolve({ code, signal, stderr }), reject);
    });
  });
  return { exited, stop: () => stop(child.pid, exited, options.mark) };
}

async function stop(pid: number | undefined, exited: Promise<CliExit>, mark: string): Promise<void> {
  if (pid === undefined) return;
  const force = setTimeout(() => signalOne(-pid, 'SIGKILL'), GRACE_MS);
  try {
    signalOne(-pid, 'SIGTERM');
    await endProcesses(mark);
    await exited.catch(() => undefined);
  } finally {
    clearTimeout(force);
  }
}
