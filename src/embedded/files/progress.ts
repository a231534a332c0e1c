/** Signs of life while something slow is done. */

const EVERY_MS = 15_000;

/** Does `work`, and says every quarter of a minute how long it has been at it. */
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
