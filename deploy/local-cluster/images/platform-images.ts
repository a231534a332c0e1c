/**
 * Images for installing the platform itself in a local cluster, without a registry: the same content as target `platform` of
 * deploy/images/Dockerfile, and replacements of the images of Temporal and Postgres in deploy/kubernetes/trial.
 */
import { createHash } from 'node:crypto';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { postgresBinaries } from '../../../src/embedded/postgres/binaries.ts';
import { readTemporalDev } from '../../../src/embedded/temporal/dev-settings.ts';
import { resolveTemporal } from '../../../src/embedded/temporal/executable.ts';
import { APPLICATION, debianLayer, filesBelow, nodeLayer, outermost } from './agent-layers.ts';
import { run } from '../command.ts';
import { describeImage, type Image } from './image.ts';
import { archive, cachedLayer, shortHash, type Layer } from './layer.ts';
import { imagePackages, packageClosure } from './package-closure.ts';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

/** The files of this repository in the platform's image, as in deploy/images/Dockerfile. */
export const PLATFORM_SOURCES = [
  'package.json',
  'temporal-dev.yaml',
  'src',
  'workflows',
  'activities',
  'ingress',
  'prompts',
  'migrations',
  'deploy/kubernetes/base',
] as const;

/** Of these, what no image of a deployment has, as in deploy/images/Dockerfile.dockerignore: the emulators. */
export const LEFT_OUT = ['src/emulators'] as const;

const PLATFORM_USER = 10_002;
const BUNDLE = 'workflow-bundle.js';
const SEARCH_PATH = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

export interface PlatformImageOptions {
  /** The directory of layers. */
  readonly directory: string;
  readonly cacheDirectory: string;
  readonly env: NodeJS.ProcessEnv;
  readonly report: (message: string) => void;
}

export interface PlatformImages {
  readonly platform: Image;
  readonly temporal: Image;
  readonly postgres: Image;
}

/** The images; only changed layers are built. */
export async function platformImages(options: PlatformImageOptions): Promise<PlatformImages> {
  const { directory, report } = options;
  const debian = await debianLayer(directory, report);
  const source = await sourceLayer(directory);
  return {
    platform: describeImage('codex-k8s/platform', undefined, PLATFORM_SETTINGS, [
      debian,
      await nodeLayer(directory),
      await packagesLayer(directory),
      source,
      await bundleLayer(directory, source),
    ]),
    temporal: describeImage('codex-k8s/temporal', undefined, { Env: [SEARCH_PATH], Entrypoint: ['temporal'] }, [
      debian,
      await temporalLayer(options),
    ]),
    postgres: describeImage('codex-k8s/postgres', undefined, POSTGRES_SETTINGS, [
      debian,
      await accountsLayer(directory),
      await postgresLayer(directory),
    ]),
  };
}

const PLATFORM_SETTINGS = {
  User: `${PLATFORM_USER}:${PLATFORM_USER}`,
  WorkingDir: APPLICATION,
  Env: [
    SEARCH_PATH,
    'HOME=/tmp',
    'LANG=C.UTF-8',
    'NODE_ENV=production',
    `CODEXK8S_WORKFLOW_BUNDLE=${APPLICATION}/${BUNDLE}`,
  ],
  Entrypoint: ['node', `${APPLICATION}/src/cli/cli.ts`],
  Cmd: ['--help'],
};

const POSTGRES_SETTINGS = {
  Env: [SEARCH_PATH, 'LANG=C.UTF-8'],
  Entrypoint: ['/opt/postgres/start'],
  // SIGINT is Postgres' fast shutdown, which does not wait for clients to disconnect.
  StopSignal: 'SIGINT',
};

async function packagesLayer(directory: string): Promise<Layer> {
  const packages = packageClosure(ROOT, imagePackages(ROOT, 'platform'));
  const key = shortHash(...packages.map(({ path, version }) => `${path}@${version}`));
  return cachedLayer(directory, 'platform-packages', key, (file) =>
    archive(file, { from: ROOT, to: APPLICATION.slice(1), paths: outermost(packages) }),
  );
}

async function sourceLayer(directory: string): Promise<Layer> {
  const files = platformFiles();
  const hash = createHash('sha256');
  for (const file of files) hash.update(`${file}\0`).update(readFileSync(join(ROOT, file)));
  return cachedLayer(directory, 'platform-source', hash.digest('hex').slice(0, 12), (file) =>
    archive(file, { from: ROOT, to: APPLICATION.slice(1), paths: files }),
  );
}

