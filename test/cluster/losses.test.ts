import type { KubernetesObject, V1Job, V1PodSpec } from '@kubernetes/client-node';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { KubernetesApi } from '../../src/adapters/kubernetes/api.ts';
import {
  agentOf,
  type AgentOptions,
  ended,
  jobRef,
  launch,
  lose,
  type Platform,
  podsIn,
  refIn,
  runningPod,
  startPlatform,
  until,
} from './support/agents.ts';

/** Kubernetes' own delays stay as they are; ours are half, which is enough for a pod to be made on a busy machine. */
const patience = 0.5;

let platform: Platform;

beforeAll(async () => {
  platform = await startPlatform();
});
afterAll(() => platform.end());

/** An agent of an issue of its own, launched; and how it ends. */
async function termination(options: AgentOptions) {
  return lose(platform.runtime({ patience, ...options }), platform.issue());
}

/** The same of an agent that begins, however long that takes. */
async function lossOfOneThatBegan(options: AgentOptions) {
  return termination({ ...options, patience: 1 });
}

/** The same, but something is done to the agent as soon as it works. */
async function terminationOf(options: AgentOptions, act: (namespace: string, pod: string) => Promise<unknown>) {
  const issue = platform.issue();
  const agent = agentOf(issue);
  const runtime = platform.runtime(options);
  const namespace = await launch(runtime, issue, agent);
  const lost = ended(runtime, agent);
  const pod = await runningPod(platform.admin, namespace);
  await act(namespace, pod.metadata?.name ?? '');
  return lost;
}

/** Changes the pods of Jobs that the runtime makes. */
function withPod(change: (pod: V1PodSpec) => void): (api: KubernetesApi) => KubernetesApi {
  return (api) => ({
    ...api,
    create: async (object: KubernetesObject) => {
      if (object.kind === 'Job') change((object as V1Job).spec!.template.spec!);
      return api.create(object);
    },
  });
}

/** Does something between the making of a Job and its pod. */
function beforeStart(act: (namespace: string) => Promise<void>): (api: KubernetesApi) => KubernetesApi {
  return (api) => ({
    ...api,
    change: async (ref, patch) => {
      await act(ref.metadata.namespace ?? '');
      return api.change(ref, patch);
    },
  });
}

