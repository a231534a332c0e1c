/** The connection to GitHub. Retries belong to Temporal, so none are made here. */
import { Octokit } from '@octokit/rest';

/** Milliseconds after which a call is given up; the caller's retry finds what it may have done. */
const CALL_LIMIT_MS = 20_000;

export function createOctokit({ apiUrl, token }: { apiUrl: string; token: string }): Octokit {
  return new Octokit({
    baseUrl: apiUrl,
    auth: token,
    userAgent: 'codex-k8s',
    log: { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} },
    request: {
      fetch: (url: string, options: RequestInit) =>
        fetch(url, { ...options, signal: options.signal ?? AbortSignal.timeout(CALL_LIMIT_MS) }),
    },
  });
}

/** Whether GitHub answered that a thing is not there. */
export function isNotFound(error: unknown): boolean {
  return (error as { status?: number }).status === 404;
}
