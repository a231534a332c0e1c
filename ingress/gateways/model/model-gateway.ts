/**
 * The model gateway (docs/decisions.md, 6): an agent authenticates with its run token, the gateway with the API key. It speaks
 * OpenAI's Responses and chat completions, and Anthropic's Messages. A request is read whole and looked into, and sent on as it
 * was read, with a bound on its answer.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { Hono } from 'hono';
import { isObject } from '../../../src/domain/model/values.ts';
import type { AssignmentRow } from '../../../src/store/runs/assignments.ts';
import { bearer, type RunAccess } from '../run-access.ts';
import { createUpstream, type Upstream } from '../upstream.ts';
import { requestHeaders, responseHeaders } from './headers.ts';
import { modelFailure } from './model-failure.ts';
import type { Meter, MeteredCall } from './metering.ts';
import { BODY_LIMITS, createJsonReader, type BodyLimits } from './read-json.ts';
import { routeOf } from './routes.ts';

export interface ModelGatewayOptions {
  readonly access: RunAccess;
  /** OpenAI's API, or one that is compatible. */
  readonly openai: ModelUpstream;
  /** Anthropic's API; without it there is none for agents. */
  readonly anthropic?: ModelUpstream | undefined;
  /** Counts what calls cost; without it nothing is counted. */
  readonly meter?: Meter;
  readonly limits?: BodyLimits;
  readonly send?: Upstream;
  /** Whether a tool call of the run's attempt waits for a person: then nothing more is asked of the model. */
  readonly isParked?: (run: AssignmentRow) => Promise<boolean>;
  /** Milliseconds for which a request of a parked attempt is held; its runner ends the turn meanwhile. */
  readonly holdMs?: number;
}

const HOLD_MS = 60_000;

export interface ModelUpstream {
  /** The address of the API, ending in /v1. */
  readonly url: string;
  readonly key: string;
}

/** The status of a spent budget: Codex ends its turn at 429 and repeats at 402, Claude Code the other way round. */
const SPENT = { openai: 429, anthropic: 402 } as const;

/** Makes the routes of the gateway, below `/v1`. */
export function createModelGateway(options: ModelGatewayOptions): Hono {
  const { access, openai, anthropic, meter, limits = BODY_LIMITS, send = createUpstream() } = options;
  const { isParked, holdMs = HOLD_MS } = options;
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
    if (c.req.method === 'POST' && (await isParked?.(run))) {
      await delay(holdMs, undefined, { signal: c.req.raw.signal }).catch(() => undefined);
      return modelFailure(c, 409, 'conflict', 'a tool call of this run waits for a person; its turn is over');
    }
    const headers = requestHeaders(given, route.provider, upstream.key);
    let body: string | null = null;
    let call: MeteredCall | undefined;
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
      if (meter && route.format && isObject(read.json)) {
        const admitted = await meter.admit(run, read.json, route.format);
        if (admitted.refused === 'no_price')
          return modelFailure(c, 400, 'invalid_argument', admitted.message, admitted.refused);
        if (admitted.refused)
          return modelFailure(c, SPENT[route.provider], 'resource_exhausted', admitted.message, admitted.refused);
        call = admitted.call;
      }
      // Written anew: another reader may understand a field that is there twice in another way.
      body = JSON.stringify(call?.body ?? read.json);
      headers.set('content-type', 'application/json');
    }
    try {
      const response = await send(`${upstream.url}${path}${route.search(searchParams)}`, {
        method: c.req.method,
        headers,
        body,
        signal: c.req.raw.signal,
      });
      const answer = new Response(response.body, {
        status: response.status,
        headers: responseHeaders(response.headers),
      });
      return call ? await call.answered(answer) : answer;
    } catch (error) {
      await call?.failed(!neverConnected(error));
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

/** Whether a request failed before any of it was sent. */
function neverConnected(error: unknown): boolean {
  for (let at = error; at instanceof Error; at = at.cause)
    if (/^(ECONNREFUSED|ENOTFOUND|EAI_AGAIN|UND_ERR_CONNECT_TIMEOUT)$/.test(String((at as { code?: unknown }).code)))
      return true;
  return false;
}
