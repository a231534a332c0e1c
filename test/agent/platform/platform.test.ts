import { afterEach, describe, expect, test, vi } from 'vitest';
import {
  connectPlatform,
  PlatformAway,
  PlatformRefused,
  RunOver,
  type Platform,
} from '../../../src/agent/platform/platform.ts';

describe('a call to the platform', () => {
  afterEach(() => {
    vi.unstubAllGlobals();
  });

  const connect = (patienceMs = 1000): Platform =>
    connectPlatform({ url: 'http://platform.test/', token: 't', signal: new AbortController().signal, patienceMs });
  const answers = (...statuses: number[]) => {
    const fetch = vi.fn<(url: string, init: RequestInit) => Promise<Response>>(() =>
      Promise.resolve(new Response(null, { status: statuses.length > 1 ? statuses.shift()! : statuses[0]! })),
    );
    vi.stubGlobal('fetch', fetch);
    return fetch;
  };

  test('carries the token as bearer', async () => {
    const fetch = answers(204);
    await connect().log({ lines: [] });
    expect(fetch.mock.calls[0]).toMatchObject([
      'http://platform.test/api/v1/agent/log',
      { headers: { authorization: 'Bearer t' } },
    ]);
  });

  test.each([500, 502, 503, 429, 408])('is repeated after %d', async (status) => {
    const fetch = answers(status, 204);
    await connect().log({ lines: [] });
    expect(fetch).toHaveBeenCalledTimes(2);
  });

  test('that is answered 401 says that the run is over, and tells everybody', async () => {
    const fetch = answers(401);
    const platform = connect();
    await expect(platform.log({ lines: [] })).rejects.toBeInstanceOf(RunOver);
    expect(platform.lost.reason).toBeInstanceOf(RunOver);
    expect(fetch).toHaveBeenCalledOnce();
  });

  test('that is refused is not repeated, and is no reason to give the run up', async () => {
    const fetch = answers(413);
    const platform = connect();
    await expect(platform.log({ lines: [] })).rejects.toBeInstanceOf(PlatformRefused);
    expect(fetch).toHaveBeenCalledOnce();
    expect(platform.lost.aborted).toBe(false);
  });

  test('is given up when patience ends, and with it the run', async () => {
    vi.stubGlobal('fetch', () => Promise.reject(new TypeError('fetch failed')));
    const platform = connect(200);
    await expect(platform.log({ lines: [] })).rejects.toBeInstanceOf(PlatformAway);
    expect(platform.lost.reason).toBeInstanceOf(PlatformAway);
  });

  test('for a conversation that is not stored answers undefined', async () => {
    answers(404);
    expect(await connect().conversation()).toBeUndefined();
  });
});
