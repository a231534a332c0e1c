/** The account of PostgreSQL, which refuses to run as root, and a directory for its cluster. */
import { chmodSync, chownSync, lstatSync, mkdirSync, mkdtempSync, realpathSync, statSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { execa } from 'execa';

export interface Account {
  readonly uid: number;
  readonly gid: number;
}

export interface ClusterLocation {
  /** PostgreSQL's data directory. It may not exist yet. */
  readonly cluster: string;
  /** Its parent directory, which the account can traverse. */
  readonly home: string;
  /** Owner of the cluster; undefined for the user who runs `up`. */
  readonly account: Account | undefined;
}

/** Accounts to use under root; `nobody` exists everywhere. */
const CANDIDATES = ['postgres', 'nobody'];
const ELSEWHERE = '/var/lib/codex-k8s';

/**
 * Location and owner of the cluster of a data directory: `<data>/postgres` and the current user. Under root the owner is
 * another account, and if that account cannot reach the data directory, `<data>/postgres` is a link to a directory elsewhere.
 */
export async function clusterLocation(
  dataDirectory: string,
  report: (message: string) => void,
): Promise<ClusterLocation> {
  const entry = join(dataDirectory, 'postgres');
  if (process.getuid?.() !== 0)
    return { cluster: realpathOr(entry), home: dirname(realpathOr(entry)), account: undefined };

  const known = lstatSync(entry, { throwIfNoEntry: false });
  if (known?.isSymbolicLink()) {
    const cluster = realpathSync(entry);
    return { cluster, home: dirname(cluster), account: ownerOf(cluster) };
  }
  const account = known ? ownerOf(entry) : await findAccount();
  const { gid, mode } = statSync(dataDirectory);
  // The group may traverse the directory, not list it.
  chownSync(dataDirectory, -1, account.gid);
  chmodSync(dataDirectory, mode | 0o010);
  if (known || (await canEnter(dataDirectory, account))) return { cluster: entry, home: dataDirectory, account };

  chownSync(dataDirectory, -1, gid);
  chmodSync(dataDirectory, mode);
  const cluster = makeElsewhere(account);
  symlinkSync(cluster, entry);
  report(
    `PostgreSQL does not run as root, and its account cannot reach ${dataDirectory}: the database is in ${cluster}`,
  );
  return { cluster, home: dirname(cluster), account };
}

function makeElsewhere(account: Account): string {
  mkdirSync(ELSEWHERE, { recursive: true, mode: 0o755 });
  const home = mkdtempSync(join(ELSEWHERE, 'up-'));
  chownSync(home, -1, account.gid);
  chmodSync(home, 0o710);
  const cluster = join(home, 'postgres');
  mkdirSync(cluster, { mode: 0o700 });
  chownSync(cluster, account.uid, account.gid);
  return cluster;
}

async function findAccount(): Promise<Account> {
  for (const name of CANDIDATES) {
    const ids = await Promise.all(['-u', '-g'].map((flag) => execa('id', [flag, name], { reject: false })));
    const [uid, gid] = ids.map(({ stdout, failed }) => (failed ? Number.NaN : Number(stdout)));
    if (uid && gid) return { uid, gid };
  }
  throw new Error(
    `PostgreSQL does not run as root, and there is no account named ${CANDIDATES.join(' or ')} to run it as. ` +
      'Run codex-k8s up as another user, or set DATABASE_URL to a PostgreSQL of yours.',
  );
}

async function canEnter(directory: string, { uid, gid }: Account): Promise<boolean> {
  const { failed } = await execa('/bin/sh', ['-c', 'cd "$1"', 'sh', directory], { uid, gid, cwd: '/', reject: false });
  return !failed;
}

function ownerOf(path: string): Account {
  const { uid, gid } = statSync(path);
  return { uid, gid };
}

function realpathOr(path: string): string {
  return lstatSync(path, { throwIfNoEntry: false }) ? realpathSync(path) : path;
}
