/** The executable of etcd, the control plane and the kubelet, and the network plugin: built once, then cached. */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { takeLock } from '../../src/embedded/files/lock.ts';
import { withProgress } from '../../src/embedded/files/progress.ts';
import { run } from './command.ts';

const SOURCE = fileURLToPath(new URL('./go/', import.meta.url));
const BUILD_LIMIT_MS = 40 * 60_000;

export interface KubeExecutableOptions {
  readonly cacheDirectory: string;
  readonly report: (message: string) => void;
}

/** The path of the executable of exactly these sources. */
export async function kubeExecutable({ cacheDirectory, report }: KubeExecutableOptions): Promise<string> {
  const path = join(cacheDirectory, 'kube', sourceHash(), 'kube');
  if (existsSync(path)) return path;
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const lock = await takeLock(join(cacheDirectory, 'kube', 'lock'));
  try {
    if (!existsSync(path)) {
      await withProgress('Building Kubernetes with Go, which takes some minutes once', report, () => build(path));
    }
    return path;
  } finally {
    lock.release();
  }
}

/** The network plugin that was built with an executable. */
export function networkPlugin(kube: string): string {
  return join(dirname(kube), 'network-plugin');
}

/** The executable is moved last, so that the cached build is complete if it exists. */
async function build(path: string): Promise<void> {
  const unfinished = mkdtempSync(join(dirname(path), 'unfinished-'));
  const go = (package_: string, output: string): Promise<unknown> =>
    run('go', ['build', '-trimpath', '-ldflags', linkerFlags(), '-o', output, package_], {
      cwd: SOURCE,
      env: { CGO_ENABLED: '0', GOWORK: 'off' },
      limitMs: BUILD_LIMIT_MS,
    });
  try {
    const output = join(unfinished, 'kube');
    await go('./network-plugin', networkPlugin(output));
    await go('.', output);
    renameSync(networkPlugin(output), networkPlugin(path));
    renameSync(output, path);
  } finally {
    rmSync(unfinished, { recursive: true, force: true });
  }
}

/** Linker flags with Kubernetes' version, which Go does not set for a dependency; `kubectl version` shows it. */
function linkerFlags(): string {
  const version = /^require k8s\.io\/kubernetes v((\d+)\.(\d+)\.\d+)$/m.exec(
    readFileSync(join(SOURCE, 'go.mod'), 'utf8'),
  );
  if (!version) throw new Error('deploy/local-cluster/go/go.mod requires no release of k8s.io/kubernetes');
  const [, whole, major, minor] = version;
  const stamps = { gitVersion: `v${whole}`, gitMajor: major, gitMinor: minor };
  const stamped = Object.entries(stamps).map(([name, value]) => `-X k8s.io/component-base/version.${name}=${value}`);
  return ['-s', '-w', ...stamped].join(' ');
}

function sourceHash(): string {
  const hash = createHash('sha256');
  const files = readdirSync(SOURCE, { recursive: true, encoding: 'utf8' }).filter((name) =>
    /^go\.(mod|sum)$|\.go$/.test(name),
  );
  for (const file of files.toSorted()) hash.update(readFileSync(join(SOURCE, file)));
  return hash.digest('hex').slice(0, 12);
}
