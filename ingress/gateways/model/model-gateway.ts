/**
 * The model gateway (docs/decisions.md, 6): an agent authenticates with its run token, the gateway with the API key. It speaks
 * OpenAI's Responses and chat completions, and Anthropic's Messages. A request is read whole and looked into, and sent on as it
 * was read.
 */
import { Hono } from 'hono';
import { bearer, type RunAccess } from '../run-access.ts';
import { createUpstream, type Upstream } from '../upstream.ts';
import { requestHeaders, responseHeaders } from './headers.ts';
import { modelFailure } from './model-failure.ts';
import { BODY_LIMITS, createJsonReader, type BodyLimits } from './read-json.ts';
import { routeOf } from './routes.ts';

export interface ModelGatewayOptions {
  readonly access: RunAccess;
  /** OpenAI's API, or one that is compatible. */
  readonly openai: ModelUpstream;
  /** Anthropic's API; without it there is none for agents. */
  readonly anthropic?: ModelUpstream | undefined;
  readonly limits?: BodyLimits;
  readonly send?: Upstream;
}

export interface ModelUpstream {
  /** The address of the API, ending in /v1. */
  readonly url: string;
  readonly key: string;
}

/** Makes the routes of the gateway, below `/v1`. */
export function createModelGateway(options: ModelGatewayOptions): Hono {
  const { access, openai, anthropic, limits = BODY_LIMITS, send = createUpstream() } = options;
  const upstreams = { openai, anthropic };
  const readJson = createJsonReader(limits);
  const app = new Hono();
  app.all('/v1/*', async (c) => {
    const { headers: given } = c.req.raw;
    const run = await access.open(bearer(given.get('authorization') ?? undefined) ?? apiKey(given));
    if (!run) return modelFailure(c, 401, 'unauthorized', 'the run token is not valid, or its run is over');
    const { pathname, searchParams } = new URL(c.req.url);
    const path = pathname.slice(pathname.indexOf('/v1/') + '/v1'.length);
    const route = routeOf(c.req.method, path);
    if (!route) return modelFailure(c, 404, 'not_found', 'this part of the API is not open to agents');
    const upstream = upstreams[route.provider];
    if (!upstream)
      return modelFailure(
        c,
        404,
        'not_found',
        'this installation has no key for Anthropic (CODEXK8S_ANTHROPIC_KEY_FILE)',
      );
    const headers = requestHeaders(given, route.provider, upstream.key);
    let body: string | null = null;
    if (c.req.method === 'POST') {
      if ((given.get('content-encoding') ?? 'identity') !== 'identity')
        return modelFailure(c, 415, 'invalid_argument', 'a request to the model must not be compressed');
      const read = await readJson(c.req.raw);
      if (read === 'too_large')
        return modelFailure(c, 413, 'invalid_argument', `the body has more than ${limits.request} bytes`);
      if (read === 'no_space') return modelFailure(c, 503, 'unavailable', 'too many large requests are being read');
      if (read === 'no_json') return modelFailure(c, 400, 'invalid_argument', 'the body is not JSON');
      const refused = route.refuse(read.json, run.model);
      if (refused !== undefined) return modelFailure(c, 400, 'invalid_argument', refused);
      // Written anew: another reader may understand a field that is there twice in another way.
      body = JSON.stringify(read.json);
      headers.set('content-type', 'application/json');
    }
    try {
      const response = await send(`${upstream.url}${path}${route.search(searchParams)}`, {
        method: c.req.method,
        headers,
        body,
        signal: c.req.raw.signal,
      });
      return new Response(response.body, { status: response.status, headers: responseHeaders(response.headers) });
    } catch {
      return modelFailure(c, 503, 'unavailable', 'the model does not answer');
    }
  });
  return app;
}

/** The run token of Anthropic's clients. */
function apiKey(headers: Headers): string | undefined {
  const key = headers.get('x-api-key') ?? '';
  return /^[\x21-\x7e]{1,500}$/.test(key) ? key : undefined;
}
