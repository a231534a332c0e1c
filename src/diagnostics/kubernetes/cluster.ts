/** A small Kubernetes API client for checks: error responses are returned, not thrown. */
import { once } from 'node:events';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest, type RequestOptions } from 'node:https';
import { text } from 'node:stream/consumers';
import type { KubeConfig } from '@kubernetes/client-node';

export interface ClusterAnswer {
  readonly code: number;
  readonly body: unknown;
  /** The message of an error response. */
  readonly message: string;
}

export interface Cluster {
  readonly server: string;
  get(path: string): Promise<ClusterAnswer>;
  post(path: string, body: object): Promise<ClusterAnswer>;
  /** As `post`, with `dryRun=All`: nothing is created. */
  dryRun(path: string, body: object): Promise<ClusterAnswer>;
}

/** Time limit of one request, in milliseconds. */
const LIMIT_MS = 8000;

/** Creates a client with the credentials of `config`. */
export function createCluster(config: KubeConfig): Cluster {
  const server = config.getCurrentCluster()?.server;
  if (server === undefined) throw new Error('the kubeconfig names no cluster');

  async function ask(method: 'GET' | 'POST', path: string, body?: object): Promise<ClusterAnswer> {
    const options: RequestOptions = {
      method,
      headers: { accept: 'application/json', ...(body ? { 'content-type': 'application/json' } : {}) },
      signal: AbortSignal.timeout(LIMIT_MS),
    };
    await config.applyToHTTPSOptions(options);
    const url = new URL(path, server);
    const { agent, ...plain } = options;
    // The TLS agent cannot be used for a server without TLS.
    const request = url.protocol === 'http:' ? httpRequest(url, plain) : httpsRequest(url, { ...plain, agent });
    request.end(body === undefined ? undefined : JSON.stringify(body));
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    const answer = jsonOf(await text(response));
    const { message } = (answer ?? {}) as { message?: unknown };
    return { code: response.statusCode ?? 0, body: answer, message: typeof message === 'string' ? message : '' };
  }

  return {
    server,
    get: async (path) => ask('GET', path),
    post: async (path, body) => ask('POST', path, body),
    dryRun: async (path, body) => ask('POST', `${path}?dryRun=All`, body),
  };
}

function jsonOf(answer: string): unknown {
  try {
    return JSON.parse(answer);
  } catch {
    return undefined;
  }
}