describe.concurrent('T41, T42: an agent that never began', () => {
  test('whose image cannot be had', async () => {
    expect(await termination({ image: 'registry.invalid/absent:1' })).toMatchObject({
      termination: 'image_pull',
      detail: expect.stringMatching(/^(ErrImagePull|ImagePullBackOff): .*registry\.invalid\/absent/),
    });
  });

  test('whose image has no proper name', async () => {
    expect(await termination({ image: 'No Name' })).toMatchObject({
      termination: 'image_pull',
      detail: expect.stringMatching(/^InvalidImageName/),
    });
  });

  test('for whom the quota leaves no room', async () => {
    const much = { cpu: '900', memory: '16Mi', ephemeralStorage: '0' };
    expect(await termination({ requests: much, limits: much })).toMatchObject({
      termination: 'quota_exceeded',
      detail: expect.stringContaining('exceeded quota: codex-run-quota'),
    });
  });

  test('whose pod violates the Pod Security profile', async () => {
    const through = withPod((pod) =>
      Object.assign(pod.containers[0]!.securityContext!, { allowPrivilegeEscalation: true }),
    );
    expect(await termination({ through })).toMatchObject({
      termination: 'sandbox_rejected',
      detail: expect.stringMatching(/violates PodSecurity "restricted:latest": allowPrivilegeEscalation/),
    });
  });

  test('whose pod is larger than an administrator allows', async () => {
    const issue = platform.issue();
    const runtime = platform.runtime({ patience });
    const limits = {
      ...refIn(issue.workspace, 'LimitRange', 'of-an-administrator'),
      spec: { limits: [{ type: 'Container', max: { cpu: '10m' } }] },
    };
    await launch(platform.runtime(), issue, agentOf(issue));
    await platform.admin.create(limits);
    expect(await lose(runtime, issue)).toMatchObject({
      termination: 'sandbox_rejected',
      detail: expect.stringContaining('maximum cpu usage per Container is 10m'),
    });
  });

  test('whose service account is gone', async () => {
    const through = beforeStart(async (namespace) =>
      platform.admin.remove(refIn(namespace, 'ServiceAccount', 'codex-runner')),
    );
    expect(await termination({ through })).toMatchObject({
      termination: 'sandbox_rejected',
      detail: expect.stringContaining('serviceaccount "codex-runner" not found'),
    });
  });

  test('for whom no node will do', async () => {
    const through = withPod((pod) => Object.assign(pod, { nodeSelector: { 'codex-k8s.test/node': 'none' } }));
    expect(await termination({ through })).toMatchObject({
      termination: 'unschedulable',
      detail: expect.stringMatching(/^Unschedulable: 0\/\d+ nodes are available/),
    });
  });

  test('whose token was taken away', async () => {
    const through = (api: KubernetesApi): KubernetesApi => ({
      ...api,
      change: async (ref, patch) => {
        await platform.admin.remove({ ...ref, apiVersion: 'v1', kind: 'Secret' });
        return api.change(ref, patch);
      },
    });
    expect(await termination({ through })).toMatchObject({
      termination: 'container_error',
      detail: expect.stringMatching(/MountVolume\.SetUp failed .* secrets? "codex-k8s-run-.*" not found/),
    });
  });

  test('whose container lacks what it is configured with', async () => {
    const through = withPod((pod) =>
      Object.assign(pod.containers[0]!, {
        env: [{ name: 'WORD', valueFrom: { configMapKeyRef: { name: 'absent', key: 'word' } } }],
      }),
    );
    expect(await termination({ through })).toMatchObject({
      termination: 'container_error',
      detail: expect.stringMatching(/configmaps? "absent" not found$/),
    });
  });

  test('whose program is not in its image', async () => {
    expect(await termination({ command: ['/absent'] })).toMatchObject({
      termination: 'container_error',
      // The pod’s status says so, or its event, whichever comes first.
      detail: expect.stringMatching(/exec: "\/absent": .*no such file/),
    });
  });

  test('within the deadline of its Job: what it was stuck at counts', async () => {
    const issue = platform.issue();
    const agent = agentOf(issue);
    const runtime = platform.runtime({ image: 'registry.invalid/absent:1', patience: 1 });
    const namespace = await launch(runtime, issue, agent);
    const lost = ended(runtime, agent);
    await until('its image cannot be pulled', async () =>
      (await podsIn(platform.admin, namespace)).some(({ status }) =>
        status?.containerStatuses?.some(({ state }) =>
          /^(ErrImagePull|ImagePullBackOff)$/.test(state?.waiting?.reason ?? ''),
        ),
      ),
    );
    // Counted from the Job's start: it is over soon, and not before the runtime has looked at the pod.
    const job = jobRef(namespace, agent);
    const startTime = (await platform.admin.find<V1Job>(job))?.status?.startTime ?? new Date();
    const seconds = Math.ceil((Date.now() - new Date(startTime).getTime()) / 1000);
    await platform.admin.change(job, { spec: { activeDeadlineSeconds: seconds + 10 } });
    expect(await lost).toMatchObject({ termination: 'image_pull' });
  });
});

