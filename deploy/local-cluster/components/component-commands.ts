/** The command line of each component. */
import type { Component } from './component.ts';
import { certificateFiles, tokenKeys } from '../certificates.ts';
import { policiesSocket, type ClusterDescription } from '../description.ts';
import { kubeconfigFile, type ClusterPlaces } from '../paths.ts';

/** A node that says nothing for so long is not ready, and its pods are given up after as long again. */
const NODE_GRACE = '10s';
const EVICTION_SECONDS = '10';

export interface ClusterSetting {
  readonly places: ClusterPlaces;
  readonly description: ClusterDescription;
  /** The executable of Kubernetes. */
  readonly kube: string;
}

type Flags = Readonly<Record<string, string | number | boolean>>;

/** The program of a component and its arguments. */
export function componentCommand(component: Component, setting: ClusterSetting): readonly [string, ...string[]] {
  const { places, kube } = setting;
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
      return ['containerd', '--config', places.containerdSettings];
    case 'kubelet':
      return [kube, 'kubelet', ...argumentsOf(kubelet(setting))];
  }
}

function argumentsOf(flags: Flags): string[] {
  return Object.entries(flags).map(([name, value]) => `--${name}=${value}`);
}

/** Only whoever has a certificate of this cluster reads the database: every secret is in it. */
function etcd({ places, description: { ports } }: ClusterSetting): Flags {
  const own = certificateFiles(places, 'etcd');
  const authority = certificateFiles(places, 'authority').certificate;
  return {
    'data-dir': places.etcd,
    // The data lives as long as the machine's: a crash of the machine may cost a throw-away cluster.
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

function apiserver({ places, description }: ClusterSetting): Flags {
  const { nodeAddress, ports, serviceSubnet } = description;
  const authority = certificateFiles(places, 'authority').certificate;
  const serving = certificateFiles(places, 'apiserver');
  const database = certificateFiles(places, 'etcd');
  const admin = certificateFiles(places, 'admin');
  const tokens = tokenKeys(places);
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

function controllers({ places, description }: ClusterSetting): Flags {
  return {
    kubeconfig: kubeconfigFile(places, 'controllers'),
    'bind-address': '127.0.0.1',
    'secure-port': description.ports.controllers,
    'leader-elect': false,
    'service-account-private-key-file': tokenKeys(places).signing,
    'root-ca-file': certificateFiles(places, 'authority').certificate,
    'use-service-account-credentials': true,
    'cluster-cidr': description.podSubnet,
    'allocate-node-cidrs': false,
    'node-monitor-grace-period': NODE_GRACE,
    'node-monitor-period': '2s',
  };
}

function scheduler({ places, description }: ClusterSetting): Flags {
  return {
    kubeconfig: kubeconfigFile(places, 'scheduler'),
    'bind-address': '127.0.0.1',
    'secure-port': description.ports.scheduler,
    'leader-elect': false,
  };
}

/** Reads what the controllers may read, and writes the packet filter of this machine. */
function policies({ places, description }: ClusterSetting): Flags {
  return {
    kubeconfig: kubeconfigFile(places, 'controllers'),
    name: description.name,
    'ready-file': places.policiesReady,
    socket: policiesSocket(description),
  };
}

/** Reads what the controllers may read, and writes how this machine translates addresses. */
function services({ places, description }: ClusterSetting): Flags {
  return {
    kubeconfig: kubeconfigFile(places, 'controllers'),
    name: description.name,
    'pod-subnet': description.podSubnet,
    'ready-file': places.servicesReady,
  };
}

function kubelet({ places, description }: ClusterSetting): Flags {
  return {
    config: places.kubeletSettings,
    kubeconfig: kubeconfigFile(places, 'kubelet'),
    'hostname-override': description.nodeName,
    'node-ip': description.nodeAddress,
    'root-dir': places.kubelet,
    'cert-dir': `${places.kubelet}/pki`,
  };
}
