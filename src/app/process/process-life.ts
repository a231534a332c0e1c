/** Lifecycle of a process: readiness, signals, retries, exit. */
import { setTimeout as sleep } from 'node:timers/promises';

/** Sends `ready` to the parent process, if there is an IPC channel. */
export function notifyReady(details: Record<string, unknown> = {}): void {
  process.send?.({ ready: true, ...details });
}

/**
 * Aborted at SIGINT or SIGTERM, and when the parent process has closed its IPC channel. Call it before anything that can
 * wait: until then a signal terminates the process.
 */
export function stopSignal(): AbortSignal {
  const stop = new AbortController();
  const end = (): void => stop.abort();
  for (const event of ['SIGINT', 'SIGTERM', 'disconnect']) process.once(event, end);
  return stop.signal;
}

/** Resolves when the signal is aborted. */
export async function untilAborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise<void>((resolve) => {
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

/** Resolves at SIGINT or SIGTERM, and when the parent process has closed its IPC channel. */
export async function untilSignal(): Promise<void> {
  return untilAborted(stopSignal());
}

/** Milliseconds between attempts: doubled each time, up to the longest. */
const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 5000;

/**
 * Retries until `attempt` succeeds, with growing pauses; undefined if `signal` is aborted first. `onFailure` gets each error
 * and the milliseconds until the next attempt.
 */
export async function persistently<Result>(
  attempt: () => Promise<Result>,
  { signal, onFailure }: { signal: AbortSignal; onFailure: (error: unknown, againInMs: number) => void },
): Promise<Result | undefined> {
  for (let pause = FIRST_PAUSE_MS; !signal.aborted; pause = Math.min(LONGEST_PAUSE_MS, pause * 2)) {
    try {
      return await attempt();
    } catch (error) {
      if (signal.aborted) return undefined;
      onFailure(error, pause);
      await sleep(pause, undefined, { signal }).catch(() => undefined);
    }
  }
  return undefined;
}

/** Milliseconds until the process exits, if open handles (an abandoned activity, for example) keep it running. */
const LAST_MS = 1000;

/** Exits soon, and at once if no handle is open. */
export function leave(): void {
  setTimeout(() => process.exit(), LAST_MS).unref();
}
