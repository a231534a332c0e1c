/** Creates the cluster of the embedded PostgreSQL. */
import { chmodSync, chownSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { clusterLocation, type Account, type ClusterLocation } from './account.ts';
import { postgresBinaries, type PostgresBinaries } from './binaries.ts';
import { ENVIRONMENT, POSTGRES_USER } from './names.ts';

export interface PostgresOptions {
  readonly dataDirectory: string;
  readonly port: number;
  readonly password: string;
  readonly report: (message: string) => void;
}

/** An existing cluster, and the server's executable. */
export interface PostgresCluster {
  readonly directory: string;
  readonly executable: string;
  /** Owner of the cluster; undefined for the user who runs `up`. */
  readonly account?: Account | undefined;
}

/** Creates the cluster on the first start; finds it on later ones. */
export async function makePostgresCluster(options: Omit<PostgresOptions, 'port'>): Promise<PostgresCluster> {
  const location = await clusterLocation(options.dataDirectory, options.report);
  const binaries = await postgresBinaries(location.home, location.account);
  if (!existsSync(join(location.cluster, 'PG_VERSION'))) {
    options.report('Creating a PostgreSQL cluster');
    await initialise(location, binaries, options.password);
  }
  return { directory: location.cluster, executable: binaries.postgres, account: location.account };
}

/** Creates the cluster in another directory and moves it, so that an `up` that is killed leaves no incomplete cluster. */
async function initialise(
  { cluster, home, account }: ClusterLocation,
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
