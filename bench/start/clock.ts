/** Milliseconds since 1970 with fractions: the one clock that agents, Temporal's histories and the benchmark share. */
export function now(): number {
  return performance.timeOrigin + performance.now();
}
