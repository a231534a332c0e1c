/** Progress messages of slow steps. */

const EVERY_MS = 15_000;

/** Does `work`, and reports the elapsed time every 15 seconds. */
export async function withProgress<T>(
  what: string,
  report: (message: string) => void,
  work: () => Promise<T>,
): Promise<T> {
  const startedAt = performance.now();
  report(what);
  const timer = setInterval(() => report(`${what}: ${Math.round((performance.now() - startedAt) / 1000)} s`), EVERY_MS);
  try {
    return await work();
  } finally {
    clearInterval(timer);
  }
}
