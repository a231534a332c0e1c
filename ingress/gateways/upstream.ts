/**
 * The HTTP client of the gateways. It has no limit for silence of its own: an agent that waits for its model or for git ends its
 * own call, by the limits that are stated (CODEXK8S_AGENT_STALL_SECONDS, CODEXK8S_AGENT_RUN_SECONDS), and its call takes the
 * gateway's with it. Node's own client would cut after 300 s without a byte.
 */
import { Agent, fetch as fetchWith } from 'undici';

export interface UpstreamLimits {
  /** Milliseconds until a connection is made. */
  readonly connectMs: number;
  /** Milliseconds without a byte of an answer, before its start or within it; 0: no limit. */
  readonly silenceMs: number;
}

export const UPSTREAM_LIMITS: UpstreamLimits = { connectMs: 10_000, silenceMs: 0 };

export interface UpstreamRequest {
  readonly method: string;
  readonly headers: Headers;
  readonly body: ReadableStream<Uint8Array> | Uint8Array<ArrayBuffer> | string | null;
  readonly signal: AbortSignal;
}

/** Sends a request, and follows no redirect. Rejects if there is no answer. */
export type Upstream = (url: string, request: UpstreamRequest) => Promise<Response>;

/** Makes a client; connections without a request end by themselves. */
export function createUpstream({ connectMs, silenceMs }: UpstreamLimits = UPSTREAM_LIMITS): Upstream {
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
