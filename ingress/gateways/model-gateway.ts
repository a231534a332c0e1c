/** The model gateway (docs/decisions.md, 6): an agent authenticates with its run token, the gateway with the API key. */
import { Hono } from 'hono';
import { failure } from '../http/errors.ts';
import { bearer, type RunAccess } from './run-access.ts';

export interface ModelGatewayOptions {
  readonly access: RunAccess;
  /** An OpenAI-compatible API, ending in /v1. */
  readonly upstream: string;
  readonly apiKey: string;
}

/** The routes that an agent needs, and no others: files, batches and stored prompts belong to the account, not to the run. */
const OPEN: ReadonlySet<string> = new Set(['POST /responses', 'POST /responses/compact', 'GET /models']);

/** Headers of a request that mean something to the model's API. */
const REQUEST_HEADERS = [
  'accept',
  'content-type',
  'content-encoding',
  'openai-beta',
  'user-agent',
  'session_id',
  'conversation_id',
  'originator',
  'version',
];
/** Headers of an answer that an agent may see. */
const RESPONSE_HEADERS = ['content-type', 'retry-after', 'x-request-id', 'openai-processing-ms', 'cache-control'];

export function createModelGateway({ access, upstream, apiKey }: ModelGatewayOptions): Hono {
  const app = new Hono();
  app.all('/v1/*', async (c) => {
    const run = await access.open(bearer(c.req.header('authorization')));
    if (!run) return failure(c, 401, 'unauthorized', 'the run token is not valid, or its run is over');
    const { pathname, search } = new URL(c.req.url);
    const path = pathname.slice(pathname.indexOf('/v1/') + '/v1'.length);
    if (!OPEN.has(`${c.req.method} ${path}`))
      return failure(c, 404, 'not_found', 'this part of the API is not open to agents');
    const headers = new Headers({ authorization: `Bearer ${apiKey}` });
    for (const name of REQUEST_HEADERS) {
      const value = c.req.header(name);
      if (value !== undefined) headers.set(name, value);
    }
    const withBody = c.req.method !== 'GET' && c.req.method !== 'HEAD';
    try {
      const response = await fetch(`${upstream}${path}${search}`, {
        method: c.req.method,
        headers,
        body: withBody ? c.req.raw.body : null,
        redirect: 'manual',
        signal: c.req.raw.signal,
        ...(withBody ? { duplex: 'half' } : {}),
      });
      const answered = new Headers();
      for (const name of RESPONSE_HEADERS) {
        const value = response.headers.get(name);
        if (value !== null) answered.set(name, value);
      }
      return new Response(response.body, { status: response.status, headers: answered });
    } catch {
      return failure(c, 503, 'unavailable', 'the model does not answer');
    }
  });
  return app;
}
