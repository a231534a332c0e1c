/** How a process of ours says that it is ready, and learns that it shall end. */

/** Tells the process that started this one, when there is a channel to it, that it may be used. */
export function notifyReady(details: Record<string, unknown> = {}): void {
  process.send?.({ ready: true, ...details });
}

/** Resolves at SIGINT or SIGTERM, and when the process that started this one is gone. */
export async function untilSignal(): Promise<void> {
  await new Promise<void>((resolve) => {
    const end = (): void => resolve();
    process.once('SIGINT', end);
    process.once('SIGTERM', end);
    process.once('disconnect', end);
  });
}
