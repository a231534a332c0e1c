/** Results that are kept for a moment, so that nobody causes work by asking often. */

/** Calls `act` at most once in `keepMs` milliseconds; whoever asks meanwhile shares its result or its error. */
export function cached<Result>(act: () => Promise<Result>, keepMs: number): () => Promise<Result> {
  let last: { readonly at: number; readonly result: Promise<Result> } | undefined;
  let working = false;
  return function ask() {
    if (last && (working || performance.now() - last.at < keepMs)) return last.result;
    working = true;
    const result = act().finally(() => {
      working = false;
      last = { at: performance.now(), result };
    });
    last = { at: performance.now(), result };
    return result;
  };
}
