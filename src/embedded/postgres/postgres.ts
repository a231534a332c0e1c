/** The real PostgreSQL of the embedded default: how its process is run. */
import type { PostgresCluster, PostgresOptions } from './cluster.ts';
import { ENVIRONMENT, POSTGRES_DATABASE, POSTGRES_USER } from './names.ts';
import { removeStalePidFile } from './pid-file.ts';
import type { ProcessSpec } from '../processes/supervised-process.ts';

export interface EmbeddedPostgres {
  /** For the supervisor. When it is ready, the database is there. */
  readonly spec: ProcessSpec;
  readonly url: string;
}

/** Makes the cluster on the first start, and describes its server. */
export async function embeddedPostgres(options: PostgresOptions): Promise<EmbeddedPostgres> {
  const [{ makePostgresCluster }, { ensureDatabase }] = await Promise.all([
    import('./cluster.ts'),
    import('./database.ts'),
  ]);
  return postgresServer(await makePostgresCluster(options), { ...options, ensureDatabase });
}

/** Describes the server of a cluster: nothing is started here. `ensureDatabase` is given the URL of the database `postgres`. */
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
