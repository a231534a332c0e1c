/** The addresses and ports of a cluster; several clusters may run on one machine, each with its own number. */
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { readJsonFile, writeJsonFile } from '../../src/embedded/files/json-file.ts';
import { takeLock } from '../../src/embedded/files/lock.ts';
import { accepts } from '../../src/embedded/files/ports.ts';
import { run, succeeds } from './command.ts';
import { fits } from './fits.ts';
import { clusterPaths, type ClusterPaths } from './paths.ts';

/** Directory of sockets: their paths must be short, and they vanish at a restart of the machine. */
const RUNTIME_DIRECTORY = '/run/codex-k8s';
const CLUSTERS = 6;
const FIRST_POD_NETWORK = 89;
const FIRST_SERVICE_NETWORK = 97;
/** Below the range of ephemeral ports. */
const FIRST_PORT = 26_000;
const PORTS_EACH = 100;

const ClusterDescription = z.object({
  /** The bridge; also the name of the cluster's control group, CNI network and runtime directory. */
  name: z.string(),
  nodeName: z.string(),
  /** The bridge's own address, at which pods reach this machine. */
  nodeAddress: z.string(),
  podSubnet: z.string(),
  serviceSubnet: z.string(),
  /** The Service `kubernetes`. */
  serviceAddress: z.string(),
  runtimeDirectory: z.string(),
  ports: z.object({
    etcd: z.number(),
    etcdPeer: z.number(),
    etcdHealth: z.number(),
    apiserver: z.number(),
    kubelet: z.number(),
    kubeletHealth: z.number(),
    controllers: z.number(),
    scheduler: z.number(),
  }),
});
export type ClusterDescription = Readonly<z.infer<typeof ClusterDescription>>;

const Owner = z.object({ dataDirectory: z.string() });

/** The cluster of this data directory; undefined if there is none. */
export function readDescription(paths: ClusterPaths): ClusterDescription | undefined {
  return readJsonFile(paths.description, fits(ClusterDescription));
}

/** Reads the cluster of this data directory, or chooses addresses that are unused on this machine. */
export async function describeCluster(dataDirectory: string): Promise<ClusterDescription> {
  mkdirSync(RUNTIME_DIRECTORY, { recursive: true, mode: 0o711 });
  const lock = await takeLock(join(RUNTIME_DIRECTORY, 'lock'));
  try {
    const paths = clusterPaths(dataDirectory);
    const description = readDescription(paths) ?? (await choose());
    mkdirSync(description.runtimeDirectory, { recursive: true, mode: 0o711 });
    writeJsonFile(ownerFile(description.runtimeDirectory), { dataDirectory });
    writeJsonFile(paths.description, description);
    return description;
  } finally {
    lock.release();
  }
}

/** Releases the addresses. */
export function forgetCluster(description: ClusterDescription): void {
  rmSync(description.runtimeDirectory, { recursive: true, force: true });
}

/** The socket of containerd. */
export function containerdSocket(description: ClusterDescription): string {
  return join(description.runtimeDirectory, 'containerd.sock');
}

/** The socket on which starting pods are announced to the network policy enforcement. */
export function policiesSocket(description: ClusterDescription): string {
  return join(description.runtimeDirectory, 'policies.sock');
}

/** The API server's address, the same for pods and for this machine. */
export function apiserverUrl({ nodeAddress, ports }: ClusterDescription): string {
  return `https://${nodeAddress}:${ports.apiserver}`;
}

async function choose(): Promise<ClusterDescription> {
  for (let number = 0; number < CLUSTERS; number += 1) {
    const candidate = numbered(number);
    if (await isFree(candidate)) return candidate;
  }
  throw new Error(`There are ${CLUSTERS} local clusters on this machine already, or others use their addresses`);
}

function numbered(number: number): ClusterDescription {
  const name = `codex${number}`;
  const pods = `10.${FIRST_POD_NETWORK + number}`;
  const services = `10.${FIRST_SERVICE_NETWORK + number}`;
  const base = FIRST_PORT + number * PORTS_EACH;
  return {
    name,
    nodeName: 'node-1',
    nodeAddress: `${pods}.0.1`,
    podSubnet: `${pods}.0.0/16`,
    serviceSubnet: `${services}.0.0/16`,
    serviceAddress: `${services}.0.1`,
    runtimeDirectory: join(RUNTIME_DIRECTORY, name),
    ports: {
      etcd: base + 79,
      etcdPeer: base + 80,
      etcdHealth: base + 81,
      apiserver: base + 43,
      kubelet: base + 50,
      kubeletHealth: base + 48,
      controllers: base + 57,
      scheduler: base + 59,
    },
  };
}

async function isFree(candidate: ClusterDescription): Promise<boolean> {
  const owner = readJsonFile(ownerFile(candidate.runtimeDirectory), fits(Owner));
  if (owner && readDescription(clusterPaths(owner.dataDirectory))?.name === candidate.name) return false;
  if (await succeeds('ip', ['link', 'show', candidate.name])) return false;
  if (await isRouted(candidate.podSubnet)) return false;
  const taken = await Promise.all(Object.values(candidate.ports).map(accepts));
  return !taken.includes(true);
}

async function isRouted(subnet: string): Promise<boolean> {
  const routes = z.array(z.object({ dst: z.string() })).parse(JSON.parse(await run('ip', ['-json', 'route', 'show'])));
  const network = subnet.split('.').slice(0, 2).join('.');
  return routes.some(({ dst }) => dst.startsWith(`${network}.`));
}

function ownerFile(runtimeDirectory: string): string {
  return join(runtimeDirectory, 'owner.json');
}
