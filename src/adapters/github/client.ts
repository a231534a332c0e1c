/** The connection to GitHub. Retries belong to Temporal, so none are made here. */
import { setTimeout as delay } from 'node:timers/promises';
import { Octokit } from '@octokit/rest';
import { CANONICAL_NAMES, type LabelNames } from '../../domain/stages/label-names.ts';
import { spend, UNLIMITED, type GitHubBudget } from './budget.ts';
import { exchangeLabelNames } from './label-names.ts';
import { GitHubRightMissing, missingRight } from './rights.ts';
import { passOutgoing } from './outgoing.ts';
import {
  askedToWait,
  GitHubAsksToWait,
  type Answer,
  type AskedWait,
  type GitHubWait,
  type GitHubWaits,
} from './waits.ts';

export interface ClientOptions {
  readonly apiUrl: string;
  readonly token: string;
  /** Asked before every call, and told of every wait. */
  readonly waits: GitHubWaits;
  /** Counts what is created; for a GitHub without limits, unless told. */
  readonly budget?: GitHubBudget;
  /** Those that are not given are production's. */
  readonly limits?: Partial<GitHubLimits>;
  /** What the installation calls the labels; what this program calls them, unless told. */
  readonly labels?: LabelNames;
}

/** Milliseconds. */
export interface GitHubLimits {
  /** After which a call is given up; the caller's retry finds what it may have done. */
  readonly callMs: number;
  /** In which GitHub may still work on a request whose answer was lost: it ends one that takes longer ("Troubleshooting the REST API", timeouts). */
  readonly settleMs: number;
  /** In which the keeper of the waits has to answer: one behind a dead connection never does. */
  readonly keeperMs: number;
}

export const GITHUB_LIMITS: GitHubLimits = { callMs: 20_000, settleMs: 10_000, keeperMs: 5000 };

/** Nobody was reached, so nothing was done. */
const NOT_REACHED = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'UND_ERR_CONNECT_TIMEOUT']);

/** What Octokit throws. */
interface RequestFailure extends Error {
  readonly status?: number;
  readonly response?: { readonly headers: Answer['headers']; readonly data?: unknown };
}

/** A request as Octokit has it; `owner` and `repo` are missing where an address is used. */
interface Asked {
  readonly method: string;
  readonly url: string;
  readonly owner?: unknown;
  readonly repo?: unknown;
}

export function createOctokit({
  apiUrl,
  token,
  waits,
  budget = UNLIMITED,
  limits,
  labels = CANONICAL_NAMES,
}: ClientOptions): Octokit {
  const { callMs, settleMs, keeperMs } = { ...GITHUB_LIMITS, ...limits };
  const gate = createGate(waits, keeperMs);
  const octokit = new Octokit({
    baseUrl: apiUrl,
    auth: token,
    userAgent: 'codex-k8s',
    log: { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} },
    request: { fetch: fetchWhole(callMs) },
  });
  octokit.hook.wrap('request', async (request, options) => {
    await gate.pass();
    await inTime(spend(budget, options), keeperMs);
    const startedAt = performance.now();
    try {
      const response = await request(options);
      await gate.heed({ status: response.status, message: 'no request is left', headers: response.headers });
      return response;
    } catch (error) {
      const failure = error as RequestFailure;
      const wait = failure.response && (await gate.heed(answerIn(failure)));
      if (wait) throw new GitHubAsksToWait(wait);
      if (options.method !== 'GET' && isAmbiguous(failure))
        await delay(Math.max(0, settleMs - (performance.now() - startedAt)));
      throw rightMissing(apiUrl, options, failure) ?? error;
    }
  });
  exchangeLabelNames(octokit, labels);
  passOutgoing(octokit);
  return octokit;
}

/** Whether GitHub answered that a thing is not there. */
export function isNotFound(error: unknown): boolean {
  return (error as { status?: number }).status === 404;
}

/** Whether GitHub answered that a repository has no commit: "Git Repository is empty." */
export function isEmptyRepository(error: unknown): boolean {
  return (error as { status?: number }).status === 409 && /repository is empty/i.test(String(error));
}

interface Gate {
  /** Throws {@link GitHubAsksToWait}, or whatever keeps the waits from being known. */
  pass(): Promise<void>;
  /** Keeps the wait that an answer asks for, and returns it. */
  heed(answer: Answer): Promise<GitHubWait | undefined>;
}

/** A wait that names no time lasts so long at least; how long it lasts when it is shared is decided there. */
const UNNAMED_MS = 60_000;

