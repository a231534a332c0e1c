/**
 * The HTTP client of the gateways, with the limits that it is given. An agent that waits for its model or for git ends its own call,
 * by the limits that are stated (CODEXK8S_AGENT_STALL_SECONDS, CODEXK8S_AGENT_RUN_SECONDS), and its call takes the gateway's with
 * it; so those of the gateway are longer ({@link silenceLimits}). Node's own client would cut after 300 s without a byte.
 */
import { Agent, fetch as fetchWith } from 'undici';

export interface UpstreamLimits {
  /** Milliseconds until a connection is made. */
  readonly connectMs: number;
  /** Milliseconds without a byte of an answer, before its start or within it; 0: no limit. */
  readonly silenceMs: number;
}

/** What the limits of both gateways are made of; milliseconds. */
export interface GatewayLimits {
  readonly connectMs: number;
  /** So much longer than an agent waits. */
  readonly graceMs: number;
}

export const GATEWAY_LIMITS: GatewayLimits = { connectMs: 10_000, graceMs: 60_000 };

/** The limits of a gateway whose agents end a call after so many seconds. */
export function silenceLimits({ connectMs, graceMs }: GatewayLimits, agentSeconds: number): UpstreamLimits {
  return { connectMs, silenceMs: agentSeconds * 1000 + graceMs };
}

/** Where nobody gives other limits: silence has none. */
const NO_LIMITS: UpstreamLimits = { connectMs: GATEWAY_LIMITS.connectMs, silenceMs: 0 };

export interface UpstreamRequest {
  readonly method: string;
  readonly headers: Headers;
  readonly body: ReadableStream<Uint8Array> | Uint8Array<ArrayBuffer> | string | null;
  readonly signal: AbortSignal;
}

/** Sends a request, and follows no redirect. Rejects if there is no answer. */
export type Upstream = (url: string, request: UpstreamRequest) => Promise<Response>;

/** Makes a client; connections without a request end by themselves. */
export function createUpstream({ connectMs, silenceMs }: UpstreamLimits = NO_LIMITS): Upstream {
  const dispatcher = new Agent({ connectTimeout: connectMs, headersTimeout: silenceMs, bodyTimeout: silenceMs });
  return async (url, { method, headers, body, signal }) => {
    const response = await fetchWith(url, {
      method,
      headers: Object.fromEntries(headers),
      body,
      signal,
      redirect: 'manual',
      dispatcher,
      ...(body === null ? {} : { duplex: 'half' }),
    });
    return new Response(response.body as ReadableStream<Uint8Array> | null, {
      status: response.status,
      headers: [...response.headers],
    });
  };
}
