import { randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  BatchV1Api,
  CoreV1Api,
  KubeConfig,
  NetworkingV1Api,
  type V1Pod,
  type V1PodSpec,
} from '@kubernetes/client-node';
import { execa } from 'execa';
import { afterAll, afterEach, beforeAll, describe, expect, inject, test, vi } from 'vitest';
import { startCluster, startComponent, stopCluster, stopComponent } from '../../deploy/local-cluster/cluster.ts';

const dataDirectory = inject('clusterDataDirectory');
const namespace = `cluster-test-${randomBytes(3).toString('hex')}`;
const core = connect(inject('kubeconfig')).makeApiClient(CoreV1Api);
const networking = connect(inject('kubeconfig')).makeApiClient(NetworkingV1Api);
const batch = connect(inject('kubeconfig')).makeApiClient(BatchV1Api);

beforeAll(() => makeNamespace(core, namespace));
afterAll(() => core.deleteNamespace({ name: namespace }));

test('the agent’s image works under the restricted Pod Security profile, on a root file system that is read-only', async () => {
  const { log, succeeded } = await runJob('tools', {
    command: [
      'sh',
      '-c',
      // One stream: the kubelet writes the lines of two in any order.
      'exec 2>&1; git --version; node --version; codex --version; id -u; echo $HOME; touch /workspace/w /tmp/t && ! touch /root-fs',
    ],
  });
  expect(log).toMatch(/^git version 2\.\S+\nv2[4-9]\.\S+\ncodex-cli \S+\n10001\n\/workspace\/home\n/);
  expect(log).toContain('Read-only file system');
  expect(succeeded).toBe(true);
});

test('the entry point of the agent’s image finds everything that it imports', async () => {
  const { log, succeeded } = await runJob('entry', {});
  expect(log).toContain('usage: agent --platform-url URL');
  expect(succeeded).toBe(false);
});

test('a pod reaches this machine, and the API server by its Service', async () => {
  const address = inject('nodeAddress');
  const port = new URL(connect(inject('kubeconfig')).getCurrentCluster()!.server).port;
  const { log } = await runJob('network', {
    image: inject('busyboxImage'),
    command: [
      'sh',
      '-c',
      `for at in "${address} ${port}" "$KUBERNETES_SERVICE_HOST 443"; do (echo "GET / HTTP/1.0"; echo; sleep 1) | nc $at | head -1; done`,
    ],
  });
  expect(log).toMatch(/^(HTTP\/1\.0 400 Bad Request\s+){2}$/);
});

test('a network policy holds from the first packet of a pod: to another pod, to this machine, and for nobody else', async () => {
  const image = inject('busyboxImage');
  const listen = 'httpd -p 8081; httpd -f -p 8080';
  const server = {
    metadata: { name: 'server', labels: { role: 'server' } },
    spec: restricted({ image, command: ['sh', '-c', listen] }),
  };
  await core.createNamespacedPod({ namespace, body: server });
  const address = (await untilRunning(core, namespace, 'server')).status!.podIP!;
  await networking.createNamespacedNetworkPolicy({
    namespace,
    body: {
      metadata: { name: 'client' },
      spec: {
        podSelector: { matchLabels: { role: 'client' } },
        policyTypes: ['Ingress', 'Egress'],
        egress: [
          { to: [{ podSelector: { matchLabels: { role: 'server' } } }], ports: [{ protocol: 'TCP', port: 8080 }] },
        ],
      },
    },
  });
  const machine = new URL(connect(inject('kubeconfig')).getCurrentCluster()!.server);
  const places = [`${address} 8080`, `${address} 8081`, `${machine.hostname} ${machine.port}`].map(
    (place) => `"${place}"`,
  );
  const knock = `for at in ${places.join(' ')}; do nc -w 2 $at </dev/null >/dev/null 2>&1 && echo open || echo shut; done`;
  const asClient = await runJob('client', { image, command: ['sh', '-c', knock], labels: { role: 'client' } });
  const asAnybody = await runJob('anybody', { image, command: ['sh', '-c', knock] });
  expect(asClient.log).toBe('open\nshut\nshut\n');
  expect(asAnybody.log).toBe('open\nopen\nopen\n');
});

test('a pod without the restrictions is refused', async () => {
  const pod = { metadata: { name: 'loose' }, spec: { containers: [{ name: 'main', image: inject('busyboxImage') }] } };
  await expect(core.createNamespacedPod({ namespace, body: pod })).rejects.toThrow(/violates PodSecurity/);
});

