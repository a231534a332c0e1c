/** Agents on Kubernetes under `up`: on the cluster of KUBECONFIG, or on a local cluster. */
import { join } from 'node:path';
import { CommandProblem } from '../terminal/problems.ts';
import { installPlatform, workerKubeconfig } from './install-platform.ts';
import { writePrivateFile } from './files/json-file.ts';

export interface ClusterForAgents {
  /** Path of an administrator's kubeconfig. */
  readonly kubeconfig: string;
  /** Settings of server and worker for agents on this cluster. */
  readonly environment: Readonly<Record<string, string>>;
}

/** Starts the local cluster of a data directory, or repairs it. */
export type StartCluster = (options: {
  readonly dataDirectory: string;
  readonly env: NodeJS.ProcessEnv;
  readonly report: (message: string) => void;
}) => Promise<{
  /** The kubeconfig of the administrator. */
  readonly kubeconfig: string;
  readonly images: { readonly agent: string; readonly busybox: string };
  /** Address at which pods reach this machine. */
  readonly nodeAddress: string;
}>;

/** Prepares a cluster for agents: installs the platform's objects and writes the worker's kubeconfig. */
export async function prepareCluster({
  directory,
  gatewaysPort,
  env,
  report,
  startCluster,
}: {
  directory: string;
  gatewaysPort: number;
  env: NodeJS.ProcessEnv;
  report: (message: string) => void;
  startCluster: StartCluster;
}): Promise<ClusterForAgents> {
  const { admin, image, allowed, address } = env['KUBECONFIG']
    ? namedCluster(env['KUBECONFIG'], env)
    : await ownCluster(startCluster, directory, env, report);
  report('Installing the platform in the cluster');
  await installPlatform(admin, { images: allowed });
  const kubeconfig = join(directory, 'secrets', 'worker-kubeconfig');
  writePrivateFile(kubeconfig, await workerKubeconfig(admin));
  return {
    kubeconfig: admin,
    environment: {
      CODEXK8S_RUNTIME: 'kubernetes',
      CODEXK8S_KUBECONFIG: kubeconfig,
      CODEXK8S_AGENT_IMAGE: image,
      CODEXK8S_AGENT_URL: `http://${address}:${gatewaysPort}`,
      CODEXK8S_GATEWAYS_HOST: address,
      CODEXK8S_GATEWAYS_PORT: String(gatewaysPort),
    },
  };
}

interface Cluster {
  /** Path of the kubeconfig of an administrator. */
  readonly admin: string;
  readonly image: string;
  /** Images for agents' own pods: without a registry, those that the node has. */
  readonly allowed: readonly string[];
  /** Address at which pods reach this machine. */
  readonly address: string;
}

async function ownCluster(
  startCluster: StartCluster,
  directory: string,
  env: NodeJS.ProcessEnv,
  report: (message: string) => void,
): Promise<Cluster> {
  const { kubeconfig, images, nodeAddress } = await startCluster({ dataDirectory: directory, env, report });
  return { admin: kubeconfig, image: images.agent, allowed: Object.values(images), address: nodeAddress };
}

function namedCluster(admin: string, env: NodeJS.ProcessEnv): Cluster {
  const { CODEXK8S_AGENT_IMAGE: image, CODEXK8S_GATEWAYS_HOST: address } = env;
  if (image && address) return { admin, image, allowed: [image], address };
  throw new CommandProblem(
    'With KUBECONFIG, set CODEXK8S_AGENT_IMAGE to an image that the cluster can pull (deploy/images/Dockerfile, target\n' +
      'agent), and CODEXK8S_GATEWAYS_HOST to the address of this machine that its pods can reach.',
    2,
  );
}
