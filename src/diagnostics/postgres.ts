/** Checks Postgres: connection, version and schema. */
import { readMigrationFiles } from 'drizzle-orm/migrator';
import { drizzle } from 'drizzle-orm/postgres-js';
import postgres from 'postgres';
import { findNetworkFinding, type StoredNetworkFinding } from '../store/workspaces/cluster-findings.ts';
import { MIGRATIONS } from '../store/connection/migrate.ts';
import { failed, ok, warning, type Answer, type Check } from './check.ts';

const OLDEST_MAJOR = 15;

/** Seconds. */
const CONNECT_TIMEOUT = 5;

/** Checks the server and the applied migrations. */
export function postgresCheck(url: string): Check {
  return {
    name: 'Postgres',
    remedy: 'start Postgres, or correct the address in CODEXK8S_DATABASE_URL_FILE (or DATABASE_URL)',
    run: async () =>
      withDatabase(url, async (sql) => {
        const [server] = await sql<{ version: string; readOnly: string }[]>`
          select current_setting('server_version') as version,
                 current_setting('transaction_read_only') as "readOnly"`;
        const { version = '', readOnly } = server ?? {};
        return [answersWell(version, readOnly === 'on'), await schema(sql)];
      }),
  };
}

/** The bound repositories, newest first; empty without a schema. */
export async function boundRepositories(url: string, most: number): Promise<string[]> {
  return withDatabase(url, async (sql) => {
    const found = await sql<{ name: string }[]>`
      select owner || '/' || name as name from repositories order by created_at desc limit ${most}`;
    return found.map(({ name }) => name);
  });
}

/** Whether somebody with this login has a role on the platform or in a project. */
export async function isMemberByLogin(url: string, login: string): Promise<boolean> {
  return withDatabase(url, async (sql) => {
    const found = await sql`
      select 1 from people left join project_members on project_members.person_id = people.id
      where lower(people.login) = ${login.toLowerCase()}
        and (people.platform_role is not null or project_members.person_id is not null) limit 1`;
    return found.length > 0;
  });
}

/** The latest result of the worker's network probe, if there is one. */
export async function recordedNetworkProbe(url: string): Promise<StoredNetworkFinding | undefined> {
  return withDatabase(url, async (sql) => findNetworkFinding(drizzle(sql)));
}

async function withDatabase<Result>(url: string, action: (sql: postgres.Sql) => Promise<Result>): Promise<Result> {
  const sql = postgres(url, {
    max: 1,
    connect_timeout: CONNECT_TIMEOUT,
    onnotice: () => {},
    connection: { application_name: 'codex-k8s doctor', statement_timeout: 5000 },
  });
  try {
    return await action(sql);
  } finally {
    await sql.end({ timeout: 1 });
  }
}

function answersWell(version: string, readOnly: boolean): Answer {
  if (Number.parseInt(version, 10) < OLDEST_MAJOR)
    return failed(`answers, version ${version}`, `use PostgreSQL ${OLDEST_MAJOR} or newer`);
  if (readOnly)
    return failed(`answers, version ${version}, read-only`, 'use the address of the primary, not of a replica');
  return ok(`answers, version ${version}`);
}

async function schema(sql: postgres.Sql): Promise<Answer> {
  const wanted = readMigrationFiles({ migrationsFolder: MIGRATIONS });
  const advice = 'run "codex-k8s migrate" with this build';
  const [table] = await sql<
    { name: string | null }[]
  >`select to_regclass('drizzle.__drizzle_migrations')::text as name`;
  if (!table?.name) return failed('migrations: none applied', advice);
  const applied = await sql<{ hash: string }[]>`select hash from drizzle.__drizzle_migrations order by created_at`;
  const known = new Set(applied.map(({ hash }) => hash));
  const missing = wanted.filter(({ hash }) => !known.has(hash)).length;
  if (missing > 0) return failed(`migrations: ${missing} of ${wanted.length} not applied`, advice);
  const newer = applied.length - wanted.length;
  if (newer > 0)
    return warning(`migrations: ${newer} applied that this build does not know`, 'deploy the newest build everywhere');
  return ok(`migrations: all ${wanted.length} applied`);
}