describe.skipIf(dataDirectory === '')('the local cluster', () => {
  afterEach(() => startComponent(dataDirectory, 'policies'));

  test('up again does nothing when everything is well', async () => {
    const { started, kubeconfig } = await startCluster({ dataDirectory });
    expect(started).toEqual([]);
    expect(kubeconfig).toBe(inject('kubeconfig'));
  });

  test('an API server that was killed comes back with its objects, and only it is started again', async () => {
    await core.createNamespacedConfigMap({ namespace, body: { metadata: { name: 'kept' }, data: { word: 'here' } } });
    await stopComponent(dataDirectory, 'apiserver');
    await expect(core.readNamespacedConfigMap({ namespace, name: 'kept' })).rejects.toThrow(
      /fetch failed|ECONNREFUSED/,
    );

    await startComponent(dataDirectory, 'apiserver');
    const { data } = await core.readNamespacedConfigMap({ namespace, name: 'kept' });
    expect(data).toEqual({ word: 'here' });
  });

  test('up starts what is dead; containers outlive the kubelet and containerd', async () => {
    const pod = sleepingPod('sleeper', inject('busyboxImage'));
    await core.createNamespacedPod({ namespace, body: pod });
    const before = await untilRunning(core, namespace, 'sleeper');
    await stopComponent(dataDirectory, 'kubelet');
    await stopComponent(dataDirectory, 'containerd');
    await stopComponent(dataDirectory, 'etcd');

    const { started } = await startCluster({ dataDirectory });
    expect(started).toEqual(expect.arrayContaining(['etcd', 'containerd', 'kubelet']));
    const after = await untilRunning(core, namespace, 'sleeper');
    expect(containerOf(after)).toEqual(containerOf(before));
  });

  test('a pod does not begin while nobody enforces its policies', async () => {
    await stopComponent(dataDirectory, 'policies');
    await core.createNamespacedPod({ namespace, body: sleepingPod('guarded', inject('busyboxImage')) });
    await vi.waitUntil(
      async () => {
        const { items } = await core.listNamespacedEvent({ namespace, fieldSelector: 'involvedObject.name=guarded' });
        return items.some(({ message }) => message?.includes('network policies are not in force'));
      },
      { timeout: 120_000, interval: 200 },
    );
    await startComponent(dataDirectory, 'policies');
    await untilRunning(core, namespace, 'guarded');
  });

  test('a node whose kubelet is dead is found out in seconds', async () => {
    await stopComponent(dataDirectory, 'kubelet');
    const readiness = async (): Promise<string | undefined> => {
      const { items } = await core.listNode();
      return items[0]?.status?.conditions?.find(({ type }) => type === 'Ready')?.status;
    };
    await vi.waitFor(async () => expect(await readiness()).toBe('Unknown'), { timeout: 30_000, interval: 250 });
    await startComponent(dataDirectory, 'kubelet');
    await vi.waitFor(async () => expect(await readiness()).toBe('True'), { timeout: 120_000, interval: 250 });
  });

  test('down leaves nothing on the machine', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'codex-k8s-cluster-'));
    try {
      const second = await startCluster({ dataDirectory: directory });
      const name = connect(second.kubeconfig).getCurrentCluster()!.name;
      expect(second.server).not.toBe(connect(inject('kubeconfig')).getCurrentCluster()!.server);
      const api = connect(second.kubeconfig).makeApiClient(CoreV1Api);
      await makeNamespace(api, 'busy');
      await api.createNamespacedPod({ namespace: 'busy', body: sleepingPod('sleeper', second.images.busybox) });
      await untilRunning(api, 'busy', 'sleeper');
      expect(await traces(directory, name)).not.toEqual([]);

      await stopCluster({ dataDirectory: directory });
      await vi.waitFor(async () => expect(await traces(directory, name)).toEqual([]), { timeout: 60_000 });
      expect(existsSync(join(directory, 'cluster'))).toBe(false);
      expect(existsSync(join('/run/codex-k8s', name))).toBe(false);
    } finally {
      await stopCluster({ dataDirectory: directory });
      rmSync(directory, { recursive: true });
    }
  });
});

function connect(file: string): KubeConfig {
  const config = new KubeConfig();
  config.loadFromFile(file);
  return config;
}

async function makeNamespace(api: CoreV1Api, name: string): Promise<void> {
  const labels = { 'pod-security.kubernetes.io/enforce': 'restricted' };
  await api.createNamespace({ body: { metadata: { name, labels } } });
  await vi.waitFor(() => api.readNamespacedServiceAccount({ name: 'default', namespace: name }), { timeout: 120_000 });
}

