/** A check: one question about an installation, answered within a limit of time. */
import { setTimeout as delay } from 'node:timers/promises';

/**
 * `ok`: fine. `warning`: works, and should be looked at. `failed`: the installation cannot do its work like this.
 * `unknown`: it could not be found out from here.
 */
export type Verdict = 'ok' | 'warning' | 'failed' | 'unknown';

export interface Answer {
  readonly verdict: Verdict;
  /** What was found, in one line, without secrets. */
  readonly found: string;
  /** What to do about it. */
  readonly remedy?: string;
}

export interface Finding extends Answer {
  readonly check: string;
}

export interface Check {
  /** What is looked at: `Postgres`, `Temporal: search attributes`. */
  readonly name: string;
  /** May throw: then the check has failed, with the error's words. `signal` says that nobody waits any more. */
  readonly run: (signal: AbortSignal) => Promise<Answer | readonly Answer[]>;
  /** What to do when it throws, or takes too long. */
  readonly remedy?: string;
  readonly limitMs?: number;
}

/** Milliseconds for one check. */
const LIMIT_MS = 10_000;

export const ok = (found: string): Answer => ({ verdict: 'ok', found });
export const warning = (found: string, remedy: string): Answer => ({ verdict: 'warning', found, remedy });
export const failed = (found: string, remedy: string): Answer => ({ verdict: 'failed', found, remedy });
export const unknown = (found: string, remedy?: string): Answer => ({
  verdict: 'unknown',
  found,
  ...(remedy === undefined ? {} : { remedy }),
});

/** Runs all checks at once; findings come in the checks' order. Never rejects. */
export async function runChecks(checks: readonly Check[]): Promise<Finding[]> {
  return (await Promise.all(checks.map(findings))).flat();
}

async function findings({ name, run, remedy, limitMs = LIMIT_MS }: Check): Promise<Finding[]> {
  const end = new AbortController();
  const told = (found: string): Answer => ({ ...failed(found, ''), ...(remedy === undefined ? {} : { remedy }) });
  const late = delay(limitMs, told(`no answer within ${limitMs / 1000} s`), { signal: end.signal });
  const answered = run(end.signal).catch((error: unknown) => told(wordsOf(error)));
  late.catch(() => undefined);
  const answers = [await Promise.race([answered, late])].flat();
  end.abort();
  return answers.map(({ remedy: advice, ...answer }) => ({
    check: name,
    ...answer,
    ...(advice ? { remedy: advice } : {}),
  }));
}

/** An error in one line, with the reason below it. */
export function wordsOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { code } = error as { code?: unknown };
  const own = (error.message || (typeof code === 'string' ? code : error.name)).replaceAll(/\s+/g, ' ').slice(0, 400);
  if (error instanceof AggregateError && error.errors.length > 0) return wordsOf(error.errors[0]);
  return error.cause instanceof Error ? `${own}: ${wordsOf(error.cause)}` : own;
}
