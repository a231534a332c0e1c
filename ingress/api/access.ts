/** Who may read and who may change things: holders of the staff token; anybody on this machine may read, if that is open. */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { Context } from 'hono';
import { getCookie } from 'hono/cookie';
import { RequestRefused } from '../http/errors.ts';

export interface StaffAccessOptions {
  readonly staffToken: string;
  /** Pages and reads need no token: for a server that listens on loopback only. */
  readonly readsOpen: boolean;
}

export interface StaffAccess {
  /** Throws unless the request may read. */
  requireReader(c: Context): void;
  /** Throws unless the request carries the token, or comes from our own pages with a session. */
  requireStaff(c: Context): void;
  /** Whether the request carries the token or a session. */
  isStaff(c: Context): boolean;
  /** Whether this is the staff token. */
  isToken(candidate: string): boolean;
  /** The value of a session's cookie, valid for {@link SESSION_SECONDS}. */
  newSession(): string;
}

/** The browser's session: made from the token and never the token itself. */
export const SESSION_COOKIE = 'codex_k8s_session';
export const SESSION_SECONDS = 12 * 3600;

const TOKEN_CHARACTERS = 20;

export function createStaffAccess({ staffToken, readsOpen }: StaffAccessOptions): StaffAccess {
  if (staffToken.length < TOKEN_CHARACTERS)
    throw new Error(`The staff token needs at least ${TOKEN_CHARACTERS} characters.`);

  function signature(expires: string): string {
    return createHmac('sha256', staffToken).update(`dashboard session until ${expires}`).digest('base64url');
  }

  function isSession(cookie: string | undefined): boolean {
    const [expires = '', signed = ''] = (cookie ?? '').split('.');
    return same(signed, signature(expires)) && Number(expires) * 1000 > Date.now();
  }

  function hasToken(c: Context): boolean {
    const token = /^Bearer +(\S+)$/i.exec(c.req.header('authorization') ?? '')?.[1];
    return token !== undefined && same(token, staffToken);
  }

  function isStaff(c: Context): boolean {
    return hasToken(c) || isSession(getCookie(c, SESSION_COOKIE));
  }

  function requireLoopbackHost(c: Context): void {
    if (readsOpen && !isLoopbackHost(c.req.header('host')))
      throw new RequestRefused('forbidden', 'this server answers to 127.0.0.1 and localhost only', 'Host');
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
    isToken: (candidate) => same(candidate, staffToken),
    newSession() {
      const expires = String(Math.floor(Date.now() / 1000) + SESSION_SECONDS);
      return `${expires}.${signature(expires)}`;
    },
  };
}

/** A page of another site may make a name of its own point to 127.0.0.1; its requests carry that name (DNS rebinding). */
function isLoopbackHost(host: string | undefined): boolean {
  return /^(127\.0\.0\.1|localhost|\[::1\])(:\d{1,5})?$/i.test(host ?? '');
}

/** Whether a request comes from our own pages. What is no browser sends neither header, and no cookie by mistake. */
export function isSameOrigin(c: Context): boolean {
  const site = c.req.header('sec-fetch-site');
  if (site !== undefined) return site === 'same-origin';
  const origin = c.req.header('origin');
  if (origin === undefined) return true;
  return URL.canParse(origin) && new URL(origin).host === c.req.header('host')?.toLowerCase();
}

/** Compares without telling by its duration how much is right. */
function same(one: string, other: string): boolean {
  return timingSafeEqual(digest(one), digest(other));
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