/** What every container needs under the profile, and a root file system that nobody writes. */
function restricted(container: Partial<V1PodSpec['containers'][number]> & { image: string }): V1PodSpec {
  return {
    restartPolicy: 'Never',
    automountServiceAccountToken: false,
    terminationGracePeriodSeconds: 1,
    securityContext: {
      runAsNonRoot: true,
      runAsUser: 10_001,
      runAsGroup: 10_001,
      fsGroup: 10_001,
      seccompProfile: { type: 'RuntimeDefault' },
    },
    containers: [
      {
        name: 'main',
        imagePullPolicy: 'Never',
        securityContext: {
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ['ALL'] },
        },
        volumeMounts: [
          { name: 'workspace', mountPath: '/workspace' },
          { name: 'temporary', mountPath: '/tmp' },
        ],
        ...container,
      },
    ],
    volumes: [
      { name: 'workspace', emptyDir: {} },
      { name: 'temporary', emptyDir: {} },
    ],
  };
}

function sleepingPod(name: string, image: string): V1Pod {
  return { metadata: { name }, spec: restricted({ image, command: ['sleep', '3600'] }) };
}

async function runJob(
  name: string,
  {
    image = inject('agentImage'),
    command,
    labels = {},
  }: { image?: string; command?: string[]; labels?: Record<string, string> },
): Promise<{ log: string; succeeded: boolean }> {
  const spec = restricted({ image, ...(command && { command }) });
  await batch.createNamespacedJob({
    namespace,
    body: { metadata: { name }, spec: { backoffLimit: 0, template: { metadata: { labels }, spec } } },
  });
  const conditions = await vi.waitFor(
    async () => {
      const { status } = await batch.readNamespacedJob({ namespace, name });
      const over = status?.conditions?.filter((condition) => condition.status === 'True').map(({ type }) => type) ?? [];
      if (!over.includes('Complete') && !over.includes('Failed'))
        throw new Error(`not over: ${JSON.stringify(status)}`);
      return over;
    },
    { timeout: 180_000, interval: 200 },
  );
  const { items } = await core.listNamespacedPod({ namespace, labelSelector: `job-name=${name}` });
  const log = await core.readNamespacedPodLog({ namespace, name: items[0]!.metadata!.name! });
  return { log, succeeded: conditions.includes('Complete') };
}

function untilRunning(api: CoreV1Api, namespace: string, name: string): Promise<V1Pod> {
  return vi.waitFor(
    async () => {
      const pod = await api.readNamespacedPod({ namespace, name });
      if (!pod.status?.containerStatuses?.[0]?.state?.running) throw new Error(JSON.stringify(pod.status));
      return pod;
    },
    { timeout: 180_000, interval: 200 },
  );
}

function containerOf(pod: V1Pod): { id: string | undefined; restarts: number | undefined } {
  const container = pod.status?.containerStatuses?.[0];
  return { id: container?.containerID, restarts: container?.restartCount };
}

/** What of a cluster can be seen on the machine. */
async function traces(directory: string, name: string): Promise<string[]> {
  const places = [`${directory}/cluster`, `/run/codex-k8s/${name}`];
  const holdsPlace = (line: string): boolean => places.some((place) => line.includes(place));
  const print = async (...command: [string, ...string[]]): Promise<string[]> => {
    const { stdout } = await execa(command[0], command.slice(1), { reject: false });
    return stdout.split('\n');
  };
  const processes = (await print('ps', '-eo', 'pid,args')).filter(holdsPlace);
  const mounts = readFileSync('/proc/self/mountinfo', 'utf8').split('\n').filter(holdsPlace);
  const logs = (await print('ls', '-l', '/var/log/containers', '/var/log/pods')).filter(holdsPlace);
  const links = (await print('ip', '-o', 'link')).filter((line) => line.includes(name));
  const groups = await print('find', '/sys/fs/cgroup', '-maxdepth', '2', '-name', name);
  const rules = [...(await print('iptables', '-S')), ...(await print('iptables', '-t', 'nat', '-S'))];
  const subnet = `10.${89 + Number(name.replace('codex', ''))}.`;
  return [
    ...processes,
    ...mounts,
    ...logs,
    ...links,
    ...groups.filter(Boolean),
    ...rules.filter((rule) => rule.includes(name) || rule.includes(subnet)),
  ];
}
