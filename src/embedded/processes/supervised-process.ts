/** One process that is kept running: started, started again when it dies, stopped when asked. */
import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync } from 'node:fs';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { openLog, limitLog, startNewLog } from './log-file.ts';
import { identify } from '../../adapters/process-identity.ts';
import { forgetProcess, killGroup, recordProcess } from './process-record.ts';

export interface ProcessSpec {
  /** Names its log, its record and its place in every message. */
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  /** The whole environment: nothing is inherited. */
  readonly env: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** The account it runs as, where it must not be root. */
  readonly uid?: number;
  readonly gid?: number;
  /** Names of those that must be ready first. */
  readonly after?: readonly string[];
  /** Runs before every start. When it fails, that counts as a death. */
  readonly prepare?: () => Promise<void> | void;
  /** Whether it can be used now. `false` and a rejection both mean: not yet. */
  readonly ready?: () => Promise<boolean>;
  readonly readyWithinMs?: number;
  /** How it is asked to stop; SIGTERM unless told. */
  readonly stopSignal?: 'SIGTERM' | 'SIGINT';
  /** After this long it is killed; 15 s unless told. */
  readonly stopWithinMs?: number;
  /** Runs when it has been stopped for good, while those it was started after still run. */
  readonly afterStop?: () => Promise<void>;
}

export type ProcessEvent =
  | { readonly kind: 'started' | 'restarted'; readonly name: string; readonly pid: number }
  | { readonly kind: 'died'; readonly name: string; readonly reason: string; readonly restartInMs: number }
  | { readonly kind: 'stopped'; readonly name: string; readonly reason: string };

/** How long to wait before a start after so many deaths in a row. */
export interface Backoff {
  readonly firstMs: number;
  readonly longestMs: number;
  /** One that lived this long starts again without the memory of earlier deaths. */
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
  #deaths = 0;
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

  /** The process's id while there is a process. */
  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** How often it has died since `start`. */
  get deaths(): number {
    return this.#deaths;
  }

  /** Starts it, and from then on keeps it running. */
  start(): void {
    if (this.#stopping.signal.aborted || this.#life) return;
    startNewLog(this.logFile);
    this.#life = this.#keepRunning();
  }

  /** Asks it to stop, kills it when it takes too long, and waits for its end. Calling it again waits for the same end. */
  async stop(): Promise<void> {
    if (!this.#stopping.signal.aborted) {
      this.#stopping.abort();
      this.#child?.kill(this.spec.stopSignal ?? 'SIGTERM');
    }
    const limit = setTimeout(() => this.kill(), this.spec.stopWithinMs ?? STOP_WITHIN_MS);
    await this.#life;
    clearTimeout(limit);
  }

  /** Kills it and everything in its process group at once. It is not started again. */
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
      this.#deaths += 1;
      const restartInMs = Math.min(this.#backoff.longestMs, this.#backoff.firstMs * 2 ** failures);
      this.#emit({ kind: 'died', name: this.spec.name, reason, restartInMs });
      await sleep(restartInMs, undefined, { signal: this.#stopping.signal }).catch(() => {});
    }
    clearInterval(logCheck);
  }

  /** One life of the process; tells how it ended. */
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
    // What it started in its own group ends with it; agents have groups of their own, and outlive a worker.
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
    if (!identity) return; // it has ended already
    const { name, stopSignal = 'SIGTERM' } = this.spec;
    recordProcess(this.#dataDirectory, { ...identity, name, stopSignal, order: this.#order });
  }
}
