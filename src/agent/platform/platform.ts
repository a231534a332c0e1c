/** Client of the agent API (protocol.ts), with retries while the platform is unavailable. */
import { Assignment, Directives, type LogBatch, type Report } from './protocol.ts';
import { persist } from '../retry.ts';

const CALL_TIMEOUT_MS = 30_000;
/**
 * For a conversation or commits, which may have 64 MiB: the server reads them no faster than it can store them. Below 300 s, at
 * which Node's own client would give up.
 */
const LARGE_TIMEOUT_MS = 240_000;
const LARGE: ReadonlySet<string> = new Set(['conversation', 'commits']);

/** The platform answered 401: the run is over, or waits for people. */
export class RunOver extends Error {
  override readonly name = 'RunOver';
}

/** The platform was unavailable, or answered with errors, for longer than a restart takes. */
export class PlatformAway extends Error {
  override readonly name = 'PlatformAway';
}

/** The platform refused the call; a retry would not change it. */
export class PlatformRefused extends Error {
  override readonly name = 'PlatformRefused';
}

export interface Platform {
  /** Aborted, with RunOver or PlatformAway as the reason, when the run cannot continue. */
  readonly lost: AbortSignal;
  assignment(): Promise<Assignment>;
  /** The stored conversation; undefined if there is none, and `damaged` if it is not what was stored. */
  conversation(): Promise<Buffer | 'damaged' | undefined>;
  /** Stores the whole conversation. Returns what the next write may append to, if the platform says it. */
  storeConversation(threadId: string, content: Buffer): Promise<string | undefined>;
  /** Appends whole lines to what a write has returned. Returns the same again; undefined if nothing can be appended to that. */
  appendToConversation(threadId: string, tag: string, lines: Buffer): Promise<string | undefined>;
  /** Commits of an earlier run that could not be pushed, as a git bundle; undefined if there are none. */
  keptCommits(): Promise<Buffer | undefined>;
  keepCommits(headSha: string, bundle: Buffer): Promise<void>;
  log(batch: LogBatch): Promise<void>;
  report(report: Report): Promise<void>;
  /** Asks once whether the turn must end, and waits for the answer up to half a minute. Rejects only when `stop` is aborted. */
  directives(stop: AbortSignal): Promise<Directives | 'unanswered' | 'unsupported'>;
}

/** Creates the client without a call. */
export function connectPlatform(options: {
  url: string;
  token: string;
  /** Cancels every call. */
  signal: AbortSignal;
  patienceMs?: number;
}): Platform {
  const base = `${options.url.replace(/\/+$/, '')}/api/v1/agent`;
  const lost = new AbortController();
  const signal = AbortSignal.any([options.signal, lost.signal]);

  async function callOnce(path: string, init: RequestInit, stop?: AbortSignal): Promise<Response> {
    const timeoutMs = LARGE.has(path) ? LARGE_TIMEOUT_MS : CALL_TIMEOUT_MS;
    const response = await fetch(`${base}/${path}`, {
      ...init,
      headers: { ...(init.headers as Record<string, string>), authorization: `Bearer ${options.token}` },
      signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs), ...(stop ? [stop] : [])]),
      redirect: 'error',
    });
    if (response.status === 401) throw new RunOver('the platform answered 401: this run is over');
    if (response.status >= 500 || response.status === 408 || response.status === 429) {
      throw new PlatformAway(`${path}: the platform answered ${response.status}`);
    }
    if (!response.ok && response.status !== 404 && response.status !== 412) {
      throw new PlatformRefused(`${path}: the platform answered ${response.status}: ${await response.text()}`);
    }
    return response;
  }

  /** Reads the body within the attempt, so that a platform that crashes within a response counts as unavailable too. */
  async function call<T>(path: string, init: RequestInit, read: (response: Response) => Promise<T>): Promise<T> {
    try {
      return await persist(async () => read(await callOnce(path, init)), {
        isTransient: (error) => !(error instanceof RunOver || error instanceof PlatformRefused),
        signal,
        patienceMs: options.patienceMs,
      });
    } catch (error) {
      if (signal.aborted || error instanceof PlatformRefused) throw error;
      const reason = error instanceof RunOver ? error : new PlatformAway(`${path}: ${String(error)}`, { cause: error });
      lost.abort(reason);
      throw reason;
    }
  }

  async function done(response: Response): Promise<void> {
    await response.body?.cancel();
    if (!response.ok) throw new PlatformRefused(`${response.url}: the platform answered ${response.status}`);
  }

  async function tagOf(response: Response): Promise<string | undefined> {
    await done(response);
    return response.headers.get('etag') ?? undefined;
  }

  return {
    lost: lost.signal,
    async assignment() {
      const body = await call('assignment', {}, async (response) => {
        if (response.status === 404) throw new PlatformRefused('assignment: not found');
        return response.json();
      });
      const parsed = Assignment.safeParse(body);
      if (!parsed.success) throw new PlatformRefused(`assignment: ${parsed.error.message}`);
      return parsed.data;
    },
    async conversation() {
      return call('conversation', {}, async (response) => {
        if (response.ok) return Buffer.from(await response.arrayBuffer());
        await response.body?.cancel();
        return response.status === 412 ? 'damaged' : undefined;
      });
    },
    async storeConversation(threadId, content) {
      const headers = { 'content-type': 'application/jsonl', 'x-thread-id': threadId };
      return call('conversation', { method: 'PUT', headers, body: new Uint8Array(content) }, tagOf);
    },
    async appendToConversation(threadId, tag, lines) {
      const headers = { 'content-type': 'application/jsonl', 'x-thread-id': threadId, 'if-match': tag };
      return call('conversation', { method: 'PATCH', headers, body: new Uint8Array(lines) }, async (response) => {
        // Another state, perhaps because the answer to this very request was lost; or an older server.
        if (response.status !== 404 && response.status !== 412) return tagOf(response);
        await response.body?.cancel();
        return undefined;
      });
    },
    async keptCommits() {
      return call('commits', {}, async (response) =>
        response.status === 404 ? undefined : Buffer.from(await response.arrayBuffer()),
      );
    },
    async keepCommits(headSha, bundle) {
      const headers = { 'content-type': 'application/x-git-bundle', 'x-head-sha': headSha };
      await call('commits', { method: 'PUT', headers, body: new Uint8Array(bundle) }, done);
    },
    async log(batch) {
      await call('log', post(batch), done);
    },
    async report(report) {
      await call('report', post(report), done);
    },
    async directives(stop) {
      try {
        const response = await callOnce('directives', {}, stop);
        if (response.status === 404) return 'unsupported';
        const read = Directives.safeParse(await response.json());
        return read.success ? read.data : 'unanswered';
      } catch (error) {
        stop.throwIfAborted();
        if (error instanceof PlatformRefused) return 'unsupported';
        if (error instanceof RunOver) lost.abort(error);
        return 'unanswered';
      }
    },
  };
}

function post(body: unknown): RequestInit {
  return { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
}
