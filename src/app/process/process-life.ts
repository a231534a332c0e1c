/** How a process of ours says that it is ready, and learns that it shall end. */
import { setTimeout as sleep } from 'node:timers/promises';

/** Tells the process that started this one, when there is a channel to it, that it may be used. */
export function notifyReady(details: Record<string, unknown> = {}): void {
  process.send?.({ ready: true, ...details });
}

/**
 * Aborted at SIGINT or SIGTERM, and when the process that started this one is gone. Ask for it before anything that can
 * wait: until then a signal just ends the process.
 */
export function stopSignal(): AbortSignal {
  const stop = new AbortController();
  const end = (): void => stop.abort();
  for (const event of ['SIGINT', 'SIGTERM', 'disconnect']) process.once(event, end);
  return stop.signal;
}

/** Resolves when the signal says so. */
export async function untilAborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise<void>((resolve) => {
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

/** Resolves at SIGINT or SIGTERM, and when the process that started this one is gone. */
export async function untilSignal(): Promise<void> {
  return untilAborted(stopSignal());
}

/** Milliseconds between attempts: twice as long each time, from the first to the longest. */
const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 5000;

/**
 * Tries until it succeeds, with growing pauses, for what is away and comes back; undefined when `signal` came first.
 * `onFailure` is told each failure and the milliseconds until the next attempt.
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

/** A process that has done all it had to do ends; whatever still holds it, such as an activity given up, may no more than this. */
const LAST_MS = 1000;

/** Ends this process soon, and at once when nothing holds it. */
export function leave(): void {
  setTimeout(() => process.exit(), LAST_MS).unref();
}
