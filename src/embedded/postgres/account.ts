/** Whom PostgreSQL runs as, and where that account can keep a cluster: PostgreSQL refuses to run as root. */
import { chmodSync, chownSync, lstatSync, mkdirSync, mkdtempSync, realpathSync, statSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { execa } from 'execa';

export interface Account {
  readonly uid: number;
  readonly gid: number;
}

export interface ClusterPlace {
  /** The cluster itself. It may not be there yet. */
  readonly cluster: string;
  /** The directory around it, which the account can pass through. */
  readonly home: string;
  /** Undefined: the user who runs `up`. */
  readonly account: Account | undefined;
}

/** Accounts that a system has for this; the second is there everywhere. */
const CANDIDATES = ['postgres', 'nobody'];
const ELSEWHERE = '/var/lib/codex-k8s';

/**
 * Decides where the cluster of a data directory lies and whose it is. That is `<data>/postgres` and the user itself, but
 * for root: then it belongs to another account, and lies elsewhere when that account cannot get to the data directory;
 * `<data>/postgres` is a link to it then.
 */
export async function clusterPlace(dataDirectory: string, report: (message: string) => void): Promise<ClusterPlace> {
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
  // Its group may pass through, and see nothing.
  chownSync(dataDirectory, -1, account.gid);
  chmodSync(dataDirectory, mode | 0o010);
  if (known || (await canEnter(dataDirectory, account))) return { cluster: entry, home: dataDirectory, account };

  chownSync(dataDirectory, -1, gid);
  chmodSync(dataDirectory, mode);
  const cluster = makeElsewhere(account);
  symlinkSync(cluster, entry);
  report(
    `PostgreSQL does not run as root, and its account cannot reach ${dataDirectory}: the database lies in ${cluster}`,
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
