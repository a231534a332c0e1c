/**
 * One Postgres, one Temporal and one bundle of the workflows for a whole run of vitest. Each is started when the first test file
 * asks for it, so that tests of pure functions start nothing.
 */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { startPostgresServer } from './postgres.ts';
import { SHARED_URL, type SharedName } from './shared.ts';
import { bundleForStacks, bundleIntoFile, startTemporalServer } from './temporal-server.ts';

/** Something that was started. */
interface Started {
  /** What tests are told of it. */
  readonly at: string;
  stop(): Promise<void>;
}

const START: Readonly<Record<SharedName, () => Promise<Started>>> = {
  postgres: startPostgresServer,
  temporal: startTemporalServer,
  workflows: bundleIntoFile,
  'stack-workflows': bundleForStacks,
};

/** Vitest calls it, and what it returns at the end. */
export async function setup(): Promise<() => Promise<void>> {
  const started = new Map<SharedName, Promise<Started>>();

  function find(name: SharedName): Promise<Started> {
    const present = started.get(name) ?? START[name]();
    started.set(name, present);
    return present;
  }

  const server = createServer((request, response) => {
    Promise.resolve(request.url?.slice(1) as SharedName)
      .then(find)
      .then(
        ({ at }) => response.end(at),
        (error: unknown) => response.writeHead(500).end(String(error)),
      );
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  process.env[SHARED_URL] = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return async () => {
    server.close();
    server.closeAllConnections();
    const ended = await Promise.allSettled([...started.values()].map(async (one) => (await one).stop()));
    for (const end of ended) if (end.status === 'rejected') throw end.reason;
  };
}
