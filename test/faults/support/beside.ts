/** Processes of the platform beside those of `up`: any number of servers and workers may run on one database. */
import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { once } from 'node:events';
import { join } from 'node:path';
import type { PlannedFaults } from '../../support/faults/program.ts';
import { programOf, readProc, type Stack } from '../../support/stack.ts';

export interface Beside {
  /** The process that runs now. */
  readonly pid: number;
  /** Resolves with how it ended. */
  readonly exited: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  /** Kills it, and starts no other. */
  end(): Promise<void>;
}

/** The configuration that `up` gave to one of its processes. */
export function environmentOf(stack: Stack, name: 'server' | 'worker'): Record<string, string> {
  const pid = stack.pids()[name];
  if (pid === undefined) throw new Error(`${name} does not run`);
  const pairs = readProc(pid, 'environ').split('\0').filter(Boolean);
  return Object.fromEntries(pairs.map((pair) => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)]));
}

/** Starts a server or a worker with this configuration, and with the faults of the stack; `again` starts it anew whenever it dies. */
export function startBeside(
  stack: Stack,
  name: 'server' | 'worker',
  env: Record<string, string>,
  { again = false, faults = stack.faults }: { again?: boolean; faults?: PlannedFaults | undefined } = {},
): Beside {
  let ending = false;
  let child = start();

  function start(): ChildProcess {
    const log = openSync(join(stack.directory, 'logs', `${name}-beside.log`), 'a');
    const started = spawn(process.execPath, [...programOf(faults), name], { env, stdio: ['ignore', log, log] });
    closeSync(log);
    if (again) {
      started.once('exit', () => {
        if (!ending) child = start();
      });
    }
    return started;
  }

  return {
    get pid() {
      return child.pid ?? 0;
    },
    exited: once(child, 'exit').then(([code, signal]) => ({
      code: code as number | null,
      signal: signal as NodeJS.Signals | null,
    })),
    async end() {
      ending = true;
      if (child.exitCode !== null || child.signalCode !== null) return;
      const gone = once(child, 'exit');
      child.kill('SIGKILL');
      await gone;
    },
  };
}
