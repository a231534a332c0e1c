/** Installs the platform's service accounts, roles and admission policies in a cluster (deploy/kubernetes/base). */
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { CoreV1Api, KubeConfig, type KubernetesObject } from '@kubernetes/client-node';
import { parse, parseAllDocuments } from 'yaml';
import { createKubernetesApi, readKubeConfig } from '../adapters/kubernetes/index.ts';

const BASE = new URL('../../deploy/kubernetes/base/', import.meta.url);

const NAMESPACE = 'codex-k8s';
const WORKER = 'codex-k8s-worker';

/** Lifetime in seconds of the token of a worker outside the cluster; `up` requests a new one at each start. */
const TOKEN_SECONDS = 30 * 24 * 3600;

/** Images that agents may use for pods of their own, by their full names, and registries (deploy/kubernetes/base/allowed-images.yaml). */
export interface AllowedImages {
  readonly images: readonly string[];
  /** Those that the cluster has already stay, unless given. */
  readonly registries?: readonly string[];
}

/** The ConfigMap that has them. */
const ALLOWED = 'codex-k8s-images';

/** Applies every object; safe to repeat. `kubeconfig` is the path of an administrator's kubeconfig. */
export async function installPlatform(kubeconfig: string, allowed: AllowedImages): Promise<void> {
  const api = createKubernetesApi(() => readKubeConfig(kubeconfig));
  const data = Object.fromEntries(Object.entries(allowed).map(([name, lines]) => [name, lines.join('\n')]));
  for (const object of await baseObjects()) {
    const isAllowed = object.kind === 'ConfigMap' && object.metadata?.name === ALLOWED;
    await api.apply(isAllowed ? { ...object, data } : object);
  }
}

/** A kubeconfig with the worker's service account, for a worker outside the cluster. */
export async function workerKubeconfig(kubeconfig: string): Promise<string> {
  const admin = readKubeConfig(kubeconfig);
  const cluster = admin.getCurrentCluster();
  if (!cluster) throw new Error(`${kubeconfig} has no current cluster`);
  const { status } = await admin.makeApiClient(CoreV1Api).createNamespacedServiceAccountToken({
    namespace: NAMESPACE,
    name: WORKER,
    body: { spec: { audiences: [], expirationSeconds: TOKEN_SECONDS } },
  });
  if (!status?.token) throw new Error("the cluster returned no token for the worker's service account");
  const worker = new KubeConfig();
  worker.loadFromOptions({
    clusters: [cluster],
    users: [{ name: WORKER, token: status.token }],
    contexts: [{ name: WORKER, cluster: cluster.name, user: WORKER }],
    currentContext: WORKER,
  });
  return worker.exportConfig();
}

/** The objects of kustomization.yaml, in its order. */
async function baseObjects(): Promise<KubernetesObject[]> {
  const { resources } = parse(await read('kustomization.yaml')) as { resources: readonly string[] };
  const texts = await Promise.all(resources.map(read));
  return texts.flatMap((text) => parseAllDocuments(text).map((document) => document.toJS() as KubernetesObject));
}

async function read(name: string): Promise<string> {
  return readFile(fileURLToPath(new URL(name, BASE)), 'utf8');
}
