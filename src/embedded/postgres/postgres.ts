/** The PostgreSQL process of the embedded default. */
import type { PostgresCluster, PostgresOptions } from './cluster.ts';
import { ENVIRONMENT, POSTGRES_DATABASE, POSTGRES_USER } from './names.ts';
import { removeStalePidFile } from './pid-file.ts';
import type { ProcessSpec } from '../processes/supervised-process.ts';

export interface EmbeddedPostgres {
  /** For the supervisor. It is ready once the database exists. */
  readonly spec: ProcessSpec;
  readonly url: string;
}

/** Creates the cluster on the first start, and describes its server. */
export async function embeddedPostgres(options: PostgresOptions): Promise<EmbeddedPostgres> {
  const [{ makePostgresCluster }, { ensureDatabase }] = await Promise.all([
    import('./cluster.ts'),
    import('./database.ts'),
  ]);
  return postgresServer(await makePostgresCluster(options), { ...options, ensureDatabase });
}

/** Describes the server of a cluster without starting it. `ensureDatabase` gets the URL of the database `postgres`. */
export function postgresServer(
  { directory, executable, account }: PostgresCluster,
  {
    port,
    password,
    ensureDatabase,
  }: { port: number; password: string; ensureDatabase: (serverUrl: string) => Promise<boolean> },
): EmbeddedPostgres {
  const urlOf = (database: string): string => `postgres://${POSTGRES_USER}:${password}@127.0.0.1:${port}/${database}`;
  return {
    url: urlOf(POSTGRES_DATABASE),
    spec: {
      name: 'postgres',
      command: executable,
      args: ['-D', directory, ...settings(port)],
      env: ENVIRONMENT,
      cwd: directory,
      ...account,
      prepare: () => removeStalePidFile(directory),
      ready: () => ensureDatabase(urlOf('postgres')),
      // Fast shutdown: sessions are terminated, and the next start needs no recovery.
      stopSignal: 'SIGINT',
    },
  };
}

function settings(port: number): string[] {
  const values = {
    listen_addresses: '127.0.0.1',
    port,
    // TCP with a password only: the path of a Unix socket is limited to 107 characters, that of a data directory is not.
    unix_socket_directories: '',
    cluster_name: 'codex-k8s',
    log_timezone: 'UTC',
    timezone: 'UTC',
  };
  return Object.entries(values).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
}
