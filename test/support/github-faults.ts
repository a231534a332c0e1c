/**
 * A GitHub that fails: an HTTP proxy in front of the emulator that answers chosen requests itself, or forwards them and
 * loses the answer, and that writes down every call with its time (docs/reliability.md T22, T23).
 */
import { createServer, request as ask, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';

/** What becomes of a request instead of its answer. */
export type Fault =
  /** An answer of the proxy's own; GitHub does not hear of the request. */
  | {
      readonly kind: 'answer';
      readonly status: number;
      readonly headers?: Record<string, string>;
      readonly message?: string;
    }
  /** GitHub does the work, and the answer is lost: another status, a closed connection, half a body, or nothing for long. */
  | { readonly kind: 'lose'; readonly as: number | 'reset' | 'half' | 'silence' }
  /** GitHub does the work, but begins so many milliseconds later, when the caller has gone; the caller gets the status. */
  | { readonly kind: 'late'; readonly ms: number; readonly status: number }
  /** The connection is closed, or nothing ever comes, and GitHub does not hear of it. */
  | { readonly kind: 'reset' }
  | { readonly kind: 'silence' };

export interface Call {
  readonly method: string;
  /** The path and the query. */
  readonly path: string;
  readonly body: string;
  /** By `Date.now()`. */
  readonly at: number;
  /** When it was answered, and with what; absent while it is under way, and for lost ones. */
  answeredAt?: number;
  status?: number;
  fault?: Fault;
  /** Set when GitHub has done what was asked, though the caller was told otherwise. */
  done?: true;
}

export interface Rule {
  readonly method?: string;
  readonly path: RegExp;
  /** How many matching requests are let through first; 0 unless told. */
  readonly after?: number;
  /** How many are hit then; 1 unless told. */
  readonly times?: number;
  readonly fault: Fault;
}

export interface Hits {
  /** The calls that were hit, oldest first. */
  readonly calls: readonly Call[];
  hits(): number;
  /** Takes the rule away. */
  stop(): void;
}

export interface FaultyGitHub {
  readonly url: string;
  /** Every call, oldest first. */
  readonly calls: Call[];
  /** Says where GitHub is; may be asked at every request. */
  follow(target: () => string): void;
  /** Hits the next requests that match. */
  hit(rule: Rule): Hits;
  close(): Promise<void>;
}

/** Requests of `up` come before it is said where GitHub is: they wait no longer than this. */
const FOLLOW_MS = 60_000;

export async function startFaultyGitHub(target?: string): Promise<FaultyGitHub> {
  const calls: Call[] = [];
  const rules = new Set<{ rule: Rule; seen: number; calls: Call[] }>();
  let upstream = (): string => target ?? '';

  const server = createServer((request, response) => {
    handle(request, response).catch(() => request.socket.destroy());
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const at = Date.now();
    const body = await buffer(request);
    const call: Call = { method: request.method ?? '', path: request.url ?? '', body: body.toString(), at };
    calls.push(call);
    response.on('finish', () => Object.assign(call, { answeredAt: Date.now(), status: response.statusCode }));
    const fault = faultFor(call);
    if (!fault) return pass(request, body, response);
    call.fault = fault;
    switch (fault.kind) {
      case 'answer':
        return answer(response, fault.status, fault.message, fault.headers);
      case 'reset':
        return void request.socket.destroy();
      case 'silence':
        return;
      case 'late':
        answer(response, fault.status, 'Bad Gateway');
        await delay(fault.ms);
        await forward(request, body);
        call.done = true;
        return;
      case 'lose':
        return lose(fault.as, await forward(request, body), request, response);
    }
  }

  function faultFor(call: Call): Fault | undefined {
    const { method, path } = call;
    for (const entry of rules) {
      const { rule, calls } = entry;
      if ((rule.method !== undefined && rule.method !== method) || !rule.path.test(path)) continue;
      entry.seen += 1;
      const after = rule.after ?? 0;
      if (entry.seen <= after || calls.length >= (rule.times ?? 1)) continue;
      calls.push(call);
      return rule.fault;
    }
    return undefined;
  }

  async function pass(request: IncomingMessage, body: Buffer, response: ServerResponse): Promise<void> {
    const { status, headers, body: whole } = await forward(request, body);
    response.writeHead(status, headers).end(whole);
  }

  /** As the client asked, to the end, whatever becomes of the client. */
  async function forward(request: IncomingMessage, body: Buffer) {
    const url = new URL(request.url ?? '/', await whereGitHubIs());
    return new Promise<{ status: number; headers: IncomingMessage['headers']; body: Buffer }>((resolve, reject) => {
      const { host: _, connection: __, ...headers } = request.headers;
      const out = ask(url, { method: request.method, headers: { ...headers, host: url.host } }, (incoming) => {
        buffer(incoming).then((whole) => {
          const { 'transfer-encoding': ___, connection: ____, ...kept } = incoming.headers;
          resolve({ status: incoming.statusCode ?? 0, headers: kept, body: whole });
        }, reject);
      });
      out.on('error', reject);
      out.end(body);
    });
  }

  async function whereGitHubIs(): Promise<string> {
    const deadline = Date.now() + FOLLOW_MS;
    for (let url = upstream(); ; url = upstream()) {
      if (url !== '') return url;
      if (Date.now() > deadline) throw new Error('nobody said where GitHub is');
      await delay(20);
    }
  }

  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    calls,
    follow(where) {
      upstream = where;
    },
    hit(rule) {
      const entry = { rule, seen: 0, calls: [] };
      rules.add(entry);
      return { calls: entry.calls, hits: () => entry.calls.length, stop: () => void rules.delete(entry) };
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => {
        server.close(resolve);
      });
    },
  };
}

function answer(response: ServerResponse, status: number, message = 'a fault', headers?: Record<string, string>): void {
  const body = JSON.stringify({ message, documentation_url: 'https://docs.github.com/rest', status: String(status) });
  response.writeHead(status, { 'content-type': 'application/json; charset=utf-8', ...headers }).end(body);
}

function lose(
  as: number | 'reset' | 'half' | 'silence',
  answered: { status: number; headers: IncomingMessage['headers']; body: Buffer },
  request: IncomingMessage,
  response: ServerResponse,
): void {
  if (as === 'silence') return;
  if (as === 'reset') return void request.socket.destroy();
  if (as === 'half') {
    const { status, headers, body } = answered;
    response.writeHead(status, { ...headers, 'content-length': String(body.byteLength) });
    response.write(body.subarray(0, Math.floor(body.byteLength / 2)), () => request.socket.destroy());
    return;
  }
  answer(response, as, 'Bad Gateway');
}