describe.concurrent('T43: an agent that began', () => {
  test('and used more memory than it may', async () => {
    expect(await lossOfOneThatBegan({ script: 'tail /dev/zero' })).toMatchObject({
      termination: 'agent_oom',
      detail: 'it used more memory than it may',
    });
  });

  test('and ended with an error: the end of its output is the detail', async () => {
    expect(await lossOfOneThatBegan({ script: 'echo first >&2; echo the reason >&2; exit 1' })).toEqual({
      termination: 'agent_error',
      detail: 'it ended with code 1 without a report: first\nthe reason',
      log: 'first\nthe reason\n',
      pod: expect.stringMatching(/^codex-test-i\d+\/codex-k8s-run-/),
    });
  });

  test('and ended without a report', async () => {
    expect(await lossOfOneThatBegan({ script: 'echo done' })).toMatchObject({
      termination: 'agent_lost',
      detail: 'it ended with code 0 without a report',
      log: 'done\n',
    });
  });

  test('and could not reach the platform', async () => {
    expect(await lossOfOneThatBegan({ script: 'exit 69' })).toMatchObject({ termination: 'agent_lost' });
  });

  test('and took too long', async () => {
    expect(await lossOfOneThatBegan({ deadlineSeconds: 40 })).toMatchObject({
      termination: 'deadline_exceeded',
      detail: 'Job was active longer than specified deadline',
    });
  });

  test('and whose pod was deleted', async () => {
    const lost = await terminationOf({}, async (namespace, pod) => platform.admin.remove(refIn(namespace, 'Pod', pod)));
    expect(lost).toMatchObject({ termination: 'agent_lost' });
  });

  test('and whose Job was deleted', async () => {
    const issue = platform.issue();
    const agent = agentOf(issue);
    const runtime = platform.runtime();
    const namespace = await launch(runtime, issue, agent);
    const lost = ended(runtime, agent);
    await runningPod(platform.admin, namespace);
    await platform.admin.remove(jobRef(namespace, agent));
    expect(await lost).toEqual({ termination: 'agent_lost', detail: 'its Job is gone' });
  });

  test('and was evicted', async () => {
    const lost = await terminationOf({}, async (namespace, name) =>
      platform.core.createNamespacedPodEviction({ namespace, name, body: { metadata: { name, namespace } } }),
    );
    expect(lost).toMatchObject({ termination: 'evicted', detail: expect.stringContaining('evict') });
  });

  test('and was evicted, and does not go when it is asked', async () => {
    const through = withPod((pod) => Object.assign(pod, { terminationGracePeriodSeconds: 2 }));
    const command = ['/bin/sh', '-c', 'while true; do sleep 1; done', 'agent'];
    const lost = await terminationOf({ command, through }, async (namespace, name) =>
      platform.core.createNamespacedPodEviction({ namespace, name, body: { metadata: { name, namespace } } }),
    );
    expect(lost).toMatchObject({ termination: 'evicted' });
  });

  test('keeps the end of a long log, not its beginning', async () => {
    const script = 'dd if=/dev/zero bs=1024 count=600 | tr "\\\\0" x | fold -w 500; echo; echo the very last; exit 1';
    const { log = '' } = await lossOfOneThatBegan({ script });
    expect(log).toMatch(/the very last\n$/);
    expect(Buffer.byteLength(log)).toBe(256 * 1024);
  });
});

test('an agent that is stuck in its beginning, and gets over it, works', async () => {
  const issue = platform.issue();
  const agent = agentOf(issue);
  const runtime = platform.runtime({
    script: 'exit 0',
    through: beforeStart(async (namespace) => {
      await platform.admin.create({
        ...refIn(namespace, 'ResourceQuota', 'closed'),
        spec: { hard: { pods: '0' } },
      } as KubernetesObject);
    }),
  });
  const namespace = await launch(runtime, issue, agent);
  const lost = ended(runtime, agent);
  await expect.poll(async () => quotaEvents(namespace), { timeout: 120_000 }).toBeGreaterThan(0);
  await platform.admin.remove(refIn(namespace, 'ResourceQuota', 'closed'));
  expect(await lost).toMatchObject({ termination: 'agent_lost', detail: 'it ended with code 0 without a report' });
});

async function quotaEvents(namespace: string): Promise<number> {
  const { items } = await platform.core.listNamespacedEvent({ namespace, fieldSelector: 'reason=FailedCreate' });
  return items.length;
}
