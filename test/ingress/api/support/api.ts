/** The staff API over a real Postgres, with one bound repository. */
import { beforeEach } from 'vitest';
import { BEARER, useSite, type Site } from '../../dashboard/support/site.ts';
import { bind } from '../../dashboard/support/world.ts';

/** A database and a site for the tests of a file, as {@link useSite}, with one bound repository; and its API. */
export function useApi() {
  const given = useSite();
  beforeEach(async () => bind(given.connection.db));
  return {
    get connection() {
      return given.connection;
    },
    get site(): Site {
      return given.site;
    },
    async json(path: string, init?: RequestInit, on = given.site): Promise<{ status: number; body: unknown }> {
      const response = await on.ask(`/api/v1${path}`, init);
      return { status: response.status, body: await response.json() };
    },
  };
}

/** A request with a JSON body, by default with the staff token. */
export function post(body: unknown, headers: Record<string, string> = BEARER): RequestInit {
  return { method: 'POST', body: JSON.stringify(body), headers: { 'content-type': 'application/json', ...headers } };
}
