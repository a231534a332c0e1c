/** The platform's API, as the demo uses it. */
import { setTimeout as delay } from 'node:timers/promises';

export interface PlatformClient {
  get(path: string): Promise<unknown>;
  post(path: string, body: unknown): Promise<unknown>;
}

export function createPlatformClient({ url, staffToken }: { url: string; staffToken: string }): PlatformClient {
  async function call(path: string, init: RequestInit = {}): Promise<unknown> {
    const response = await fetch(`${url}/api/v1${path}`, {
      ...init,
      headers: { authorization: `Bearer ${staffToken}`, 'content-type': 'application/json' },
      signal: AbortSignal.timeout(10_000),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${init.method ?? 'GET'} ${path} answered ${response.status}: ${text}`);
    return text === '' ? undefined : (JSON.parse(text) as unknown);
  }
  return {
    get: (path) => call(path),
    post: (path, body) => call(path, { method: 'POST', body: JSON.stringify(body) }),
  };
}

/** Waits for a condition; returns what it gave. Throws with `what` when it does not come in time. */
export async function until<Value>(
  what: string,
  limitMs: number,
  condition: () => Promise<Value | undefined | null | false>,
): Promise<Value> {
  const limit = Date.now() + limitMs;
  for (;;) {
    const value = await condition();
    if (value) return value;
    if (Date.now() > limit) throw new Error(`waited ${Math.round(limitMs / 1000)} s in vain: ${what}`);
    await delay(150);
  }
}
