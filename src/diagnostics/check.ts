/** Checks of an installation, each with a time limit. */
import { setTimeout as delay } from 'node:timers/promises';

/**
 * `ok`: no problem. `warning`: works, but should be looked at. `failed`: the installation cannot work like this.
 * `unknown`: could not be determined from here.
 */
export type Verdict = 'ok' | 'warning' | 'failed' | 'unknown';

export interface Answer {
  readonly verdict: Verdict;
  /** The result in one line, without secrets. */
  readonly found: string;
  /** How to fix it. */
  readonly remedy?: string;
}

export interface Finding extends Answer {
  readonly check: string;
}

export interface Check {
  /** The subject of the check: `Postgres`, `Temporal: search attributes`. */
  readonly name: string;
  /** If it throws, the check has failed with the error's message. `signal` aborts when the time limit is over. */
  readonly run: (signal: AbortSignal) => Promise<Answer | readonly Answer[]>;
  /** The remedy if it throws or times out. */
  readonly remedy?: string;
  readonly limitMs?: number;
}

/** Time limit of one check, in milliseconds. */
const LIMIT_MS = 10_000;

export const ok = (found: string): Answer => ({ verdict: 'ok', found });
export const warning = (found: string, remedy: string): Answer => ({ verdict: 'warning', found, remedy });
export const failed = (found: string, remedy: string): Answer => ({ verdict: 'failed', found, remedy });
export const unknown = (found: string, remedy?: string): Answer => ({
  verdict: 'unknown',
  found,
  ...(remedy === undefined ? {} : { remedy }),
});

/** Runs all checks concurrently; findings are in the checks' order. Never rejects. */
export async function runChecks(checks: readonly Check[]): Promise<Finding[]> {
  return (await Promise.all(checks.map(findings))).flat();
}

async function findings({ name, run, remedy, limitMs = LIMIT_MS }: Check): Promise<Finding[]> {
  const end = new AbortController();
  const failure = (found: string): Answer => ({ ...failed(found, ''), ...(remedy === undefined ? {} : { remedy }) });
  const late = delay(limitMs, failure(`timed out: no answer within ${limitMs / 1000} s`), { signal: end.signal });
  const answered = run(end.signal).catch((error: unknown) => failure(errorText(error)));
  late.catch(() => undefined);
  const answers = [await Promise.race([answered, late])].flat();
  end.abort();
  return answers.map(({ remedy: advice, ...answer }) => ({
    check: name,
    ...answer,
    ...(advice ? { remedy: advice } : {}),
  }));
}

/** An error and its causes in one line. */
export function errorText(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { code } = error as { code?: unknown };
  const own = (error.message || (typeof code === 'string' ? code : error.name)).replaceAll(/\s+/g, ' ').slice(0, 400);
  if (error instanceof AggregateError && error.errors.length > 0) return errorText(error.errors[0]);
  return error.cause instanceof Error ? `${own}: ${errorText(error.cause)}` : own;
}
