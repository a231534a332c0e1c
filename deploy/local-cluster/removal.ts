/** Removes a cluster with everything that it has created on this machine. */
import { existsSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { run, succeeds } from './command.ts';
import { COMPONENTS } from './components/component.ts';
import { endComponent, killStrays } from './components/component-process.ts';
import { killControlGroups, removeControlGroups } from './components/control-groups.ts';
import { forgetCluster, readDescription, type ClusterDescription } from './description.ts';
import { removeNetwork } from './network.ts';
import type { ClusterPaths } from './paths.ts';

const LIMIT_MS = 10_000;
/** The kubelet links each container's log here; the directory cannot be configured. */
const LOG_LINKS = '/var/log/containers';

/** Stops the cluster, and leaves no process, mount, namespace, control group, bridge or file. */
export async function removeCluster(paths: ClusterPaths): Promise<void> {
  const description = readDescription(paths);
  if (!description) {
    rmSync(paths.root, { recursive: true, force: true });
    return;
  }
  // SIGKILL, since the state is removed too. The kubelet first, so that it restarts no pod.
  for (const component of COMPONENTS.toReversed()) await endComponent(paths, component, 'SIGKILL');
  const sockets = shimSockets(description);
  await killContainers(description);
  await killStrays(paths, description);
  await killContainers(description);
  for (const mount of mountsBelow([paths.root, description.runtimeDirectory])) await unmount(mount);
  removeControlGroups(description.name);
  await removeNetwork(description);
  for (const file of [...sockets, ...logLinks(paths)]) rmSync(file, { force: true });
  rmSync(paths.root, { recursive: true, force: true });
  forgetCluster(description);
}

/** The mounts below these directories, the innermost first. */
function mountsBelow(directories: readonly string[]): string[] {
  const lines = readFileSync('/proc/self/mountinfo', 'utf8').split('\n');
  const mounts = lines.map((line) => unescape(line.split(' ')[4] ?? ''));
  return mounts.filter((mount) => directories.some((directory) => mount.startsWith(`${directory}/`))).toReversed();
}

function logLinks({ podLogs }: ClusterPaths): string[] {
  if (!existsSync(LOG_LINKS)) return [];
  const links = readdirSync(LOG_LINKS, { withFileTypes: true }).filter((entry) => entry.isSymbolicLink());
  const files = links.map(({ name }) => join(LOG_LINKS, name));
  return files.filter((file) => readlinkSync(file).startsWith(`${podLogs}/`));
}

async function unmount(mount: string): Promise<void> {
  if (await succeeds('umount', [mount])) return;
  await run('umount', ['--lazy', mount]);
}

async function killContainers({ name }: ClusterDescription): Promise<void> {
  const deadline = performance.now() + LIMIT_MS;
  while (killControlGroups(name) > 0) {
    if (performance.now() > deadline) throw new Error(`Containers of the cluster ${name} cannot be killed`);
    await sleep(50);
  }
}

/** Sockets of shims, which are outside of this cluster's directories; a killed shim leaves its socket. */
function shimSockets({ runtimeDirectory }: ClusterDescription): string[] {
  const tasks = join(runtimeDirectory, 'containerd', 'io.containerd.runtime.v2.task', 'k8s.io');
  if (!existsSync(tasks)) return [];
  return readdirSync(tasks)
    .map((task) => join(tasks, task, 'address'))
    .filter((file) => existsSync(file))
    .map((file) => readFileSync(file, 'utf8').trim().replace('unix://', ''));
}

/** Decodes octal escapes, which the kernel writes for blanks and backslashes of a path. */
function unescape(path: string): string {
  return path.replaceAll(/\\(\d{3})/g, (_, octal: string) => String.fromCodePoint(Number.parseInt(octal, 8)));
}
