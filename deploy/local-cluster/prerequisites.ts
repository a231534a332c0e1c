/** Prerequisites of a local cluster: Linux, root, and some Debian packages. */
import { accessSync, constants, readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { CommandProblem } from '../../src/terminal/problems.ts';
import { withProgress } from '../../src/embedded/files/progress.ts';
import { run } from './command.ts';

/** Debian's directories of system programs, which are not on every PATH. */
const SYSTEM_PATH = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'];
export const CNI_PROGRAMS = '/usr/lib/cni';

/** Each program with its Debian package. */
const REQUIRED: readonly (readonly [program: string, package_: string])[] = [
  ['containerd', 'containerd'],
  ['ctr', 'containerd'],
  ['runc', 'runc'],
  [join(CNI_PROGRAMS, 'bridge'), 'containernetworking-plugins'],
  [join(CNI_PROGRAMS, 'host-local'), 'containernetworking-plugins'],
  ['ip', 'iproute2'],
  ['iptables', 'iptables'],
  ['mount', 'mount'],
  ['openssl', 'openssl'],
  ['mmdebstrap', 'mmdebstrap'],
  ['busybox', 'busybox-static'],
  ['go', 'golang-go'],
];

/** Attempts of a download from the mirror. */
const RETRIES = ['-o', 'Acquire::Retries=3'];

export interface PrerequisiteOptions {
  readonly install: boolean;
  readonly report: (message: string) => void;
}

/** The programs' path; set for every program that is started for a cluster. */
export function systemPath(env: NodeJS.ProcessEnv = process.env): string {
  const own = (env['PATH'] ?? '').split(delimiter).filter(Boolean);
  return [...new Set([...own, '/usr/local/go/bin', ...SYSTEM_PATH])].join(delimiter);
}

/** Throws an error with the missing programs and packages, or installs them if requested. */
export async function requirePrerequisites({ install, report }: PrerequisiteOptions): Promise<void> {
  requireRoot();
  process.env['PATH'] = systemPath();
  const packages = missingPackages();
  if (packages.length === 0) return;
  const command = `apt-get update && apt-get install -y --no-install-recommends ${packages.join(' ')}`;
  if (!install) {
    throw new CommandProblem(
      `The local cluster needs programs that this machine lacks. Type this, or add --install:\n\n  ${command}`,
    );
  }
  const env = { DEBIAN_FRONTEND: 'noninteractive' };
  await withProgress(`Installing ${packages.join(', ')}`, report, async () => {
    await run('apt-get', [...RETRIES, 'update'], { env });
    await run('apt-get', [...RETRIES, 'install', '-y', '--no-install-recommends', ...packages], { env });
  });
  const still = missingPackages();
  if (still.length > 0)
    throw new CommandProblem(`These packages are installed, but their programs were not found: ${still.join(', ')}`);
}

/** A cluster needs root for its bridge, its mounts and its containers. */
export function requireRoot(): void {
  if (process.platform !== 'linux') {
    throw new CommandProblem(
      `The local cluster runs on Linux only. On ${process.platform}, use any cluster by setting KUBECONFIG.`,
    );
  }
  if (process.getuid?.() === 0) return;
  throw new CommandProblem(
    'The local cluster needs root: it makes a network bridge, mounts and containers. Try again with sudo, or use another cluster by setting KUBECONFIG.',
  );
}

function missingPackages(): string[] {
  const missing = REQUIRED.filter(([program]) => !isThere(program)).map(([, package_]) => package_);
  return [...new Set(missing)];
}

function isThere(program: string): boolean {
  if (program === 'busybox') return isStatic(findProgram(program));
  return findProgram(program) !== undefined;
}

/** The path of a program; undefined if it is not installed. */
export function findProgram(program: string): string | undefined {
  const candidates = program.startsWith('/')
    ? [program]
    : systemPath()
        .split(delimiter)
        .map((directory) => join(directory, program));
  return candidates.find(isExecutable);
}

/** True for a static executable: a dynamic one needs its loader (program header type 3), which the image lacks. */
function isStatic(path: string | undefined): boolean {
  if (path === undefined) return false;
  const elf = readFileSync(path);
  const start = Number(elf.readBigUInt64LE(32));
  const size = elf.readUInt16LE(54);
  const count = elf.readUInt16LE(56);
  return Array.from({ length: count }, (_, index) => elf.readUInt32LE(start + index * size)).every(
    (type) => type !== 3,
  );
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
