/** The paths of a local cluster. */
import { join } from 'node:path';

export interface ClusterPaths {
  /** Directory of this cluster's files, except sockets. */
  readonly root: string;
  /** File of addresses and ports, chosen when the cluster is created. */
  readonly description: string;
  readonly lock: string;
  readonly certificates: string;
  readonly kubeconfigs: string;
  readonly logs: string;
  /** The identities of running components. */
  readonly processes: string;
  readonly etcd: string;
  readonly kubelet: string;
  /** Logs of containers. The default directory is shared with other kubelets of the machine, which delete unknown files. */
  readonly podLogs: string;
  readonly kubeletSettings: string;
  readonly containerd: string;
  readonly containerdSettings: string;
  readonly networkSettings: string;
  /** Directory of links to the network plugins, the machine's and our own. */
  readonly networkPrograms: string;
  /** Written when network policies are in force. */
  readonly policiesReady: string;
  /** Written when Services are routed to their pods. */
  readonly servicesReady: string;
  /** Directory of the addresses of pods (host-local IPAM). */
  readonly addresses: string;
}

/** The paths of the cluster that belongs to a data directory. */
export function clusterPaths(dataDirectory: string): ClusterPaths {
  const root = join(dataDirectory, 'cluster');
  return {
    root,
    description: join(root, 'cluster.json'),
    lock: join(dataDirectory, 'cluster.lock'),
    certificates: join(root, 'certificates'),
    kubeconfigs: join(root, 'kubeconfigs'),
    logs: join(root, 'logs'),
    processes: join(root, 'processes'),
    etcd: join(root, 'etcd'),
    kubelet: join(root, 'kubelet'),
    podLogs: join(root, 'pod-logs'),
    kubeletSettings: join(root, 'kubelet.yaml'),
    containerd: join(root, 'containerd'),
    containerdSettings: join(root, 'containerd.toml'),
    networkSettings: join(root, 'cni'),
    networkPrograms: join(root, 'cni-programs'),
    policiesReady: join(root, 'policies.ready'),
    servicesReady: join(root, 'services.ready'),
    addresses: join(root, 'addresses'),
  };
}

/** The kubeconfig of a client; `admin` has all rights. */
export function kubeconfigFile(paths: ClusterPaths, who: string): string {
  return join(paths.kubeconfigs, `${who}.yaml`);
}
