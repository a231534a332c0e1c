/**
 * Rate limits of GitHub and the waits that they require (docs/reliability.md T22). A wait is shared by all processes that use
 * the same API: none of them sends requests before it is over.
 */

/** The current wait. */
export interface GitHubWait {
  readonly until: Date;
  /** Milliseconds from now, by the clock of whoever keeps it. */
  readonly leftMs: number;
  /** Why, in GitHub's words. */
  readonly reason: string;
}

/** What GitHub asked for. `waitMs` is null when it named no time. */
export interface AskedWait {
  readonly waitMs: number | null;
  readonly reason: string;
}

/** The waits of one API address, shared by all processes that call it. */
export interface GitHubWaits {
  /** The current wait. Throws if it cannot be read; then no request is sent either. */
  current(): Promise<GitHubWait | undefined>;
  /** Keeps a wait for all; a longer one that stands already stays. */
  hold(asked: AskedWait): Promise<GitHubWait>;
}

/** GitHub requires a wait: the request was not sent, or was rejected by a rate limit. */
export class GitHubAsksToWait extends Error {
  override readonly name = 'GitHubAsksToWait';
  /** Milliseconds. */
  readonly waitMs: number;

  constructor({ until, leftMs, reason }: GitHubWait) {
    super(`GitHub asks to wait until ${until.toISOString()}: ${reason}`);
    this.waitMs = leftMs;
  }
}

/** Any answer of GitHub, good or bad. Header names are in lower case. */
export interface Answer {
  readonly status: number;
  readonly message: string;
  readonly headers: Readonly<Record<string, string | number | undefined>>;
}

const MINUTE_MS = 60_000;

/** No limit of GitHub's lasts longer; a header that says more is not believed to the end. */
const LONGEST_MS = 24 * 60 * MINUTE_MS;

/** The end of a primary limit is told in whole seconds, and the clock of the answer is too. */
const SECOND_MS = 1000;

/** Why is told to people: GitHub's first sentences are enough. */
const REASON_LENGTH = 300;

/**
 * The wait that an answer asks for. GitHub uses 403 and 429 for primary and secondary limits alike, so the headers decide,
 * in the order of its documentation ("Best practices for using the REST API"); a 403 that has none of them and speaks of
 * no limit is about permissions. Any answer that says that no request is left asks for a wait too.
 */
export function askedToWait({ status, message, headers }: Answer, now: number): AskedWait | undefined {
  const limited = status === 403 || status === 429;
  const asked = (waitMs: number | null): AskedWait => ({
    waitMs: waitMs === null ? null : Math.min(LONGEST_MS, Math.max(SECOND_MS, waitMs)),
    reason: message.slice(0, REASON_LENGTH),
  });
  const retryAfter = limited ? Number(headers['retry-after']) : Number.NaN;
  if (Number.isFinite(retryAfter) && retryAfter > 0) return asked(retryAfter * 1000);
  if (String(headers['x-ratelimit-remaining']) === '0') {
    const sent = Date.parse(String(headers['date']));
    const left = Number(headers['x-ratelimit-reset']) * 1000 - (Number.isNaN(sent) ? now : sent);
    if (Number.isFinite(left) && (limited || left > 0)) return asked(left + SECOND_MS);
    return limited ? asked(null) : undefined;
  }
  return status === 429 || (status === 403 && /rate limit|abuse detection/i.test(message)) ? asked(null) : undefined;
}
