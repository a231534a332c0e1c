/** Services that are asked over HTTP: the server itself, and the model. */
import { failed, ok, warning, type Answer, type Check } from './check.ts';

/** Whether a server answers at an address, and what it says of itself. `away` is the verdict when nobody answers. */
export function serverCheck(url: string, away: 'failed' | 'warning'): Check {
  const advice = 'start "codex-k8s server"; its log says why it does not answer';
  return {
    name: 'server',
    async run(signal): Promise<Answer | Answer[]> {
      const response = await fetch(`${url}/readyz`, { signal }).catch(() => undefined);
      if (response === undefined) return { verdict: away, found: `does not answer at ${url}`, remedy: advice };
      const parts = (await response.json().catch(() => ({}))) as {
        checks?: Record<string, { status: string; error?: string }>;
      };
      const troubled = Object.entries(parts.checks ?? {}).filter(([, { status }]) => status !== 'ok');
      const words = troubled.map(([name, { status, error }]) => `${name} ${status}${error ? ` (${error})` : ''}`);
      if (!response.ok)
        return failed(`is not ready at ${url}: ${words.join(', ') || `HTTP ${response.status}`}`, advice);
      if (words.length > 0) return warning(`is ready at ${url}, but: ${words.join(', ')}`, 'see /readyz and its log');
      return ok(`is ready at ${url}`);
    },
  };
}

/** Whether the model's API takes the key. */
export function modelCheck(url: string, key: string): Check {
  return {
    name: 'model',
    remedy: 'correct CODEXK8S_MODEL_URL, and let the server reach it',
    async run(signal): Promise<Answer> {
      const response = await fetch(`${url}/models`, { headers: { authorization: `Bearer ${key}` }, signal });
      await response.body?.cancel();
      if (response.ok) return ok(`answers at ${url}, and takes the key`);
      if (response.status === 401 || response.status === 403)
        return failed(
          `${url} refuses the key (HTTP ${response.status})`,
          'put a valid key into CODEXK8S_MODEL_KEY_FILE',
        );
      return warning(`${url} answers HTTP ${response.status} when asked for its models`, 'check CODEXK8S_MODEL_URL');
    },
  };
}
