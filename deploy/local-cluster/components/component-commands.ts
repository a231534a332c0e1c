/** The command line of each component. */
import type { Component } from './component.ts';
import { certificateFiles, tokenKeys } from '../certificates.ts';
import { policiesSocket, type ClusterDescription } from '../description.ts';
import { kubeconfigFile, type ClusterPaths } from '../paths.ts';

/** Time without a heartbeat until a node is NotReady; its pods are evicted after as long again. */
const NODE_GRACE = '10s';
const EVICTION_SECONDS = '10';

export interface ClusterSetting {
  readonly paths: ClusterPaths;
  readonly description: ClusterDescription;
  /** The executable of Kubernetes. */
  readonly kube: string;
}

type Flags = Readonly<Record<string, string | number | boolean>>;

/** The program of a component and its arguments. */
export function componentCommand(component: Component, setting: ClusterSetting): readonly [string, ...string[]] {
  const { paths, kube } = setting;
  switch (component) {
    case 'etcd':
      return [kube, 'etcd', ...argumentsOf(etcd(setting))];
    case 'apiserver':
      return [kube, 'kube-apiserver', ...argumentsOf(apiserver(setting))];
    case 'controllers':
      return [kube, 'kube-controller-manager', ...argumentsOf(controllers(setting))];
    case 'scheduler':
      return [kube, 'kube-scheduler', ...argumentsOf(scheduler(setting))];
    case 'policies':
      return [kube, 'network-policies', ...argumentsOf(policies(setting))];
    case 'services':
      return [kube, 'services', ...argumentsOf(services(setting))];
    case 'containerd':
      return ['containerd', '--config', paths.containerdSettings];
    case 'kubelet':
      return [kube, 'kubelet', ...argumentsOf(kubelet(setting))];
  }
}

function argumentsOf(flags: Flags): string[] {
  return Object.entries(flags).map(([name, value]) => `--${name}=${value}`);
}

/** etcd holds all Secrets, so it requires client certificates of this cluster. */
function etcd({ paths, description: { ports } }: ClusterSetting): Flags {
  const own = certificateFiles(paths, 'etcd');
  const authority = certificateFiles(paths, 'authority').certificate;
  return {
    'data-dir': paths.etcd,
    // No fsync: a crash of the machine may destroy the data of a throw-away cluster.
    'unsafe-no-fsync': true,
    'listen-client-urls': `https://127.0.0.1:${ports.etcd}`,
    'advertise-client-urls': `https://127.0.0.1:${ports.etcd}`,
    'listen-peer-urls': `http://127.0.0.1:${ports.etcdPeer}`,
    'initial-advertise-peer-urls': `http://127.0.0.1:${ports.etcdPeer}`,
    'initial-cluster': `default=http://127.0.0.1:${ports.etcdPeer}`,
    'listen-metrics-urls': `http://127.0.0.1:${ports.etcdHealth}`,
    'client-cert-auth': true,
    'trusted-ca-file': authority,
    'cert-file': own.certificate,
    'key-file': own.key,
    'log-level': 'warn',
  };
}

function apiserver({ paths, description }: ClusterSetting): Flags {
  const { nodeAddress, ports, serviceSubnet } = description;
  const authority = certificateFiles(paths, 'authority').certificate;
  const serving = certificateFiles(paths, 'apiserver');
  const database = certificateFiles(paths, 'etcd');
  const admin = certificateFiles(paths, 'admin');
  const tokens = tokenKeys(paths);
  return {
    'etcd-servers': `https://127.0.0.1:${ports.etcd}`,
    'etcd-cafile': authority,
    'etcd-certfile': database.certificate,
    'etcd-keyfile': database.key,
    // The bridge's address only: this machine and its pods reach it, the network does not.
    'bind-address': nodeAddress,
    'advertise-address': nodeAddress,
    'secure-port': ports.apiserver,
    'service-cluster-ip-range': serviceSubnet,
    'client-ca-file': authority,
    'tls-cert-file': serving.certificate,
    'tls-private-key-file': serving.key,
    'service-account-key-file': tokens.verifying,
    'service-account-signing-key-file': tokens.signing,
    'service-account-issuer': 'https://kubernetes.default.svc',
    'authorization-mode': 'Node,RBAC',
    'enable-admission-plugins': 'NodeRestriction',
    'allow-privileged': true,
    'kubelet-preferred-address-types': 'InternalIP',
    'kubelet-client-certificate': admin.certificate,
    'kubelet-client-key': admin.key,
    'default-not-ready-toleration-seconds': EVICTION_SECONDS,
    'default-unreachable-toleration-seconds': EVICTION_SECONDS,
    'shutdown-delay-duration': '0s',
  };
}

function controllers({ paths, description }: ClusterSetting): Flags {
  return {
    kubeconfig: kubeconfigFile(paths, 'controllers'),
    'bind-address': '127.0.0.1',
    'secure-port': description.ports.controllers,
    'leader-elect': false,
    'service-account-private-key-file': tokenKeys(paths).signing,
    'root-ca-file': certificateFiles(paths, 'authority').certificate,
    'use-service-account-credentials': true,
    'cluster-cidr': description.podSubnet,
    'allocate-node-cidrs': false,
    'node-monitor-grace-period': NODE_GRACE,
    'node-monitor-period': '2s',
  };
}

function scheduler({ paths, description }: ClusterSetting): Flags {
  return {
    kubeconfig: kubeconfigFile(paths, 'scheduler'),
    'bind-address': '127.0.0.1',
    'secure-port': description.ports.scheduler,
    'leader-elect': false,
  };
}

/** Enforcement of network policies: has the controllers' rights, and writes this machine's packet filter. */
function policies({ paths, description }: ClusterSetting): Flags {
  return {
    kubeconfig: kubeconfigFile(paths, 'controllers'),
    name: description.name,
    'ready-file': paths.policiesReady,
    socket: policiesSocket(description),
  };
}

/** Proxy of Services: has the controllers' rights, and writes this machine's address translation. */
function services({ paths, description }: ClusterSetting): Flags {
  return {
    kubeconfig: kubeconfigFile(paths, 'controllers'),
    name: description.name,
    'pod-subnet': description.podSubnet,
    'ready-file': paths.servicesReady,
  };
}

function kubelet({ paths, description }: ClusterSetting): Flags {
  return {
    config: paths.kubeletSettings,
    kubeconfig: kubeconfigFile(paths, 'kubelet'),
    'hostname-override': description.nodeName,
    'node-ip': description.nodeAddress,
    'root-dir': paths.kubelet,
    'cert-dir': `${paths.kubelet}/pki`,
  };
}
