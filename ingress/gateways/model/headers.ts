/** Which headers the model gateway passes on, in both directions. */
import type { Provider } from './routes.ts';

/** Headers of a request that mean something to a model's API. */
const REQUEST_HEADERS: ReadonlySet<string> = new Set([
  'accept',
  'anthropic-beta',
  'anthropic-version',
  'conversation_id',
  'openai-beta',
  'originator',
  'session-id',
  'session_id',
  'thread-id',
  'user-agent',
  'version',
  'x-app',
  'x-claude-code-session-id',
  'x-client-request-id',
]);
/** Codex' own, such as x-codex-turn-state. */
const OF_CODEX = 'x-codex-';

/** Headers of an answer that an agent may see: none that names the account or what it has left. */
const RESPONSE_HEADERS = [
  'cache-control',
  'content-type',
  'openai-processing-ms',
  'request-id',
  'retry-after',
  'x-codex-turn-state',
  'x-request-id',
  'x-should-retry',
];

/** The headers of a request to the provider, with the platform's key. */
export function requestHeaders(given: Headers, provider: Provider, key: string): Headers {
  const headers = new Headers(provider === 'openai' ? { authorization: `Bearer ${key}` } : { 'x-api-key': key });
  for (const [name, value] of given)
    if (REQUEST_HEADERS.has(name) || name.startsWith(OF_CODEX)) headers.set(name, value);
  return headers;
}

/** The headers of the answer to the agent. */
export function responseHeaders(given: Headers): Headers {
  const headers = new Headers();
  for (const name of RESPONSE_HEADERS) {
    const value = given.get(name);
    if (value !== null) headers.set(name, value);
  }
  return headers;
}
