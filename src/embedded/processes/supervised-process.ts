/** One supervised process: started, restarted when it exits, and stopped on request. */
import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync } from 'node:fs';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { openLog, limitLog, startNewLog } from './log-file.ts';
import { identify } from '../../adapters/process-identity.ts';
import { forgetProcess, killGroup, recordProcess } from './process-record.ts';

export interface ProcessSpec {
  /** Name of its log and record, and in messages. */
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  /** The whole environment: nothing is inherited. */
  readonly env: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Account to run as, if it must not be root. */
  readonly uid?: number;
  readonly gid?: number;
  /** Names of processes that must be ready first. */
  readonly after?: readonly string[];
  /** Runs before every start. An error counts as an exit of the process. */
  readonly prepare?: () => Promise<void> | void;
  /** True once the process can be used. `false` and a rejection mean: not yet. */
  readonly ready?: () => Promise<boolean>;
  readonly readyWithinMs?: number;
  /** Signal to stop it; SIGTERM by default. */
  readonly stopSignal?: 'SIGTERM' | 'SIGINT';
  /** Milliseconds from the signal to SIGKILL; 15 s by default. */
  readonly stopWithinMs?: number;
  /** Runs when it has been stopped, while the processes that it was started after still run. */
  readonly afterStop?: () => Promise<void>;
}

export type ProcessEvent =
  | { readonly kind: 'started' | 'restarted'; readonly name: string; readonly pid: number }
  | { readonly kind: 'exited'; readonly name: string; readonly reason: string; readonly restartInMs: number }
  | { readonly kind: 'stopped'; readonly name: string; readonly reason: string };

/** Pauses before restarts, doubled at each exit in a row. */
export interface Backoff {
  readonly firstMs: number;
  readonly longestMs: number;
  /** A process that ran this long is restarted after `firstMs` again. */
  readonly forgivenAfterMs: number;
}

export const BACKOFF: Backoff = { firstMs: 200, longestMs: 10_000, forgivenAfterMs: 10_000 };

const STOP_WITHIN_MS = 15_000;
const LOG_CHECK_MS = 10_000;

export class SupervisedProcess {
  readonly spec: ProcessSpec;
  readonly logFile: string;
  readonly #dataDirectory: string;
  readonly #order: number;
  readonly #backoff: Backoff;
  readonly #emit: (event: ProcessEvent) => void;
  readonly #stopping = new AbortController();
  #child: ChildProcess | undefined;
  #starts = 0;
  #exits = 0;
  #life: Promise<void> | undefined;

  constructor(
    spec: ProcessSpec,
    dataDirectory: string,
    order: number,
    backoff: Backoff,
    emit: (event: ProcessEvent) => void,
  ) {
    this.spec = spec;
    this.logFile = join(dataDirectory, 'logs', `${spec.name}.log`);
    this.#dataDirectory = dataDirectory;
    this.#order = order;
    this.#backoff = backoff;
    this.#emit = emit;
  }

  /** Its pid; undefined while it does not run. */
  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** Number of unexpected exits since `start`. */
  get exits(): number {
    return this.#exits;
  }

  /** Starts it and keeps it running. */
  start(): void {
    if (this.#stopping.signal.aborted || this.#life) return;
    startNewLog(this.logFile);
    this.#life = this.#keepRunning();
  }

  /** Sends the stop signal, kills it after the time limit, and resolves when it has exited. Safe to call again. */
  async stop(): Promise<void> {
    if (!this.#stopping.signal.aborted) {
      this.#stopping.abort();
      this.#child?.kill(this.spec.stopSignal ?? 'SIGTERM');
    }
    const limit = setTimeout(() => this.kill(), this.spec.stopWithinMs ?? STOP_WITHIN_MS);
    await this.#life;
    clearTimeout(limit);
  }

  /** Kills it and its process group at once. It is not restarted. */
  kill(): void {
    this.#stopping.abort();
    if (this.pid !== undefined) killGroup(this.pid);
  }

  async #keepRunning(): Promise<void> {
    const logCheck = setInterval(() => limitLog(this.logFile), LOG_CHECK_MS);
    for (let failures = 0; ; failures += 1) {
      const startedAt = performance.now();
      const reason = await this.#runOnce().catch((error: unknown) => String(error));
      if (this.#stopping.signal.aborted) {
        if (this.#starts > 0) this.#emit({ kind: 'stopped', name: this.spec.name, reason });
        break;
      }
      if (performance.now() - startedAt >= this.#backoff.forgivenAfterMs) failures = 0;
      this.#exits += 1;
      const restartInMs = Math.min(this.#backoff.longestMs, this.#backoff.firstMs * 2 ** failures);
      this.#emit({ kind: 'exited', name: this.spec.name, reason, restartInMs });
      await sleep(restartInMs, undefined, { signal: this.#stopping.signal }).catch(() => {});
    }
    clearInterval(logCheck);
  }

  /** Starts the process once and resolves with the reason of its exit. */
  async #runOnce(): Promise<string> {
    await this.spec.prepare?.();
    if (this.#stopping.signal.aborted) return 'not started';
    const child = this.#spawn();
    if (child.pid === undefined) {
      const [error] = (await once(child, 'error')) as [Error];
      return error.message;
    }
    this.#child = child;
    this.#record(child.pid);
    this.#starts += 1;
    this.#emit({ kind: this.#starts === 1 ? 'started' : 'restarted', name: this.spec.name, pid: child.pid });

    const [code, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null];
    this.#child = undefined;
    // Its descendants in the same process group are killed; agents have groups of their own and outlive a worker.
    killGroup(child.pid);
    forgetProcess(this.#dataDirectory, this.spec.name);
    return signal ? `killed by ${signal}` : `exit code ${code}`;
  }

  #spawn(): ChildProcess {
    const log = openLog(this.logFile);
    try {
      return spawn(this.spec.command, this.spec.args, {
        env: this.spec.env,
        cwd: this.spec.cwd,
        // A process group of its own: Ctrl-C at the terminal reaches only `up`, which stops them in order.
        detached: true,
        stdio: ['ignore', log, log],
        ...(this.spec.uid !== undefined && { uid: this.spec.uid }),
        ...(this.spec.gid !== undefined && { gid: this.spec.gid }),
      });
    } finally {
      closeSync(log);
    }
  }

  #record(pid: number): void {
    const identity = identify(pid);
    if (!identity) return; // it has exited already
    const { name, stopSignal = 'SIGTERM' } = this.spec;
    recordProcess(this.#dataDirectory, { ...identity, name, stopSignal, order: this.#order });
  }
}
