/** Agents on Kubernetes under `up`: the cluster that KUBECONFIG names, or one of this machine's own. */
import { join } from 'node:path';
import { CommandProblem } from '../terminal/problems.ts';
import { installPlatform, workerKubeconfig } from './install-platform.ts';
import { writePrivateFile } from './files/json-file.ts';

export interface ClusterForAgents {
  /** The kubeconfig to look around with. */
  readonly kubeconfig: string;
  /** The configuration of the worker, and of the server as far as agents are concerned. */
  readonly environment: Readonly<Record<string, string>>;
}

/** Starts a cluster of this machine's own, or repairs the one that a data directory has. */
export type StartCluster = (options: {
  readonly dataDirectory: string;
  readonly env: NodeJS.ProcessEnv;
  readonly report: (message: string) => void;
}) => Promise<{
  /** The kubeconfig of the administrator. */
  readonly kubeconfig: string;
  readonly images: { readonly agent: string };
  /** Where pods reach this machine. */
  readonly nodeAddress: string;
}>;

/** Makes a cluster ready for agents: the platform's objects are in it, and the worker has an account. */
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
  const { admin, image, address } = env['KUBECONFIG']
    ? namedCluster(env['KUBECONFIG'], env)
    : await ownCluster(startCluster, directory, env, report);
  report('Installing the platform in the cluster');
  await installPlatform(admin);
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
  /** The kubeconfig of somebody who may install the platform. */
  readonly admin: string;
  readonly image: string;
  /** Of this machine, as pods see it. */
  readonly address: string;
}

async function ownCluster(
  startCluster: StartCluster,
  directory: string,
  env: NodeJS.ProcessEnv,
  report: (message: string) => void,
): Promise<Cluster> {
  const { kubeconfig, images, nodeAddress } = await startCluster({ dataDirectory: directory, env, report });
  return { admin: kubeconfig, image: images.agent, address: nodeAddress };
}

function namedCluster(admin: string, env: NodeJS.ProcessEnv): Cluster {
  const { CODEXK8S_AGENT_IMAGE: image, CODEXK8S_GATEWAYS_HOST: address } = env;
  if (image && address) return { admin, image, address };
  throw new CommandProblem(
    'With KUBECONFIG, set CODEXK8S_AGENT_IMAGE to an image that the cluster can pull (deploy/images/Dockerfile, target\n' +
      'agent), and CODEXK8S_GATEWAYS_HOST to the address of this machine that its pods can reach.',
    2,
  );
}
