/** The staff API over a real Postgres, with one bound repository. */
import { afterAll, beforeAll, beforeEach } from 'vitest';
import { connect, type Connection } from '../../../../src/store/connection/database.ts';
import { startTestDatabase, type TestDatabase } from '../../../support/postgres.ts';
import { BEARER, createSite, type Site } from '../../dashboard/support/site.ts';
import { bind, clear } from '../../dashboard/support/world.ts';

/** A database and a site for the tests of a file, cleared before each test. */
export function useApi() {
  let database: TestDatabase;
  let connection: Connection;
  let site: Site;

  beforeAll(async () => {
    database = await startTestDatabase();
    connection = connect(database.url, { name: 'test' });
    site = createSite(connection);
  });
  afterAll(async () => {
    await site?.live.close();
    await connection?.close();
    await database?.stop();
  });
  beforeEach(async () => {
    await clear(connection.db);
    await bind(connection.db);
    site.canceled.length = 0;
  });

  return {
    get connection(): Connection {
      return connection;
    },
    get site(): Site {
      return site;
    },
    async json(path: string, init?: RequestInit): Promise<{ status: number; body: unknown }> {
      const response = await site.ask(`/api/v1${path}`, init);
      return { status: response.status, body: await response.json() };
    },
  };
}

/** A request with a JSON body, by default with the staff token. */
export function post(body: unknown, headers: Record<string, string> = BEARER): RequestInit {
  return { method: 'POST', body: JSON.stringify(body), headers: { 'content-type': 'application/json', ...headers } };
}
