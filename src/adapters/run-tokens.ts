/** Run tokens: what opens the gateways for one attempt of one run. Computed, so that none has to be stored. */
import { createHmac, timingSafeEqual } from 'node:crypto';

export interface RunTokens {
  readonly issue: (runId: string, attempt: number) => string;
  /** The run and attempt of a token that this key made, or undefined. Says nothing of whether the run still lives. */
  verify(token: string): { runId: string; attempt: number } | undefined;
}

/** `ck8s_run_<run id>_<attempt>_<hmac>`: the prefix lets secret scanners and our own redaction know it. */
export function createRunTokens(key: string): RunTokens {
  const seal = (runId: string, attempt: number): string =>
    createHmac('sha256', key).update(`run-token:${runId}:${attempt}`).digest('hex');
  return {
    issue: (runId, attempt) => `ck8s_run_${runId}_${attempt}_${seal(runId, attempt)}`,
    verify(token) {
      const [, runId, attempt, mac] = /^ck8s_run_([0-9a-f-]{36})_([1-9]\d{0,3})_([0-9a-f]{64})$/.exec(token) ?? [];
      if (runId === undefined || attempt === undefined || mac === undefined) return undefined;
      const expected = Buffer.from(seal(runId, Number(attempt)), 'hex');
      return timingSafeEqual(expected, Buffer.from(mac, 'hex')) ? { runId, attempt: Number(attempt) } : undefined;
    },
  };
}
