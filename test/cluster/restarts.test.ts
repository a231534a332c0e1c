import { randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import type { KubeConfig, V1Job, V1Secret } from '@kubernetes/client-node';
import { afterAll, afterEach, beforeAll, describe, expect, inject, test } from 'vitest';
import { createKubernetesApi, readKubeConfig } from '../../src/adapters/kubernetes/api.ts';
import { startComponent, stopComponent } from '../../deploy/local-cluster/cluster.ts';
import {
  agentOf,
  ended,
  jobRef,
  jobsIn,
  launch,
  type Platform,
  podsIn,
  refIn,
  runningPod,
  secretRef,
  startPlatform,
  until,
} from './support/agents.ts';

const dataDirectory = inject('clusterDataDirectory');
const secrets: string[] = [];

let platform: Platform;

beforeAll(async () => {
  platform = await startPlatform();
});
afterAll(async () => {
  for (const name of secrets) await platform.admin.remove(refIn('codex-k8s', 'Secret', name));
  await platform.end();
});

describe('a worker', () => {
  test('that is stopped while it waits gives up at once', async () => {
    const issue = platform.issue();
    const agent = agentOf(issue);
    const runtime = platform.runtime();
    await launch(runtime, issue, agent);
    const stopping = new AbortController();
    const waiting = runtime.ended(agent, stopping.signal);
    await runningPod(platform.admin, issue.workspace);
    stopping.abort(new Error('the worker stops'));
    await expect(waiting).rejects.toThrow('the worker stops');
  });

  test('that comes after it finds how the agent has ended meanwhile', async () => {
    const issue = platform.issue();
    const agent = agentOf(issue);
    await launch(platform.runtime({ script: 'echo words; exit 3' }), issue, agent);
    await until(
      'the agent has ended',
      async () => (await podsIn(platform.admin, issue.workspace))[0]?.status?.phase === 'Failed',
    );
    expect(await ended(platform.runtime(), agent)).toMatchObject({
      termination: 'agent_error',
      detail: 'it ended with code 3 without a report: words',
      log: 'words\n',
    });
  });

  test('that comes after it, and after everything is gone, waits for nothing', async () => {
    const issue = platform.issue();
    const agent = agentOf(issue);
    const stopping = new AbortController();
    await launch(platform.runtime(), issue, agent);
    const waiting = platform.runtime().ended(agent, stopping.signal);
    await runningPod(platform.admin, issue.workspace);
    stopping.abort();
    await expect(waiting).rejects.toThrow('aborted');
    await platform.admin.remove(jobRef(issue.workspace, agent));
    await until('no Job is left', async () => (await jobsIn(platform.admin, issue.workspace)).length === 0);
    expect(await ended(platform.runtime(), agent)).toEqual({ termination: 'agent_lost', detail: 'its Job is gone' });
  });
});

describe('T45: credentials that are not accepted any more', () => {
  test('are read again', async () => {
    const path = kubeconfigWith('nonsense');
    const api = createKubernetesApi(() => readKubeConfig(path));
    const namespaces = async () => api.list('v1', 'Namespace', {});
    await expect(namespaces()).rejects.toMatchObject({ name: 'KubernetesRefusal', code: 401 });
    writeFileSync(path, configWith(tokenOf(readKubeConfig(platform.kubeconfig))).exportConfig());
    expect(await namespaces()).not.toEqual([]);
  });

  test('are read again while an agent is waited for', async () => {
    const issue = platform.issue();
    const agent = agentOf(issue);
    await launch(platform.runtime(), issue, agent);
    const { secret, token } = await passingToken();
    const path = kubeconfigWith(token);
    const api = createKubernetesApi(() => readKubeConfig(path));
    const lost = ended(platform.runtime({ through: () => api }), agent);
    const { metadata } = await runningPod(platform.admin, issue.workspace);

    await platform.admin.remove(refIn('codex-k8s', 'Secret', secret));
    writeFileSync(path, configWith(tokenOf(readKubeConfig(platform.kubeconfig))).exportConfig());
    const old = createKubernetesApi(() => configWith(token));
    await until(
      'the old token opens nothing',
      async () =>
        old.list('v1', 'Namespace', {}).then(
          () => false,
          () => true,
        ),
      120,
    );
    await platform.admin.remove(refIn(issue.workspace, 'Pod', metadata?.name ?? ''));
    expect(await lost).toMatchObject({ termination: 'agent_lost' });
  });

  /** Good until its Secret is gone. */
  async function passingToken(): Promise<{ secret: string; token: string }> {
    const secret = `test-${randomUUID()}`;
    secrets.push(secret);
    const ref = refIn('codex-k8s', 'Secret', secret);
    await platform.admin.create(ref);
    const uid = (await platform.admin.find<V1Secret>(ref))?.metadata?.uid ?? '';
    const { status } = await platform.core.createNamespacedServiceAccountToken({
      namespace: 'codex-k8s',
      name: 'codex-k8s-worker',
      body: { spec: { audiences: [], boundObjectRef: { apiVersion: 'v1', kind: 'Secret', name: secret, uid } } },
    });
    return { secret, token: status?.token ?? '' };
  }

  function kubeconfigWith(token: string): string {
    const path = `${platform.kubeconfig}-${randomUUID()}`;
    writeFileSync(path, configWith(token).exportConfig());
    return path;
  }

  function configWith(token: string): KubeConfig {
    const config = readKubeConfig(platform.kubeconfig);
    config.users = config.users.map(({ name }) => ({ name, token }));
    return config;
  }

  function tokenOf(config: KubeConfig): string {
    return config.getCurrentUser()?.token ?? '';
  }
});

/** Disturbs everybody who uses the cluster. */
describe.skipIf(dataDirectory === '')('of the cluster', () => {
  afterEach(async () => {
    await startComponent(dataDirectory, 'apiserver');
    await startComponent(dataDirectory, 'kubelet');
    await until('the node is ready', async () => (await readiness()) === 'True', 180);
  });

  test('T45: the API server is killed, and the end of an agent is found when it is back', async () => {
    const issue = platform.issue();
    const agent = agentOf(issue);
    const runtime = platform.runtime({ script: 'sleep 3; echo over; exit 1' });
    await launch(runtime, issue, agent);
    await runningPod(platform.admin, issue.workspace);
    const lost = ended(runtime, agent);
    await stopComponent(dataDirectory, 'apiserver');
    await expect(platform.worker.list('v1', 'Namespace', {})).rejects.toThrow('no response from the Kubernetes API');
    await startComponent(dataDirectory, 'apiserver');
    expect(await lost).toMatchObject({ termination: 'agent_error', log: 'over\n' });
  });

  test('T45: the API server is killed, and who waits for an agent can still be stopped', async () => {
    const issue = platform.issue();
    const agent = agentOf(issue);
    const runtime = platform.runtime();
    await launch(runtime, issue, agent);
    await runningPod(platform.admin, issue.workspace);
    const stopping = new AbortController();
    const waiting = runtime.ended(agent, stopping.signal);
    await stopComponent(dataDirectory, 'apiserver');
    await expect(platform.worker.list('v1', 'Namespace', {})).rejects.toThrow('no response from the Kubernetes API');
    stopping.abort(new Error('the worker stops'));
    await expect(waiting).rejects.toThrow('the worker stops');
  });

  test('T45: the API server is killed in the middle of a launch, which is made good when it is back', async () => {
    const issue = platform.issue();
    const agent = agentOf(issue);
    const unlucky = platform.runtime({
      through: (api) => ({
        ...api,
        create: async (object) => {
          const made = await api.create(object);
          if (object.kind === 'Job') await stopComponent(dataDirectory, 'apiserver');
          return made;
        },
      }),
    });
    await expect(launch(unlucky, issue, agent)).rejects.toThrow('no response from the Kubernetes API');
    await startComponent(dataDirectory, 'apiserver');
    await launch(platform.runtime(), issue, agent);
    await runningPod(platform.admin, issue.workspace);
    expect(await jobsIn(platform.admin, issue.workspace)).toHaveLength(1);
  });

  test('the kubelet is started again in time, and no agent is lost', async () => {
    const issue = platform.issue();
    const agent = agentOf(issue);
    const runtime = platform.runtime({ script: 'sleep 6; exit 1' });
    await launch(runtime, issue, agent);
    await runningPod(platform.admin, issue.workspace);
    const lost = ended(runtime, agent);
    await stopComponent(dataDirectory, 'kubelet');
    await startComponent(dataDirectory, 'kubelet');
    expect(await lost).toMatchObject({ termination: 'agent_error' });
  });

  test('T44: the node is lost, and its agent with it; the next attempt works when it is back', async () => {
    const issue = platform.issue();
    const first = agentOf(issue);
    const runtime = platform.runtime();
    await launch(runtime, issue, first);
    const { metadata } = await runningPod(platform.admin, issue.workspace);
    const lost = ended(runtime, first);
    await stopComponent(dataDirectory, 'kubelet');
    expect(await lost).toMatchObject({ termination: 'node_lost' });

    const second = agentOf(issue, 2, first.runId);
    await launch(runtime, issue, second);
    expect(await platform.admin.find(secretRef(issue.workspace, second))).toBeDefined();
    await startComponent(dataDirectory, 'kubelet');
    await until(
      'only the second attempt is left',
      async () => {
        const pods = await podsIn(platform.admin, issue.workspace);
        return pods.length === 1 && pods[0]?.metadata?.uid !== metadata?.uid;
      },
      240,
    );
    await runningPod(platform.admin, issue.workspace);
  });

  test('T44: the node is lost where nobody removes its pods, as when it is the only one', async () => {
    const issue = platform.issue();
    const agent = agentOf(issue);
    const runtime = platform.runtime({
      patience: 0.1,
      through: (api) => ({
        ...api,
        create: async (object) => {
          if (object.kind === 'Job') tolerateForEver(object);
          return api.create(object);
        },
      }),
    });
    await launch(runtime, issue, agent);
    await runningPod(platform.admin, issue.workspace);
    const lost = ended(runtime, agent);
    await stopComponent(dataDirectory, 'kubelet');
    expect(await lost).toMatchObject({ termination: 'node_lost', detail: 'its node is not heard of any more' });
  });

  function tolerateForEver(job: V1Job): void {
    for (const toleration of job.spec?.template.spec?.tolerations ?? []) delete toleration.tolerationSeconds;
  }

  async function readiness(): Promise<string | undefined> {
    const { items } = await platform.core.listNode();
    return items[0]?.status?.conditions?.find(({ type }) => type === 'Ready')?.status;
  }
});
