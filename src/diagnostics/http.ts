/** Checks of services over HTTP: the server and the model. */
import { failed, ok, warning, type Answer, type Check } from './check.ts';

/** Where a server says how it is: `/readyz`, with the staff token unless that is open, or `/healthz`, which says less. */
export interface HealthAddress {
  readonly url: string;
  readonly path?: '/readyz' | '/healthz';
  readonly token?: string;
}

/** Checks the readiness of a server. `away` is the verdict if it does not answer. */
export function serverCheck({ url, path = '/readyz', token }: HealthAddress, away: 'failed' | 'warning'): Check {
  const advice = 'start "codex-k8s server"; if it is running, see its log';
  return {
    name: 'server',
    async run(signal): Promise<Answer | Answer[]> {
      const response = await fetch(`${url}${path}`, {
        signal,
        ...(token === undefined ? {} : { headers: { authorization: `Bearer ${token}` } }),
      }).catch(() => undefined);
      if (response === undefined) return { verdict: away, found: `no response from ${url}`, remedy: advice };
      const parts = (await response.json().catch(() => ({}))) as {
        checks?: Record<string, { status: string; error?: string }>;
      };
      const troubled = Object.entries(parts.checks ?? {}).filter(([, { status }]) => status !== 'ok');
      const problems = troubled.map(([name, { status, error }]) => `${name} ${status}${error ? ` (${error})` : ''}`);
      if (!response.ok)
        return failed(`not ready at ${url}: ${problems.join(', ') || `HTTP ${response.status}`}`, advice);
      if (problems.length > 0)
        return warning(
          `ready at ${url}, with problems: ${problems.join(', ')}`,
          'see /readyz and the log of the server',
        );
      return ok(path === '/readyz' ? `ready at ${url}` : `answers at ${url}`);
    },
  };
}

/** Checks that the model's API accepts the key. */
export function modelCheck(url: string, key: string): Check {
  return {
    name: 'model',
    remedy: 'correct CODEXK8S_MODEL_URL, and let the server reach it',
    async run(signal): Promise<Answer> {
      const response = await fetch(`${url}/models`, { headers: { authorization: `Bearer ${key}` }, signal });
      await response.body?.cancel();
      if (response.ok) return ok(`${url} accepts the key`);
      if (response.status === 401 || response.status === 403)
        return failed(
          `${url} rejects the key (HTTP ${response.status})`,
          'put a valid key into CODEXK8S_MODEL_KEY_FILE',
        );
      return warning(`GET ${url}/models answers HTTP ${response.status}`, 'check CODEXK8S_MODEL_URL');
    },
  };
}