/** Lets calls pass unless GitHub wants to be left alone. What this process was told itself, it also obeys by itself. */
function createGate(waits: GitHubWaits, keeperMs: number): Gate {
  let own: GitHubWait | undefined;
  /** What could not be shared yet: the next call that has to wait tries again. */
  let unshared: AskedWait | undefined;

  function ownNow(): GitHubWait | undefined {
    const leftMs = own ? own.until.getTime() - Date.now() : 0;
    return own && leftMs > 0 ? { ...own, leftMs } : undefined;
  }

  async function share({ reason, waitMs }: AskedWait): Promise<void> {
    unshared = { reason, waitMs };
    const { leftMs } = await inTime(waits.hold(unshared), keeperMs);
    unshared = undefined;
    if (leftMs > (ownNow()?.leftMs ?? 0)) own = { until: new Date(Date.now() + leftMs), leftMs, reason };
  }

  return {
    async pass() {
      const mine = ownNow();
      if (mine && unshared) await share({ ...unshared, waitMs: mine.leftMs }).catch(() => undefined);
      const standing = mine ?? (await inTime(waits.current(), keeperMs));
      if (standing) throw new GitHubAsksToWait(standing);
    },
    async heed(answer) {
      const asked = askedToWait(answer, Date.now());
      if (!asked) return undefined;
      const leftMs = asked.waitMs ?? UNNAMED_MS;
      own = { until: new Date(Date.now() + leftMs), leftMs, reason: asked.reason };
      await share(asked).catch(() => undefined);
      return ownNow();
    },
  };
}

/** GitHub was not asked: the database that keeps its waits did not answer. */
class GitHubKeeperAway extends Error {
  override readonly name = 'GitHubKeeperAway';
}

/** Rejects in time, and in words of its own: a database's error quotes its query. */
async function inTime<Result>(asked: Promise<Result>, limitMs: number): Promise<Result> {
  const limit = new AbortController();
  const tooLate = delay(limitMs, undefined, { signal: limit.signal }).then(() => {
    throw new Error('timed out');
  });
  try {
    return await Promise.race([asked, tooLate]);
  } catch (error) {
    if (error instanceof GitHubAsksToWait) throw error;
    const cause = error instanceof Error ? (error.cause ?? error) : error;
    // oxlint-disable-next-line preserve-caught-error -- the one that was caught is what quotes the query
    throw new GitHubKeeperAway('GitHub not called: the shared rate limit state cannot be read from Postgres', {
      cause,
    });
  } finally {
    limit.abort();
  }
}

/** What GitHub refused for want of a right; undefined for any other failure. */
function rightMissing(apiUrl: string, asked: Asked, failure: RequestFailure): GitHubRightMissing | undefined {
  const { status, response } = failure;
  if (status === undefined || !response) return undefined;
  const [, owner, repository] = /\/repos\/([^/{]+)\/([^/{?]+)/.exec(asked.url) ?? [undefined, asked.owner, asked.repo];
  const { message } = (response.data ?? {}) as { message?: unknown };
  const named = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);
  const words = missingRight({
    apiUrl,
    method: asked.method,
    url: asked.url,
    owner: named(owner),
    repository: named(repository),
    status,
    message: named(message) ?? failure.message,
    headers: response.headers,
  });
  return words === undefined ? undefined : new GitHubRightMissing(status, words, failure);
}

function answerIn({ status = 500, message, response }: RequestFailure): Answer {
  return { status, message, headers: response?.headers ?? {} };
}

/** Whether GitHub may have done, or may still be doing, what it was asked: a gateway's answer, or none at all. */
function isAmbiguous({ status, response, cause }: RequestFailure): boolean {
  if (response) return status === 502 || status === 503 || status === 504;
  const { code } = ((cause as Error | undefined)?.cause ?? cause ?? {}) as { code?: unknown };
  return !NOT_REACHED.has(String(code));
}

/** A fetch whose body has arrived whole: Octokit takes one that was cut off for a shorter answer. */
function fetchWhole(callMs: number): (url: string, options: RequestInit) => Promise<Response> {
  return async (url, options) => {
    const response = await fetch(url, { ...options, signal: options.signal ?? AbortSignal.timeout(callMs) });
    const { status, statusText, headers } = response;
    const body = await response.arrayBuffer();
    const whole = new Response(body.byteLength > 0 ? body : null, { status, statusText, headers });
    return Object.defineProperty(whole, 'url', { value: response.url });
  };
}
