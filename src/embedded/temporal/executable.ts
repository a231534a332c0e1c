/** Finds a Temporal CLI, or makes one: no package manager that we could depend on ships it. */
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

/** Puts a CLI of the release into an empty directory and gives its path. */
type Maker = (directory: string, version: string, env: NodeJS.ProcessEnv) => Promise<string>;

export interface TemporalExecutableOptions {
  /** The release that is made, and the oldest server that is accepted: `cli` and `server` of temporal-dev.yaml. */
  readonly cli: string;
  readonly server: string;
  readonly cacheDirectory: string;
  readonly env: NodeJS.ProcessEnv;
  readonly report: (message: string) => void;
  /** How one is made where there is none; by download and by Go unless told. */
  readonly makers?: Partial<Readonly<Record<'download' | 'Go build', Maker>>>;
}

/**
 * Looks, in this order, at CODEXK8S_TEMPORAL_CLI, PATH, our cache and Go's bin directory, then has the SDK download one, then
 * builds one with Go. Reports which one was taken and what was passed over. Only one process at a time makes one.
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
    throw new Error(`CODEXK8S_TEMPORAL_CLI is ${path}, which does not run or is no Temporal CLI with a server`);
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
    : 'it does not run or is no Temporal CLI with a server';
  if (version && !reason) return { path, source, ...version };
  report(`${path} is passed over: ${reason}`);
  return undefined;
}

async function make(options: TemporalExecutableOptions): Promise<TemporalExecutable> {
  const { cli, report, makers } = options;
  const cached = cachedPath(options);
  mkdirSync(dirname(cached), { recursive: true, mode: 0o700 });
  const lockFile = join(dirname(cached), 'lock');
  const lock =
    tryLock(lockFile) ??
    (await withProgress('Waiting for another process that is getting Temporal', report, () => takeLock(lockFile)));
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
    if (!version) throw new Error('what was made does not run');
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
      'There is no Temporal server on this machine, and none could be made:',
      ...failures.map((failure) => `  ${failure}`),
      `Install the Temporal CLI ${cli} (any with server ${server} or later will do; https://docs.temporal.io/cli), or install Go ` +
        `${GO_VERSION} or later, and start again. CODEXK8S_TEMPORAL_CLI names a CLI that is not on PATH.`,
    ].join('\n'),
  );
}

/** What one that was killed half way has left: whoever has the lock knows that nobody works on it. */
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
