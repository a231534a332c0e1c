/**
 * The model gateway (docs/decisions.md, 6): an agent authenticates with its run token, the gateway with the API key. A request
 * is read whole and looked into, and sent on as it was read.
 */
import { Hono } from 'hono';
import { refuseModelRequest } from '../../src/domain/agent/model-requests.ts';
import { failure } from '../http/errors.ts';
import { createUpstream, type Upstream } from './upstream.ts';
import { bearer, type RunAccess } from './run-access.ts';

export interface ModelGatewayOptions {
  readonly access: RunAccess;
  /** An OpenAI-compatible API, ending in /v1. */
  readonly upstream: string;
  readonly apiKey: string;
  readonly limits?: ModelGatewayLimits;
  readonly send?: Upstream;
}

/** Bytes. */
export interface ModelGatewayLimits {
  /** Of one request: a conversation with all its images. */
  readonly request: number;
  /** Of all requests that are being read. */
  readonly together: number;
}

const LIMITS: ModelGatewayLimits = { request: 32 * 1024 * 1024, together: 128 * 1024 * 1024 };

/** The routes that an agent needs, and no others: files, batches and stored prompts belong to the account, not to the run. */
const OPEN: ReadonlySet<string> = new Set(['POST /responses', 'POST /responses/compact', 'GET /models']);

/** Headers of a request that mean something to the model's API. */
const REQUEST_HEADERS = [
  'accept',
  'openai-beta',
  'user-agent',
  'session_id',
  'conversation_id',
  'originator',
  'version',
];
/** Headers of an answer that an agent may see. */
const RESPONSE_HEADERS = ['content-type', 'retry-after', 'x-request-id', 'openai-processing-ms', 'cache-control'];

export function createModelGateway({
  access,
  upstream,
  apiKey,
  limits = LIMITS,
  send = createUpstream(),
}: ModelGatewayOptions): Hono {
  const budget = { left: limits.together };
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
    let body: string | null = null;
    if (c.req.method === 'POST') {
      if ((c.req.header('content-encoding') ?? 'identity') !== 'identity')
        return failure(c, 415, 'invalid_argument', 'a request to the model must not be compressed', 'content-encoding');
      const read = await readJson(c.req.raw, limits.request, budget);
      if (read === 'too_large')
        return failure(c, 413, 'invalid_argument', `the body has more than ${limits.request} bytes`);
      if (read === 'no_space') return failure(c, 503, 'unavailable', 'too many large requests are being read');
      if (read === 'no_json') return failure(c, 400, 'invalid_argument', 'the body is not JSON');
      const refused = refuseModelRequest(read.json, run.model);
      if (refused !== undefined) return failure(c, 400, 'invalid_argument', refused);
      // Written anew: another reader may understand a field that is there twice in another way.
      body = JSON.stringify(read.json);
      headers.set('content-type', 'application/json');
    }
    try {
      const response = await send(`${upstream}${path}${c.req.method === 'GET' ? search : ''}`, {
        method: c.req.method,
        headers,
        body,
        signal: c.req.raw.signal,
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

type Read = { readonly json: unknown } | 'too_large' | 'no_space' | 'no_json';

/** Reads a body of JSON, as long as the budget for all of them has room. */
async function readJson({ body }: Request, limit: number, budget: { left: number }): Promise<Read> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  try {
    for await (const chunk of body ?? []) {
      if (length + chunk.length > limit) return 'too_large';
      if (chunk.length > budget.left) return 'no_space';
      length += chunk.length;
      budget.left -= chunk.length;
      chunks.push(chunk);
    }
    const text = new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks));
    return { json: JSON.parse(text) as unknown };
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof TypeError) return 'no_json';
    throw error;
  } finally {
    budget.left += length;
  }
}
