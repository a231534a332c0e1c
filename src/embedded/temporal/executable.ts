/** Finds a Temporal CLI, downloads it, or builds it. */
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { takeLock, tryLock } from '../files/lock.ts';
import { withProgress } from '../files/progress.ts';
import { downloadTemporal } from './download.ts';
import { buildWithGo, findGoBuild, GO_VERSION, isExecutable } from './go-build.ts';
import { incompatibility, temporalVersion, type TemporalVersion } from './version.ts';

export type TemporalSource = 'CODEXK8S_TEMPORAL_CLI' | 'PATH' | 'cache' | 'Go bin directory' | 'download' | 'Go build';

export interface TemporalExecutable extends TemporalVersion {
  readonly path: string;
  readonly source: TemporalSource;
}

/** Creates a CLI of the release in an empty directory and returns its path. */
type Maker = (directory: string, version: string, env: NodeJS.ProcessEnv) => Promise<string>;

export interface TemporalExecutableOptions {
  /** The release to download or build, and the oldest accepted server: `cli` and `server` of temporal-dev.yaml. */
  readonly cli: string;
  readonly server: string;
  readonly cacheDirectory: string;
  readonly env: NodeJS.ProcessEnv;
  readonly report: (message: string) => void;
  /** Replaces the download and the Go build in tests. */
  readonly makers?: Partial<Readonly<Record<'download' | 'Go build', Maker>>>;
}

/**
 * Looks, in this order, at CODEXK8S_TEMPORAL_CLI, PATH, the cache and Go's bin directory, then downloads one with the SDK, then
 * builds one with Go. Reports the chosen one and those that were skipped. One process at a time downloads or builds.
 */
export async function resolveTemporal(options: TemporalExecutableOptions): Promise<TemporalExecutable> {
  const found = (await explicit(options)) ?? (await find(options)) ?? (await make(options));
  options.report(`Temporal ${found.cli} (server ${found.server}) from ${found.source}: ${found.path}`);
  return found;
}

async function explicit({ env, server, report }: TemporalExecutableOptions): Promise<TemporalExecutable | undefined> {
  const path = env['CODEXK8S_TEMPORAL_CLI'];
  if (!path) return undefined;
  const version = await temporalVersion(path);
  if (!version)
    throw new Error(`CODEXK8S_TEMPORAL_CLI is ${path}, which does not run or is not a Temporal CLI with a server`);
  const reason = incompatibility(version.server, server);
  if (reason) report(`CODEXK8S_TEMPORAL_CLI is used although ${reason}`);
  return { path, source: 'CODEXK8S_TEMPORAL_CLI', ...version };
}

async function find(options: TemporalExecutableOptions): Promise<TemporalExecutable | undefined> {
  return (
    (await accept(options, 'PATH', onPath(options.env))) ??
    (await accept(options, 'cache', cachedPath(options))) ??
    (await accept(options, 'Go bin directory', await findGoBuild(options.cli, options.env)))
  );
}

async function accept(
  { server, report }: TemporalExecutableOptions,
  source: TemporalSource,
  path: string | undefined,
): Promise<TemporalExecutable | undefined> {
  if (path === undefined || !isExecutable(path)) return undefined;
  const version = await temporalVersion(path);
  const reason = version
    ? incompatibility(version.server, server)
    : 'it does not run or is not a Temporal CLI with a server';
  if (version && !reason) return { path, source, ...version };
  report(`${path} is skipped: ${reason}`);
  return undefined;
}

async function make(options: TemporalExecutableOptions): Promise<TemporalExecutable> {
  const { cli, report, makers } = options;
  const cached = cachedPath(options);
  mkdirSync(dirname(cached), { recursive: true, mode: 0o700 });
  const lockFile = join(dirname(cached), 'lock');
  const lock =
    tryLock(lockFile) ??
    (await withProgress('Waiting for another process that downloads or builds Temporal', report, () =>
      takeLock(lockFile),
    ));
  try {
    const byAnother = await accept(options, 'cache', cached);
    if (byAnother) return byAnother;
    removeUnfinished(dirname(cached));
    const failures: string[] = [];
    const download = makers?.download ?? downloadTemporal;
    const build = makers?.['Go build'] ?? buildWithGo;
    return (
      (await attempt(options, 'download', `Downloading Temporal ${cli}`, download, failures)) ??
      (await attempt(
        options,
        'Go build',
        `Building Temporal ${cli} with Go, which takes some minutes once`,
        build,
        failures,
      )) ??
      nothingWorks(options, failures)
    );
  } finally {
    lock.release();
  }
}

async function attempt(
  options: TemporalExecutableOptions,
  source: TemporalSource,
  what: string,
  maker: Maker,
  failures: string[],
): Promise<TemporalExecutable | undefined> {
  const cached = cachedPath(options);
  const directory = mkdtempSync(join(dirname(cached), 'unfinished-'));
  try {
    const made = await withProgress(what, options.report, () => maker(directory, options.cli, options.env));
    chmodSync(made, 0o755);
    const version = await temporalVersion(made);
    if (!version) throw new Error('the executable does not run');
    renameSync(made, cached);
    return { path: cached, source, ...version };
  } catch (error) {
    failures.push(`${source}: ${(error as Error).message}`);
    options.report(failures.at(-1) ?? '');
    return undefined;
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

function nothingWorks({ cli, server }: TemporalExecutableOptions, failures: readonly string[]): never {
  throw new Error(
    [
      'There is no Temporal CLI on this machine, and none could be downloaded or built:',
      ...failures.map((failure) => `  ${failure}`),
      `Install the Temporal CLI ${cli} (any with server ${server} or later will do; https://docs.temporal.io/cli), or install Go ` +
        `${GO_VERSION} or later, and start again. CODEXK8S_TEMPORAL_CLI names a CLI that is not on PATH.`,
    ].join('\n'),
  );
}

/** Removes directories of downloads and builds that were killed. The caller holds the lock, so none of them is in use. */
function removeUnfinished(directory: string): void {
  for (const name of readdirSync(directory).filter((entry) => entry.startsWith('unfinished-'))) {
    rmSync(join(directory, name), { recursive: true, force: true });
  }
}

function cachedPath({ cacheDirectory, cli }: TemporalExecutableOptions): string {
  return join(cacheDirectory, 'temporal', cli, 'temporal');
}

function onPath(env: NodeJS.ProcessEnv): string | undefined {
  const candidates = (env['PATH'] ?? '').split(delimiter).filter(Boolean);
  return candidates
    .map((directory) => join(directory, 'temporal'))
    .find((path) => isExecutable(path) && statSync(path).isFile());
}
