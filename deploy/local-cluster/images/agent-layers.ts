/**
 * The layers of the agent's image, the same content as target `agent` of deploy/images/Dockerfile: Debian with git, Node,
 * the packages that the agent imports, and its source.
 */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { withProgress } from '../../../src/embedded/files/progress.ts';
import { run } from '../command.ts';
import { archive, cachedLayer, shortHash, type Layer } from './layer.ts';
import { AGENT_PACKAGES, packageClosure, type InstalledPackage } from './package-closure.ts';

/** The user of the image: no user of the machine, and not root. */
export const AGENT_USER = 10_001;
/** The directory of the application in the image. */
export const APPLICATION = '/app';
/** The files of this repository in the agent's image; a test follows the imports of the entry point. */
export const AGENT_SOURCES = [
  'package.json',
  'src/agent',
  'src/domain',
  'src/app/agent/agent-container.ts',
  'src/app/agent/agent-clis.ts',
] as const;

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
/** The entry point of the agent's container, relative to the root of the repository. */
export const AGENT_ENTRY = relative(
  ROOT,
  fileURLToPath(new URL('../../../src/app/agent/agent-container.ts', import.meta.url)),
);

const SUITE = 'bookworm';
const PACKAGES = ['ca-certificates', 'git', 'libatomic1', 'libstdc++6'];
const LEFT_OUT = ['/usr/share/doc/*', '/usr/share/man/*', '/usr/share/info/*', '/usr/share/locale/*'];
/** Script that runs with the root file system as `$1` after the packages are installed. */
const LAST_STEPS = [
  `chroot "$1" useradd --uid ${AGENT_USER} --home-dir /workspace/home --no-create-home --shell /bin/bash agent`,
  `install -d -o ${AGENT_USER} -g ${AGENT_USER} "$1/workspace"`,
  `ln -s ${APPLICATION}/node_modules/@openai/codex/bin/codex.js "$1/usr/local/bin/codex"`,
  // Remove the machine's host name and resolver; a container gets its own.
  'rm -f "$1/etc/hostname" "$1/etc/resolv.conf"',
];

/** The layers, lowest first; only changed ones are built. */
export async function agentLayers(directory: string, report: (message: string) => void): Promise<Layer[]> {
  return [
    await debianLayer(directory, report),
    await nodeLayer(directory),
    await packagesLayer(directory),
    await sourceLayer(directory),
  ];
}

/** Debian with git; the lowest layer of all images. */
export async function debianLayer(directory: string, report: (message: string) => void): Promise<Layer> {
  const args = [
    '--variant=minbase',
    `--include=${PACKAGES.join(',')}`,
    ...LEFT_OUT.map((pattern) => `--dpkgopt=path-exclude=${pattern}`),
    ...LAST_STEPS.map((step) => `--customize-hook=${step}`),
  ];
  return cachedLayer(directory, 'debian', shortHash(SUITE, process.arch, ...args), (file) =>
    withProgress('Making a Debian with git for the agent, once', report, async () => {
      await run('mmdebstrap', ['--quiet', '--format=tar', ...args, SUITE, file]);
    }),
  );
}

/** The Node that runs this program. */
export async function nodeLayer(directory: string): Promise<Layer> {
  const { execPath, version, arch } = process;
  return cachedLayer(directory, 'node', shortHash(version, arch), (file) =>
    archive(file, { from: dirname(execPath), to: 'usr/local/bin', paths: [basename(execPath)] }),
  );
}

async function packagesLayer(directory: string): Promise<Layer> {
  const packages = packageClosure(ROOT, AGENT_PACKAGES);
  const key = shortHash(...packages.map(({ path, version }) => `${path}@${version}`));
  return cachedLayer(directory, 'packages', key, (file) =>
    archive(file, { from: ROOT, to: APPLICATION.slice(1), paths: outermost(packages) }),
  );
}

/** Drops packages within other packages, which are copied with them. */
export function outermost(packages: readonly InstalledPackage[]): string[] {
  const paths = packages.map(({ path }) => path);
  return paths.filter((path) => !paths.some((other) => path.startsWith(`${other}/`)));
}

async function sourceLayer(directory: string): Promise<Layer> {
  const hash = createHash('sha256');
  for (const file of sourceFiles()) hash.update(`${file}\0`).update(readFileSync(join(ROOT, file)));
  return cachedLayer(directory, 'source', hash.digest('hex').slice(0, 12), (file) =>
    archive(file, { from: ROOT, to: APPLICATION.slice(1), paths: AGENT_SOURCES }),
  );
}

/** The repository's files in the image, relative to its root. */
export function sourceFiles(): string[] {
  return AGENT_SOURCES.flatMap((path) => (/\.\w+$/.test(path) ? [path] : filesBelow(path))).toSorted();
}

/** The files of a directory of the repository, relative to its root. */
export function filesBelow(directory: string): string[] {
  const entries = readdirSync(join(ROOT, directory), { withFileTypes: true, recursive: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(ROOT.length));
}
