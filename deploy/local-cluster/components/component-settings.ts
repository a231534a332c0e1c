/** Configuration files of containerd, the network plugins and the kubelet. */
import { existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { stringify } from 'yaml';
import { certificateFiles } from '../certificates.ts';
import type { ClusterSetting } from './component-commands.ts';
import { containerdSocket, policiesSocket, type ClusterDescription } from '../description.ts';
import { networkPlugin } from '../kube-executable.ts';
import { CNI_PROGRAMS } from '../prerequisites.ts';
import type { ClusterPaths } from '../paths.ts';

/** The pause image, which holds a pod's network namespace: built here, since nothing is pulled. */
export const PAUSE_IMAGE = 'codex-k8s/pause:1';

/** The name by which containerd knows our network plugin. */
const NETWORK_PLUGIN = 'codex-k8s-policies';

/** Writes all configuration files. */
export function writeSettings({ paths, description, kube }: ClusterSetting): void {
  for (const directory of [paths.networkSettings, paths.logs, paths.kubelet, paths.etcd]) {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
  }
  linkNetworkPrograms(paths, kube);
  writeFileSync(join(paths.networkSettings, '10-bridge.conflist'), network(paths, description));
  writeFileSync(paths.containerdSettings, containerd({ paths, description, kube }));
  writeFileSync(paths.kubeletSettings, stringify(kubelet(paths, description)));
}

function network(paths: ClusterPaths, description: ClusterDescription): string {
  const { name, podSubnet, nodeAddress } = description;
  const ipam = {
    type: 'host-local',
    dataDir: paths.addresses,
    ranges: [[{ subnet: podSubnet, gateway: nodeAddress }]],
    routes: [{ dst: '0.0.0.0/0' }],
  };
  const bridge = { type: 'bridge', bridge: name, isGateway: true, hairpinMode: true, ipam };
  const policies = { type: NETWORK_PLUGIN, socket: policiesSocket(description) };
  return JSON.stringify({ cniVersion: '0.4.0', name, plugins: [bridge, policies, { type: 'loopback' }] }, null, 2);
}

/** Links all network plugins into the one directory that containerd searches; each build of our plugin has its own directory. */
function networkPrograms({ networkPrograms: all }: ClusterPaths, kube: string): string {
  return join(all, basename(dirname(kube)));
}

function linkNetworkPrograms(paths: ClusterPaths, kube: string): void {
  const directory = networkPrograms(paths, kube);
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const debians = ['bridge', 'host-local', 'loopback'].map((program) => join(CNI_PROGRAMS, program));
  for (const program of debians) link(program, join(directory, basename(program)));
  link(networkPlugin(kube), join(directory, NETWORK_PLUGIN));
}

function link(target: string, path: string): void {
  if (!existsSync(path)) symlinkSync(target, path);
}

/** All paths are below this cluster's directories, so that another containerd of the machine is not affected. */
function containerd({ paths, description, kube }: ClusterSetting): string {
  const text = (value: string): string => JSON.stringify(value);
  return `version = 2
root = ${text(join(paths.containerd, 'root'))}
state = ${text(join(description.runtimeDirectory, 'containerd'))}

[grpc]
  address = ${text(containerdSocket(description))}

[plugins."io.containerd.internal.v1.opt"]
  path = ${text(join(paths.containerd, 'opt'))}

[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = ${text(PAUSE_IMAGE)}
  restrict_oom_score_adj = true
  netns_mounts_under_state_dir = true

[plugins."io.containerd.grpc.v1.cri".cni]
  bin_dir = ${text(networkPrograms(paths, kube))}
  conf_dir = ${text(paths.networkSettings)}

[plugins."io.containerd.grpc.v1.cri".containerd]
  default_runtime_name = "runc"

[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
  runtime_type = "io.containerd.runc.v2"

[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
  Root = ${text(join(description.runtimeDirectory, 'runc'))}
`;
}

function kubelet(paths: ClusterPaths, description: ClusterDescription): object {
  return {
    apiVersion: 'kubelet.config.k8s.io/v1beta1',
    kind: 'KubeletConfiguration',
    address: description.nodeAddress,
    port: description.ports.kubelet,
    healthzPort: description.ports.kubeletHealth,
    containerRuntimeEndpoint: `unix://${containerdSocket(description)}`,
    authentication: {
      anonymous: { enabled: false },
      webhook: { enabled: true },
      x509: { clientCAFile: certificateFiles(paths, 'authority').certificate },
    },
    authorization: { mode: 'Webhook' },
    // Another kubelet of this machine removes cgroups of unknown pods, so this cluster's cgroups are below another parent.
    cgroupDriver: 'cgroupfs',
    cgroupRoot: `/${description.name}`,
    podLogsDir: paths.podLogs,
    enforceNodeAllocatable: [],
    failCgroupV1: false,
    failSwapOn: false,
    makeIPTablesUtilChains: false,
    // No eviction and no image removal for a full disk, since it is a person's machine.
    evictionHard: {},
    imageGCHighThresholdPercent: 100,
    localStorageCapacityIsolation: false,
    // With a watch for each Secret, pods start slowly when many start at once.
    configMapAndSecretChangeDetectionStrategy: 'Get',
    syncFrequency: '1s',
    nodeStatusUpdateFrequency: '2s',
    nodeLeaseDurationSeconds: 8,
  };
}
