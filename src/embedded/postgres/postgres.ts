/** The real PostgreSQL of the embedded default: makes its cluster, and says how its process is run. */
import { chmodSync, chownSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import postgres from 'postgres';
import { clusterPlace, type ClusterPlace } from './account.ts';
import { postgresBinaries, type PostgresBinaries } from './binaries.ts';
import { removeStalePidFile } from './pid-file.ts';
import type { ProcessSpec } from '../processes/supervised-process.ts';

export interface PostgresOptions {
  readonly dataDirectory: string;
  readonly port: number;
  readonly password: string;
  readonly report: (message: string) => void;
}

export interface EmbeddedPostgres {
  /** For the supervisor. When it is ready, the database is there. */
  readonly spec: ProcessSpec;
  readonly url: string;
}

const POSTGRES_USER = 'codexk8s';
const POSTGRES_DATABASE = 'codexk8s';

const ENVIRONMENT = { PATH: '/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' };

/** Makes the cluster on the first start. Nothing of this is needed where DATABASE_URL names a database. */
export async function embeddedPostgres(options: PostgresOptions): Promise<EmbeddedPostgres> {
  const place = await clusterPlace(options.dataDirectory, options.report);
  const binaries = await postgresBinaries(place.home, place.account);
  if (!existsSync(join(place.cluster, 'PG_VERSION'))) {
    options.report('Making a PostgreSQL cluster');
    await initialise(place, binaries, options.password);
  }
  const urlOf = (database: string): string =>
    `postgres://${POSTGRES_USER}:${options.password}@127.0.0.1:${options.port}/${database}`;
  return {
    url: urlOf(POSTGRES_DATABASE),
    spec: {
      name: 'postgres',
      command: binaries.postgres,
      args: ['-D', place.cluster, ...settings(options.port)],
      env: ENVIRONMENT,
      cwd: place.cluster,
      ...place.account,
      prepare: () => removeStalePidFile(place.cluster),
      ready: () => ensureDatabase(urlOf('postgres')),
      // The fast shutdown: sessions are ended, and nothing has to be recovered at the next start.
      stopSignal: 'SIGINT',
    },
  };
}

function settings(port: number): string[] {
  const values = {
    listen_addresses: '127.0.0.1',
    port,
    // TCP with a password is the only way in: the path of a socket is limited to 107 characters, a data directory is not.
    unix_socket_directories: '',
    cluster_name: 'codex-k8s',
    log_timezone: 'UTC',
    timezone: 'UTC',
  };
  return Object.entries(values).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
}

/** The cluster is made beside its place and moved there whole: an `up` that dies half way leaves nothing half made. */
async function initialise(
  { cluster, home, account }: ClusterPlace,
  binaries: PostgresBinaries,
  password: string,
): Promise<void> {
  const unfinished = join(home, 'postgres.new');
  rmSync(unfinished, { recursive: true, force: true });
  mkdirSync(unfinished, { mode: 0o700 });
  const passwordFile = join(unfinished, 'password');
  writeFileSync(passwordFile, `${password}\n`, { mode: 0o600 });
  if (account) for (const path of [passwordFile, unfinished]) chownSync(path, account.uid, account.gid);

  const made = join(unfinished, 'cluster');
  const args = [`--pgdata=${made}`, `--username=${POSTGRES_USER}`, `--pwfile=${passwordFile}`, '--auth=scram-sha-256'];
  const locale = ['--encoding=UTF8', '--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8'];
  await execa(binaries.initdb, [...args, ...locale], {
    env: ENVIRONMENT,
    extendEnv: false,
    cwd: unfinished,
    ...account,
  });
  chmodSync(made, 0o700);
  if (existsSync(cluster) && readdirSync(cluster).length === 0) rmSync(cluster, { recursive: true });
  renameSync(made, cluster);
  rmSync(unfinished, { recursive: true });
}

async function ensureDatabase(url: string): Promise<boolean> {
  const sql = postgres(url, { max: 1, connect_timeout: 2, onnotice: () => {} });
  try {
    const found = await sql`select from pg_database where datname = ${POSTGRES_DATABASE}`;
    if (found.length === 0) await sql`create database ${sql(POSTGRES_DATABASE)}`;
    return true;
  } finally {
    await sql.end({ timeout: 1 });
  }
}
