/**
 * A real Postgres for tests: one server for a whole run of vitest (test/support/global-setup.ts). Each call of
 * `startTestDatabase` makes a database of its own, with all migrations.
 */
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import postgres from 'postgres';
import { migrateDatabase } from '../../src/store/connection/migrate.ts';
import { embeddedPostgres } from '../../src/embedded/postgres/postgres.ts';
import { createSupervisor } from '../../src/embedded/processes/supervisor.ts';
import { freePort } from './free-port.ts';
import { shared } from './shared.ts';

export interface TestDatabase {
  readonly url: string;
  stop(): Promise<void>;
}

/** A database of the shared server that has this build's schema, and that others are copied from. */
const TEMPLATE = 'template_of_tests';

/** A server for a whole run of tests, with the schema in a template. */
export async function startPostgresServer(): Promise<{ at: string; stop(): Promise<void> }> {
  const server = await startServer();
  await administer(server.url, (sql) => sql`create database ${sql(TEMPLATE)}`);
  await migrateDatabase(databaseOn(server.url, TEMPLATE));
  return { at: server.url, stop: () => server.stop() };
}

/** An empty database with this build's schema. */
export async function startTestDatabase(): Promise<TestDatabase> {
  const at = await shared('postgres');
  const own = at === undefined ? await startPostgresServer() : undefined;
  const serverUrl = own?.at ?? at ?? '';
  const name = `test_${randomBytes(6).toString('hex')}`;
  await administer(serverUrl, (sql) => sql`create database ${sql(name)} template ${sql(TEMPLATE)}`);
  return {
    url: databaseOn(serverUrl, name),
    async stop() {
      if (own) return own.stop();
      await administer(serverUrl, (sql) => sql`drop database ${sql(name)} with (force)`);
    },
  };
}

function databaseOn(serverUrl: string, name: string): string {
  return serverUrl.replace(/[^/]*$/, name);
}

async function administer(url: string, act: (sql: postgres.Sql) => PromiseLike<unknown>): Promise<void> {
  const sql = postgres(url, { max: 1, onnotice: () => {} });
  try {
    await whenNotInUse(() => act(sql));
  } finally {
    await sql.end({ timeout: 1 });
  }
}

/** Postgres waits five seconds for whoever uses a database to let go of it; on a busy machine that may take longer. */
async function whenNotInUse(act: () => PromiseLike<unknown>): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return void (await act());
    } catch (error) {
      if (!(error instanceof postgres.PostgresError) || error.code !== OBJECT_IN_USE || attempt === 12) throw error;
    }
  }
}
const OBJECT_IN_USE = '55006';

/** The very Postgres of `codex-k8s up`, in a directory of its own. */
async function startServer(): Promise<TestDatabase> {
  const directory = await mkdtemp(join(tmpdir(), 'codexk8s-test-postgres-'));
  const server = await embeddedPostgres({
    dataDirectory: directory,
    port: await freePort(),
    password: randomBytes(12).toString('hex'),
    report: () => {},
  });
  const supervisor = createSupervisor({ dataDirectory: directory, onEvent: () => {} });
  await supervisor.start([
    { ...server.spec, args: [...server.spec.args, '-c', 'fsync=off', '-c', 'max_connections=400'] },
  ]);
  return {
    url: server.url,
    async stop() {
      await supervisor.stop();
      await rm(directory, { recursive: true, force: true });
    },
  };
}
