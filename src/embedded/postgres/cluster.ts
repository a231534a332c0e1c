/** Makes the cluster of the embedded PostgreSQL: what it needs before its server can be started. */
import { chmodSync, chownSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { clusterPlace, type Account, type ClusterPlace } from './account.ts';
import { postgresBinaries, type PostgresBinaries } from './binaries.ts';
import { ENVIRONMENT, POSTGRES_USER } from './names.ts';

export interface PostgresOptions {
  readonly dataDirectory: string;
  readonly port: number;
  readonly password: string;
  readonly report: (message: string) => void;
}

/** A cluster that is there, and the program that serves it. */
export interface PostgresCluster {
  readonly directory: string;
  readonly executable: string;
  /** Whose it is; undefined: the user who runs `up`. */
  readonly account?: Account | undefined;
}

/** Makes the cluster on the first start; finds it on every later one. */
export async function makePostgresCluster(options: Omit<PostgresOptions, 'port'>): Promise<PostgresCluster> {
  const place = await clusterPlace(options.dataDirectory, options.report);
  const binaries = await postgresBinaries(place.home, place.account);
  if (!existsSync(join(place.cluster, 'PG_VERSION'))) {
    options.report('Making a PostgreSQL cluster');
    await initialise(place, binaries, options.password);
  }
  return { directory: place.cluster, executable: binaries.postgres, account: place.account };
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
