/**
 * The cluster of a whole run of vitest: a local one that is kept between runs, or the one that CODEXK8S_TEST_KUBECONFIG
 * names. With one of yours, CODEXK8S_TEST_AGENT_IMAGE and CODEXK8S_TEST_BUSYBOX_IMAGE are images that it can pull, and
 * CODEXK8S_TEST_NODE_ADDRESS is where its pods reach this machine.
 */
import { join } from 'node:path';
import type { V1Namespace } from '@kubernetes/client-node';
import type { TestProject } from 'vitest/node';
import { createKubernetesApi, readKubeConfig } from '../../../src/adapters/kubernetes/api.ts';
import { OURS } from '../../../src/adapters/kubernetes/names.ts';
import { startCluster } from '../../../deploy/local-cluster/cluster.ts';
import { cacheDirectory } from '../../../src/embedded/files/cache-directory.ts';

interface TestCluster {
  /** The administrator's. */
  readonly kubeconfig: string;
  readonly agentImage: string;
  readonly busyboxImage: string;
  /** Where pods reach this machine. */
  readonly nodeAddress: string;
  /** Of the local cluster, to stop and start its components; empty when the cluster is one of yours. */
  readonly clusterDataDirectory: string;
}

declare module 'vitest' {
  interface ProvidedContext extends TestCluster {}
}

/** Called by vitest, once for the run. The cluster stays up: `codex-k8s cluster down --data DIR` takes it away. */
export async function setup(project: TestProject): Promise<void> {
  const cluster = givenCluster(process.env) ?? (await localCluster());
  for (const name of Object.keys(cluster) as (keyof TestCluster)[]) project.provide(name, cluster[name]);
}

function givenCluster(env: NodeJS.ProcessEnv): TestCluster | undefined {
  const kubeconfig = env['CODEXK8S_TEST_KUBECONFIG'];
  if (!kubeconfig) return undefined;
  return {
    kubeconfig,
    agentImage: env['CODEXK8S_TEST_AGENT_IMAGE'] ?? '',
    busyboxImage: env['CODEXK8S_TEST_BUSYBOX_IMAGE'] ?? 'busybox:1',
    nodeAddress: env['CODEXK8S_TEST_NODE_ADDRESS'] ?? '',
    clusterDataDirectory: '',
  };
}

async function localCluster(): Promise<TestCluster> {
  const clusterDataDirectory = join(cacheDirectory(process.env), 'test-cluster');
  const report = (message: string): void => void process.stderr.write(`${message}\n`);
  const { kubeconfig, images, nodeAddress } = await startCluster({
    dataDirectory: clusterDataDirectory,
    install: true,
    report,
  });
  await removeWorkspaces(kubeconfig);
  return { kubeconfig, agentImage: images.agent, busyboxImage: images.busybox, nodeAddress, clusterDataDirectory };
}

/** The cluster is kept, and tests that were killed have left workspaces in it: a sweep would have to remove those first. */
async function removeWorkspaces(kubeconfig: string): Promise<void> {
  const admin = createKubernetesApi(() => readKubeConfig(kubeconfig));
  for (const { metadata } of await admin.list<V1Namespace>('v1', 'Namespace', { labelSelector: OURS }))
    await admin.remove({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: metadata?.name ?? '' } });
}
