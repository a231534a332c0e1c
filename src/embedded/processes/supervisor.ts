/** Supervises the processes of the embedded default: starts them in order, and stops them in reverse order. */
import { closeSync, mkdirSync, openSync, readSync, fstatSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { BACKOFF, SupervisedProcess, type Backoff, type ProcessEvent, type ProcessSpec } from './supervised-process.ts';

export interface Supervisor {
  /**
   * Starts processes, each once those of its `after` are ready, and resolves when all are ready. It may be called again with
   * more. Rejects with the end of the log of one that does not become ready; the others keep running until `stop`.
   */
  start(specs: readonly ProcessSpec[]): Promise<void>;
  /** Stops all processes, last started first. Safe to call again. */
  stop(): Promise<void>;
  /** Kills all processes at once. */
  kill(): void;
  /** Pids of the running processes, by name. */
  pids(): Record<string, number>;
}

export interface SupervisorOptions {
  readonly dataDirectory: string;
  readonly onEvent: (event: ProcessEvent) => void;
  readonly backoff?: Backoff;
}

const READY_WITHIN_MS = 60_000;
const READY_POLL_MS = 100;
/** A process that has exited this often without being ready counts as failed. */
const HOPELESS_EXITS = 5;
const LOG_TAIL_BYTES = 2000;

/** A supervisor for a data directory that this process has claimed. */
export function createSupervisor({ dataDirectory, onEvent, backoff = BACKOFF }: SupervisorOptions): Supervisor {
  mkdirSync(join(dataDirectory, 'logs'), { recursive: true, mode: 0o700 });
  const processes: SupervisedProcess[] = [];
  const readiness = new Map<string, Promise<void>>();
  const stopping = new AbortController();
  let stopped: Promise<void> | undefined;

  async function startOne(one: SupervisedProcess): Promise<void> {
    await allReady(one.spec.after ?? []);
    stopping.signal.throwIfAborted();
    one.start();
    await untilReady(one, stopping.signal);
  }

  async function allReady(names: readonly string[]): Promise<void> {
    await Promise.all(names.flatMap((name) => readiness.get(name) ?? []));
  }

  return {
    async start(specs) {
      for (const spec of inOrder(specs, new Set(readiness.keys()))) {
        const one = new SupervisedProcess(spec, dataDirectory, processes.length, backoff, onEvent);
        processes.push(one);
        readiness.set(spec.name, startOne(one));
      }
      await allReady(specs.map(({ name }) => name));
    },
    stop() {
      stopping.abort(new Error('Stopped before everything was ready'));
      stopped ??= stopInReverse(processes);
      return stopped;
    },
    kill() {
      stopping.abort(new Error('Stopped before everything was ready'));
      for (const one of processes) one.kill();
    },
    pids: () => Object.fromEntries(processes.flatMap(({ spec, pid }) => (pid === undefined ? [] : [[spec.name, pid]]))),
  };
}

/** Stops at the first SIGINT, SIGTERM or SIGHUP, kills at the second; resolves when all processes have exited. */
export async function stopOnSignal(
  supervisor: Supervisor,
  onStopping: (signal: NodeJS.Signals) => void,
): Promise<void> {
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  await new Promise<void>((resolve, reject) => {
    let asked = false;
    function onSignal(signal: NodeJS.Signals): void {
      if (asked) return supervisor.kill();
      asked = true;
      onStopping(signal);
      supervisor.stop().then(resolve, reject);
    }
    for (const signal of signals) process.on(signal, onSignal);
  });
}

async function stopInReverse(processes: readonly SupervisedProcess[]): Promise<void> {
  for (const one of processes.toReversed()) {
    await one.stop();
    await one.spec.afterStop?.();
  }
}

/** Sorts by `after`. Throws for unknown names and cycles. */
function inOrder(specs: readonly ProcessSpec[], known: Set<string>): ProcessSpec[] {
  const sorted: ProcessSpec[] = [];
  const waiting = [...specs];
  while (waiting.length > 0) {
    const next = waiting.findIndex((spec) => (spec.after ?? []).every((name) => known.has(name)));
    const [spec] = next < 0 ? [] : waiting.splice(next, 1);
    if (!spec) throw new Error(`Unknown name or cycle in "after" of: ${waiting.map(({ name }) => name).join(', ')}`);
    if (known.has(spec.name)) throw new Error(`There are two processes named ${spec.name}`);
    known.add(spec.name);
    sorted.push(spec);
  }
  return sorted;
}

async function untilReady(one: SupervisedProcess, signal: AbortSignal): Promise<void> {
  const { name, ready = async () => one.pid !== undefined, readyWithinMs = READY_WITHIN_MS } = one.spec;
  const deadline = performance.now() + readyWithinMs;
  let problem = 'it did not become ready';
  for (;;) {
    signal.throwIfAborted();
    const isReady = await within(ready(), deadline - performance.now()).catch((error: unknown) => {
      problem = String(error);
      return false;
    });
    if (isReady) return;
    if (one.exits >= HOPELESS_EXITS) throw new Error(`${name} exits at every start. ${endOfLog(one.logFile)}`);
    if (performance.now() > deadline) {
      throw new Error(`${name} was not ready within ${readyWithinMs / 1000} s: ${problem}. ${endOfLog(one.logFile)}`);
    }
    await sleep(READY_POLL_MS);
  }
}

async function within(answer: Promise<boolean>, limitMs: number): Promise<boolean> {
  const done = new AbortController();
  const limit = sleep(Math.max(0, limitMs), false, { signal: done.signal });
  limit.catch(() => {});
  return Promise.race([answer, limit]).finally(() => done.abort());
}

function endOfLog(path: string): string {
  const file = openSync(path, 'a+');
  try {
    const { size } = fstatSync(file);
    const tail = Buffer.alloc(Math.min(size, LOG_TAIL_BYTES));
    readSync(file, tail, 0, tail.length, size - tail.length);
    return tail.length === 0 ? `Its log is empty (${path})` : `The end of ${path}:\n${tail.toString('utf8').trim()}`;
  } finally {
    closeSync(file);
  }
}
