/** Access to the staff API and the dashboard: by staff token or session; reads may be open to anybody on this machine. */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { Context } from 'hono';
import { getCookie } from 'hono/cookie';
import { createAttempts } from '../http/attempts.ts';
import { RequestRefused } from '../http/errors.ts';

export interface StaffAccessOptions {
  readonly staffToken: string;
  /** Reads need no token; only for a server that listens on loopback only. */
  readonly readsOpen: boolean;
}

export interface StaffAccess {
  /** Throws unless the request may read. */
  requireReader(c: Context): void;
  /** Throws unless the request carries the token, or is same-origin and carries a session. */
  requireStaff(c: Context): void;
  /** True if the request carries the token or a session. */
  isStaff(c: Context): boolean;
  /** True for the staff token. Throws if the client has tried too often (429); an attempt counts, whatever it holds. */
  isToken(c: Context, candidate: string): boolean;
  /** The value of a new session cookie, valid for {@link SESSION_SECONDS}. */
  newSession(): string;
}

/** The browser's session cookie: signed with the token, and not the token itself. */
export const SESSION_COOKIE = 'codex_k8s_session';
export const SESSION_SECONDS = 12 * 3600;

const TOKEN_CHARACTERS = 20;
/** Attempts to sign in, and wrong tokens, of one client in a minute. */
const ATTEMPTS = 20;

export function createStaffAccess({ staffToken, readsOpen }: StaffAccessOptions): StaffAccess {
  if (staffToken.length < TOKEN_CHARACTERS)
    throw new Error(`The staff token needs at least ${TOKEN_CHARACTERS} characters.`);

  const signIns = createAttempts(ATTEMPTS);
  const wrongTokens = createAttempts(ATTEMPTS);

  function signature(expires: string): string {
    return createHmac('sha256', staffToken).update(`dashboard session until ${expires}`).digest('base64url');
  }

  function isSession(cookie: string | undefined): boolean {
    const [expires = '', signed = ''] = (cookie ?? '').split('.');
    return same(signed, signature(expires)) && Number(expires) * 1000 > Date.now();
  }

  function hasToken(c: Context): boolean {
    const token = /^Bearer +(\S+)$/i.exec(c.req.header('authorization') ?? '')?.[1];
    if (token === undefined) return false;
    if (same(token, staffToken)) return true;
    wrongTokens.count(c);
    return false;
  }

  function isStaff(c: Context): boolean {
    return hasToken(c) || isSession(getCookie(c, SESSION_COOKIE));
  }

  function requireLoopbackHost(c: Context): void {
    if (readsOpen && !isLoopbackHost(c.req.header('host')))
      throw new RequestRefused('forbidden', 'this server accepts the hosts 127.0.0.1 and localhost only', 'Host');
  }

  return {
    requireReader(c) {
      requireLoopbackHost(c);
      if (!readsOpen && !isStaff(c)) throw new RequestRefused('unauthorized', 'the staff token is missing or wrong');
    },
    requireStaff(c) {
      requireLoopbackHost(c);
      if (!isSameOrigin(c)) throw new RequestRefused('forbidden', 'the request comes from another site', 'Origin');
      if (!isStaff(c)) throw new RequestRefused('unauthorized', 'the staff token is missing or wrong');
    },
    isStaff,
    isToken(c, candidate) {
      signIns.count(c);
      return same(candidate, staffToken);
    },
    newSession() {
      const expires = String(Math.floor(Date.now() / 1000) + SESSION_SECONDS);
      return `${expires}.${signature(expires)}`;
    },
  };
}

/** Against DNS rebinding: a page of another site may have its own host name resolve to 127.0.0.1; its requests carry that name. */
function isLoopbackHost(host: string | undefined): boolean {
  return /^(127\.0\.0\.1|localhost|\[::1\])(:\d{1,5})?$/i.test(host ?? '');
}

/** True if a request comes from the dashboard's own pages. Clients other than browsers send neither header, and no cookie. */
export function isSameOrigin(c: Context): boolean {
  const site = c.req.header('sec-fetch-site');
  if (site !== undefined) return site === 'same-origin';
  const origin = c.req.header('origin');
  if (origin === undefined) return true;
  return URL.canParse(origin) && new URL(origin).host === c.req.header('host')?.toLowerCase();
}

/** Compares in constant time. */
function same(one: string, other: string): boolean {
  return timingSafeEqual(digest(one), digest(other));
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
