/** A terminal that remembers, and the staff API on a port. */
import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createAdaptorServer } from '@hono/node-server';
import { createApiClient } from '../../src/api-client/api-client.ts';
import type { Session } from '../../src/cli/client/session.ts';
import { createSite, STAFF_TOKEN, type Site } from '../ingress/dashboard/support/site.ts';
import type { Connection } from '../../src/store/connection/database.ts';

export interface Desk {
  readonly site: Site;
  readonly url: string;
  /** What a command works with; what it printed is in `printed` and `said`. */
  session(options?: { json?: boolean; color?: boolean; url?: string; staffToken?: string }): Session & {
    readonly printed: string[];
    readonly said: string[];
  };
  close(): Promise<void>;
}

/** Opens the staff API on loopback. */
export async function openDesk(connection: Connection): Promise<Desk> {
  const site = createSite(connection, { readsOpen: false });
  const server = createAdaptorServer({ fetch: site.app.fetch }) as Server;
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    site,
    url,
    session({ json = false, color = false, ...address } = {}) {
      const printed: string[] = [];
      const said: string[] = [];
      return {
        json,
        printed,
        said,
        api: createApiClient({ url, staffToken: STAFF_TOKEN, ...address }),
        terminal: { out: (line) => void printed.push(line), error: (line) => void said.push(line), color },
      };
    },
    async close() {
      await site.live.close();
      server.closeAllConnections();
      server.close();
    },
  };
}