/** The repository's files in the image, relative to its root. */
export function platformFiles(): string[] {
  return PLATFORM_SOURCES.flatMap((path) => (/\.\w+$/.test(path) ? [path] : filesBelow(path)))
    .filter((file) => !LEFT_OUT.some((folder) => file.startsWith(`${folder}/`)))
    .toSorted();
}

/** The workflow bundle of this source. */
async function bundleLayer(directory: string, source: Layer): Promise<Layer> {
  return cachedLayer(directory, 'platform-bundle', shortHash(source.digest), async (file) => {
    const made = mkdtempSync(join(directory, 'unfinished-'));
    try {
      await run(process.execPath, [join(ROOT, 'deploy/write-workflow-bundle.ts'), join(made, BUNDLE)]);
      await archive(file, { from: made, to: APPLICATION.slice(1), paths: [BUNDLE] });
    } finally {
      rmSync(made, { recursive: true, force: true });
    }
  });
}

/** The Temporal CLI that `up` uses. */
async function temporalLayer({ directory, cacheDirectory, env, report }: PlatformImageOptions): Promise<Layer> {
  const settings = readTemporalDev(join(ROOT, 'temporal-dev.yaml'));
  const { path, cli, server } = await resolveTemporal({ ...settings, cacheDirectory, env, report });
  return cachedLayer(directory, 'temporal', shortHash(path, cli, server), (file) =>
    archive(file, { from: dirname(path), to: 'usr/local/bin', paths: [basename(path)] }),
  );
}

/** Creates a database cluster if there is none, as the official Postgres image does, and starts the server. */
const START_POSTGRES = `#!/bin/sh
set -eu
if [ ! -s "$PGDATA/PG_VERSION" ]; then
  /opt/postgres/bin/initdb --pgdata="$PGDATA" --username="$POSTGRES_USER" --pwfile="$POSTGRES_PASSWORD_FILE" \\
    --auth=scram-sha-256 --encoding=UTF8 --locale=C
  echo "host all all all scram-sha-256" >>"$PGDATA/pg_hba.conf"
  echo "CREATE DATABASE $POSTGRES_DB" | /opt/postgres/bin/postgres --single -D "$PGDATA" postgres
fi
exec /opt/postgres/bin/postgres -D "$PGDATA" -c listen_addresses='*' -c unix_socket_directories=/var/run/postgresql
`;

/** initdb requires that its user has a name. */
const ACCOUNTS = `root:x:0:0:root:/root:/bin/sh
postgres:x:999:999::/var/lib/postgresql:/bin/sh
nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin
`;

async function accountsLayer(directory: string): Promise<Layer> {
  return cachedLayer(directory, 'accounts', shortHash(ACCOUNTS), async (file) => {
    const root = mkdtempSync(join(directory, 'unfinished-'));
    try {
      mkdirSync(join(root, 'etc'));
      writeFileSync(join(root, 'etc/passwd'), ACCOUNTS);
      await archive(file, { from: root, to: '', paths: ['etc/passwd'] });
    } finally {
      rmSync(root, { recursive: true, force: true });
    }
  });
}

/** PostgreSQL's programs from the npm package that `up` uses. */
async function postgresLayer(directory: string): Promise<Layer> {
  const { initdb } = await postgresBinaries('', undefined);
  const native = dirname(dirname(initdb));
  const { version } = z
    .object({ version: z.string() })
    .parse(JSON.parse(readFileSync(join(dirname(native), 'package.json'), 'utf8')));
  return cachedLayer(directory, 'postgres', shortHash(version, START_POSTGRES), async (file) => {
    const root = mkdtempSync(join(directory, 'unfinished-'));
    try {
      mkdirSync(join(root, 'opt/postgres'), { recursive: true });
      writeFileSync(join(root, 'opt/postgres/start'), START_POSTGRES, { mode: 0o755 });
      cpSync(native, join(root, 'opt/postgres'), { recursive: true, verbatimSymlinks: true });
      await archive(file, { from: root, to: '', paths: readdirSync(root) });
    } finally {
      rmSync(root, { recursive: true, force: true });
    }
  });
}
